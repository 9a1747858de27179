/**
 * Range asymmetric numeral system [Duda13] with a 31-bit state, 16-bit frequencies and byte-wise renormalisation; integers
 * below 2^31 throughout, so every machine decodes the same.
 *
 * Stream: the encoder's last state (4 bytes, high byte first, 2^23 <= state < 2^31), then the bytes shifted out, in the
 * order in which the decoder takes them. A step for a symbol with interval [start, start + freq) of 2^16:
 *   encode  while x >= 2^15 freq: put x mod 256, x = x / 256;  x' = (x / freq) 2^16 + x mod freq + start
 *   decode  slot = x mod 2^16;  x' = freq (x / 2^16) + slot - start;  while x' < 2^23: x' = 256 x' + next byte
 * The encoder starts from 2^23, so a decoder that does not end at 2^23 with every byte taken has read something else. Beside
 * the symbols' own bits this costs 24 to 32 bits, of which 23 are that check.
 */
export const RANS_TOTAL = 65536;
/** Bytes that a stream has beyond its symbols' own bits, at most. */
export const RANS_FLUSH_BYTES = 4;
const LOWEST = 0x800000;

/** A decoder's answer: bytes from outside are either whole or named as malformed; nothing is thrown. */
export type Decoded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/** Collects intervals in the order in which they will be decoded; `finish` codes them from the last to the first. */
export class RansEncoder {
  private starts = new Uint16Array(1024);
  private sizes = new Uint16Array(1024); // frequency - 1
  private count = 0;

  /** One symbol: 0 <= start, 1 <= freq, start + freq <= 65536 (a plain Error otherwise: a table is wrong). */
  push(start: number, freq: number): void {
    if (!(start >= 0 && freq >= 1 && start + freq <= RANS_TOTAL)) throw new Error(`no interval: ${start} + ${freq}`);
    if (this.count === this.starts.length) {
      this.starts = grown(this.starts);
      this.sizes = grown(this.sizes);
    }
    this.starts[this.count] = start;
    this.sizes[this.count++] = freq - 1;
  }

  /** `bits` (0..16) bits of `value`, each value equally likely. */
  pushBits(value: number, bits: number): void {
    const freq = RANS_TOTAL >>> bits;
    this.push(value * freq, freq);
  }

  /**
   * The coded bytes; the encoder is empty afterwards.
   *
   * @param salt 0..65535, added to the state that coding starts from: only a decoder that knows it takes the stream for whole
   */
  finish(salt = 0): Uint8Array {
    let out = new Uint8Array(this.count + 64);
    let end = out.length; // bytes are written from the end backwards
    let x = LOWEST + salt;
    for (let i = this.count - 1; i >= 0; i--) {
      const freq = this.sizes[i] + 1;
      const limit = freq * 32768;
      while (x >= limit) {
        if (end === 4) {
          const wider = new Uint8Array(2 * out.length);
          wider.set(out.subarray(end), out.length + end);
          end += out.length;
          out = wider;
        }
        out[--end] = x & 255;
        x >>>= 8;
      }
      const quotient = Math.floor(x / freq);
      x = quotient * RANS_TOTAL + (x - quotient * freq) + this.starts[i];
    }
    for (let i = 0; i < RANS_FLUSH_BYTES; i++) {
      out[--end] = x & 255;
      x >>>= 8;
    }
    this.count = 0;
    return out.slice(end);
  }
}

/**
 * Reads what `RansEncoder` wrote. It takes any bytes: beyond the end it reads zeros, every step ends after two bytes at most,
 * and `intact` tells in the end whether the stream was whole.
 */
export class RansDecoder {
  private x: number;
  private position = RANS_FLUSH_BYTES;
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    const x = bytes.length < RANS_FLUSH_BYTES ? 0 : (bytes[0] << 24) | (bytes[1] << 16) | (bytes[2] << 8) | bytes[3];
    if (x < LOWEST) this.position = Number.POSITIVE_INFINITY; // negative, too: no encoder ends there
    this.x = x < LOWEST ? LOWEST : x;
  }

  /** Where in 0..65535 the next symbol lies. */
  get slot(): number {
    return this.x & 0xffff;
  }

  /** Takes the symbol whose interval [start, start + freq) holds `slot`. */
  take(start: number, freq: number): void {
    let x = Math.imul(freq, this.x >>> 16) + (this.x & 0xffff) - start;
    while (x < LOWEST) {
      x = (x << 8) | (this.position < this.bytes.length ? this.bytes[this.position] : 0);
      this.position++;
    }
    this.x = x;
  }

  /** The next `bits` (0..16) equally likely bits. */
  takeBits(bits: number): number {
    const freq = RANS_TOTAL >>> bits;
    const value = Math.floor((this.x & 0xffff) / freq);
    this.take(value * freq, freq);
    return value;
  }

  /** Whether more was read than there is; a decoder may stop early then. */
  get overrun(): boolean {
    return this.position > this.bytes.length;
  }

  /** Bytes that everything read so far depends on; infinite when no encoder wrote the start. */
  get taken(): number {
    return this.position;
  }

  /** Whether exactly this stream has been read to its end. */
  get intact(): boolean {
    return this.x === LOWEST && this.position === this.bytes.length;
  }

  /** The same for a stream with a salt that stands in a longer slot: nothing but zeros may follow it. */
  intactInSlot(salt: number): boolean {
    return this.x === LOWEST + salt && !this.overrun && this.bytes.subarray(this.position).every((b) => b === 0);
  }
}

function grown(a: Uint16Array): Uint16Array<ArrayBuffer> {
  const wider = new Uint16Array(2 * a.length);
  wider.set(a);
  return wider;
}
