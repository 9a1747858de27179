import type { NumberRange } from '../radio.ts';

/**
 * A step attenuator. Values off its range or step are refused (UsageError); what it really stands at is read back after every change, and anything else than asked is an
 * InstrumentError of kind refused.
 */
export interface Attenuator {
  readonly model: string;
  /** Settings, dB; the insertion loss of the box comes on top of them. */
  readonly rangeDb: NumberRange;
  /** Sets and reads back; returns what was read, dB. */
  set(attenuationDb: number): Promise<number>;
  read(): Promise<number>;
  /** The safe side. */
  setMaximum(): Promise<number>;
  /** Leaves the attenuation where it is. Safe to call twice. */
  close(): Promise<void>;
  describe(): string;
}

/** Equal as far as two decimals tell. */
export function sameDb(a: number, b: number): boolean {
  return Math.abs(a - b) < 0.005;
}
