import { FormatError } from './errors.ts';

/** Writes unsigned fields most significant bit first into a growing byte array. */
export class BitWriter {
  private bytes = new Uint8Array(32);
  /** Number of bits written so far. */
  bitLength = 0;

  /** Appends `bits` (0..32) bits of `value`; a value that does not fit is an error, never truncated. */
  write(value: number, bits: number): void {
    if (!Number.isInteger(value) || value < 0 || value >= 2 ** bits) {
      throw new RangeError(`value ${value} does not fit in ${bits} bits`);
    }
    const needed = (this.bitLength + bits + 7) >> 3;
    if (needed > this.bytes.length) {
      const grown = new Uint8Array(Math.max(needed, 2 * this.bytes.length));
      grown.set(this.bytes);
      this.bytes = grown;
    }
    for (let i = bits - 1; i >= 0; i--) {
      if (Math.floor(value / 2 ** i) % 2 === 1) this.bytes[this.bitLength >> 3] |= 0x80 >> (this.bitLength & 7);
      this.bitLength++;
    }
  }

  /** The bytes written, the last one padded with zero bits. */
  finish(): Uint8Array {
    return this.bytes.slice(0, (this.bitLength + 7) >> 3);
  }
}

/** Reads unsigned fields most significant bit first; reading past the end is a FormatError naming the field. */
export class BitReader {
  private readonly bytes: Uint8Array;
  private readonly limit: number;
  position = 0;

  constructor(bytes: Uint8Array, bitLength = bytes.length * 8) {
    this.bytes = bytes;
    this.limit = Math.min(bitLength, bytes.length * 8);
  }

  get remaining(): number {
    return this.limit - this.position;
  }

  read(bits: number, field = 'field'): number {
    if (bits > this.remaining) {
      throw new FormatError(field, `needs ${bits} bits, only ${this.remaining} left`);
    }
    let v = 0;
    for (let i = 0; i < bits; i++) {
      v = v * 2 + ((this.bytes[this.position >> 3] >> (7 - (this.position & 7))) & 1);
      this.position++;
    }
    return v;
  }
}

/** Unpacks bytes to one bit (0 or 1) an element, most significant first; `bits` has room for 8 x bytes.length. */
export function unpackBits(bytes: Uint8Array, bits: Uint8Array = new Uint8Array(bytes.length * 8)): Uint8Array {
  for (let i = 0; i < bytes.length; i++) {
    const b = bytes[i];
    for (let k = 0; k < 8; k++) bits[8 * i + k] = (b >> (7 - k)) & 1;
  }
  return bits;
}

/** Packs bits (0 or 1 an element) to bytes, most significant first, the last byte padded with zeros. */
export function packBits(bits: Uint8Array, from = 0, to = bits.length): Uint8Array {
  const out = new Uint8Array((to - from + 7) >> 3);
  const whole = (to - from) >> 3;
  for (let b = 0, i = from; b < whole; b++, i += 8) {
    // Without a branch a bit: they are as good as random.
    out[b] =
      (bits[i] << 7) |
      (bits[i + 1] << 6) |
      (bits[i + 2] << 5) |
      (bits[i + 3] << 4) |
      (bits[i + 4] << 3) |
      (bits[i + 5] << 2) |
      (bits[i + 6] << 1) |
      bits[i + 7];
  }
  for (let i = from + 8 * whole; i < to; i++) if (bits[i]) out[whole] |= 0x80 >> ((i - from) & 7);
  return out;
}
