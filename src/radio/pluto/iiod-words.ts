import { UsageError } from '../../common/errors.ts';
import { IiodError } from './iiod-error.ts';

/** Words and packings of the IIOD text protocol. */

/** What an attribute belongs to: the device itself, its debug files, its buffer, or a channel. */
export type AttrPlace =
  | { readonly kind: 'device' | 'debug' | 'buffer' }
  | { readonly kind: 'channel'; readonly channel: string; readonly output: boolean };

export interface AttrRef {
  readonly device: string;
  readonly place: AttrPlace;
  readonly name: string;
}

/** A server reads one attribute into 64 KiB (iiod/ops.c). */
export const MAX_ATTR_BYTES = 1 << 16;

/** Values of a packed reply; a FormatError-like protocol error where lengths do not add up. */
export function unpackAttrs(bytes: Uint8Array): (string | null)[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values: (string | null)[] = [];
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = view.getInt32(at, false);
    at += 4;
    if (length < 0) {
      values.push(null);
      continue;
    }
    if (length > bytes.length - at) throw tooLong('packed attributes', length, bytes.length - at);
    const value = bytes.subarray(at, at + length);
    const end = value.indexOf(0);
    values.push(new TextDecoder().decode(end < 0 ? value : value.subarray(0, end)).trimEnd());
    at += (length + 3) & ~3;
  }
  return values;
}

export function parseMask(text: string, words: number): number[] {
  if (!/^[0-9a-fA-F]+$/.test(text) || text.length !== 8 * words) {
    throw new IiodError('protocol', `READBUF: "${text.slice(0, 40)}" is no mask of ${8 * words} digits`);
  }
  const mask = [];
  for (let end = text.length; end > 0; end -= 8) mask.push(Number.parseInt(text.slice(end - 8, end), 16));
  return mask;
}

export function refWords({ device, place, name }: AttrRef): string {
  // A name may be absent (all attributes); libiio then sends the blank before it all the same.
  const attr = name === '' ? '' : word(name);
  if (place.kind === 'channel') {
    return `${word(device)} ${place.output ? 'OUTPUT' : 'INPUT'} ${word(place.channel)} ${attr}`;
  }
  return `${word(device)} ${place.kind === 'device' ? '' : `${place.kind.toUpperCase()} `}${attr}`;
}

export function writeCommand(ref: AttrRef, value: string): Uint8Array {
  const payload = new TextEncoder().encode(`${value}\0`);
  if (payload.length > MAX_ATTR_BYTES) throw new UsageError(`an attribute of ${payload.length} bytes`);
  const header = ascii(`WRITE ${refWords(ref)} ${payload.length}\r\n`);
  const command = new Uint8Array(header.length + payload.length);
  command.set(header);
  command.set(payload, header.length);
  return command;
}

/** Names come from the server's XML and go into commands: nothing that could end a word or a line. */
export function word(name: string): string {
  if (!/^[\x21-\x7e]{1,255}$/.test(name)) {
    throw new IiodError('protocol', `"${name.slice(0, 40)}" cannot be the name of a device, channel or attribute`);
  }
  return name;
}

export function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function checkCount(name: string, value: number, min: number, max: number): void {
  if (!(Number.isInteger(value) && value >= min && value <= max)) {
    throw new UsageError(`${name} ${value} is out of range: allowed whole numbers ${min} to ${max}`);
  }
}

export function tooLong(command: string, length: number, limit: number): IiodError {
  return new IiodError('protocol', `${command}: the server announces ${length} bytes where at most ${limit} can come`);
}
