/**
 * Range coder for small integer alphabets [Martin79], with the carry handling of LZMA: 32-bit range, whole-number
 * arithmetic only, so that every machine writes and reads the same bytes. A symbol takes the part `low..low + frequency` of
 * `total` (at most 2^16).
 *
 * Trailing zero bytes are not written and the reader takes zeros past the end: the length is known from outside (side
 * information carries it), and any byte string decodes to something, which is what input from the air needs.
 */
const TOP = 2 ** 24;
const FULL = 2 ** 32;

export class RangeEncoder {
  private low = 0; // below 2^33
  private range = FULL - 1;
  private cache = 0;
  private pending = 0; // bytes 0xff (or their carry) that wait behind `cache`
  private started = false;
  private readonly bytes: number[] = [];

  /** Appends a symbol that owns low..low+frequency of total; 0 < frequency, low + frequency <= total <= 65536. */
  encode(low: number, frequency: number, total: number): void {
    const unit = Math.floor(this.range / total);
    this.low += unit * low;
    this.range = low + frequency === total ? this.range - unit * low : unit * frequency;
    while (this.range < TOP) {
      this.range *= 256;
      this.shift();
    }
  }

  /** The bytes: as few as still decode to the symbols written. */
  finish(): Uint8Array {
    // The value in low..low + range - 1 that ends in the most zero bits.
    for (let zeros = 32; zeros > 0; zeros--) {
      const step = 2 ** zeros;
      const value = Math.ceil(this.low / step) * step;
      if (value < this.low + this.range) {
        this.low = value;
        break;
      }
    }
    for (let i = 0; i < 5; i++) this.shift();
    let end = this.bytes.length;
    while (end > 0 && this.bytes[end - 1] === 0) end--;
    return Uint8Array.from(this.bytes.slice(0, end));
  }

  private shift(): void {
    if (this.low < 0xff000000 || this.low >= FULL) {
      const carry = this.low >= FULL ? 1 : 0;
      if (this.started) this.bytes.push((this.cache + carry) & 0xff);
      for (; this.pending > 0; this.pending--) this.bytes.push((0xff + carry) & 0xff);
      this.cache = Math.floor(this.low / TOP) & 0xff;
      this.started = true;
    } else this.pending++;
    this.low = (this.low % TOP) * 256;
  }
}

export class RangeDecoder {
  private readonly bytes: Uint8Array;
  private at = 0;
  private code = 0;
  private range = FULL - 1;
  private unit = 1;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    for (let i = 0; i < 4; i++) this.code = this.code * 256 + this.next();
    this.code = Math.min(this.code, this.range - 1); // no writer makes more; from here on code < range
  }

  /** Where in 0..total-1 the next symbol lies; `consume` must follow with the same total. */
  position(total: number): number {
    this.unit = Math.floor(this.range / total);
    return Math.min(total - 1, Math.floor(this.code / this.unit)); // what division leaves over belongs to the last
  }

  /** Takes the symbol that owns low..low+frequency. */
  consume(low: number, frequency: number, total: number): void {
    const offset = this.unit * low;
    this.code -= offset;
    this.range = low + frequency === total ? this.range - offset : this.unit * frequency;
    while (this.range < TOP) {
      this.range *= 256;
      this.code = this.code * 256 + this.next();
    }
  }

  private next(): number {
    return this.at < this.bytes.length ? this.bytes[this.at++] : 0;
  }
}
