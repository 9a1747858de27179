import { DeviceError } from '../../common/errors.ts';

/**
 * missing: no such port; gone: pulled or closed while open; timeout: no (whole) reply in time; garbled: a reply that is none; refused: the instrument said
 * no, or did something else than asked; no-library: the serial library cannot be loaded.
 */
export type InstrumentErrorKind =
  | 'missing'
  | 'permission'
  | 'busy'
  | 'gone'
  | 'timeout'
  | 'garbled'
  | 'refused'
  | 'no-library';

/** What goes wrong with a serial instrument. Exit code 3. */
export class InstrumentError extends DeviceError {
  readonly kind: InstrumentErrorKind;
  constructor(kind: InstrumentErrorKind, message: string, hint?: string) {
    super(message, hint);
    this.kind = kind;
  }
}

/** Bytes of an instrument as they may stand in an error message: printable ASCII, at most 60 characters. */
export function shownBytes(received: string): string {
  const shown = received.replace(/[^ -~]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return shown.length <= 60 ? shown : `${shown.slice(0, 57)}...`;
}
