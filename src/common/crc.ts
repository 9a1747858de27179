/**
 * Cyclic redundancy checks of TS 38.212 §5.1 (zero initial value, no reflection, no final inversion), over bits.
 * Polynomials without their leading term.
 */
export interface CrcSpec {
  readonly name: string;
  readonly length: number;
  readonly polynomial: number;
}

export const CRC24A: CrcSpec = { name: 'CRC24A', length: 24, polynomial: 0x864cfb };
export const CRC24B: CrcSpec = { name: 'CRC24B', length: 24, polynomial: 0x800063 };
export const CRC24C: CrcSpec = { name: 'CRC24C', length: 24, polynomial: 0xb2b117 };
export const CRC16: CrcSpec = { name: 'CRC16', length: 16, polynomial: 0x1021 };
export const CRC11: CrcSpec = { name: 'CRC11', length: 11, polynomial: 0x621 };
export const CRC6: CrcSpec = { name: 'CRC6', length: 6, polynomial: 0x21 };

/** Remainder of bits[from..to) (0 or 1 an element, first bit most significant) by the generator. */
export function crcBits(spec: CrcSpec, bits: Uint8Array, from = 0, to = bits.length): number {
  const top = 2 ** (spec.length - 1);
  const mask = 2 ** spec.length - 1;
  let r = 0;
  for (let i = from; i < to; i++) {
    const feedback = ((r & top) !== 0 ? 1 : 0) ^ bits[i];
    r = (r << 1) & mask;
    if (feedback) r ^= spec.polynomial;
  }
  return r;
}

/** Remainder over whole bytes; equals crcBits over their bits. */
export function crcBytes(spec: CrcSpec, bytes: Uint8Array, from = 0, to = bytes.length): number {
  const table = tableOf(spec);
  const shift = spec.length - 8;
  const mask = 2 ** spec.length - 1;
  if (shift < 0) throw new RangeError(`${spec.name} is shorter than a byte`);
  let r = 0;
  for (let i = from; i < to; i++) r = ((r << 8) ^ table[((r >>> shift) ^ bytes[i]) & 0xff]) & mask;
  return r >>> 0;
}

/** Writes the CRC's bits, most significant first, into bits[at..at+length). */
export function writeCrcBits(spec: CrcSpec, value: number, bits: Uint8Array, at: number): void {
  for (let i = 0; i < spec.length; i++) bits[at + i] = (value >>> (spec.length - 1 - i)) & 1;
}

const tables = new Map<string, Uint32Array>();
function tableOf(spec: CrcSpec): Uint32Array {
  let table = tables.get(spec.name);
  if (!table) {
    table = new Uint32Array(256);
    const bits = new Uint8Array(8);
    for (let i = 0; i < 256; i++) {
      for (let k = 0; k < 8; k++) bits[k] = (i >> (7 - k)) & 1;
      table[i] = crcBits(spec, bits);
    }
    tables.set(spec.name, table);
  }
  return table;
}
