import type { RangeDecoder, RangeEncoder } from '../partition/range-coder.ts';

/** What a symbol's count grows by, and the total from which all counts are halved. */
const GAIN = 256;
const MOST = 1 << 15;

/** Counts of the symbols 0..size-1 that learn as they are used; both ends go the same way. */
class Counts {
  private readonly counts: Uint16Array;
  private total = 0;

  constructor(start: ArrayLike<number>) {
    this.counts = Uint16Array.from(start);
    for (const c of this.counts) this.total += c;
  }

  encode(symbol: number, coder: RangeEncoder): void {
    let low = 0;
    for (let s = 0; s < symbol; s++) low += this.counts[s];
    coder.encode(low, this.counts[symbol], this.total);
    this.learn(symbol);
  }

  decode(coder: RangeDecoder): number {
    const at = coder.position(this.total);
    let low = 0;
    let symbol = 0;
    while (low + this.counts[symbol] <= at) low += this.counts[symbol++];
    coder.consume(low, this.counts[symbol], this.total);
    this.learn(symbol);
    return symbol;
  }

  private learn(symbol: number): void {
    this.counts[symbol] += GAIN;
    this.total += GAIN;
    if (this.total <= MOST) return;
    this.total = 0;
    for (let s = 0; s < this.counts.length; s++) {
      this.counts[s] = (this.counts[s] + 1) >> 1; // never 0
      this.total += this.counts[s];
    }
  }
}

/** Whole numbers within -reach..reach, small ones more likely at first. */
export class AdaptiveNumbers {
  readonly reach: number;
  private readonly counts: Counts;

  /** @param spread at which the first counts have halved */
  constructor(reach: number, spread: number) {
    this.reach = reach;
    this.counts = new Counts(
      Array.from({ length: 2 * reach + 1 }, (_, i) => 1 + Math.floor((1024 * spread) / (spread + (i - reach) ** 2))),
    );
  }

  /** @param value within the reach: the caller sees to it */
  encode(value: number, coder: RangeEncoder): void {
    if (!(Math.abs(value) <= this.reach)) throw new RangeError(`${value} is beyond ${this.reach}`);
    this.counts.encode(value + this.reach, coder);
  }

  decode(coder: RangeDecoder): number {
    return this.counts.decode(coder) - this.reach;
  }
}

/** Whole numbers from 0 by their length in binary, learnt, and the bits behind the first one as they are. */
export class AdaptiveLengths {
  private readonly counts: Counts;
  private readonly bits: number;

  /** @param bits of the largest number */
  constructor(bits: number) {
    this.bits = bits;
    this.counts = new Counts(new Array(bits + 1).fill(64));
  }

  encode(value: number, coder: RangeEncoder): void {
    const length = value === 0 ? 0 : 1 + Math.floor(Math.log2(value));
    if (!Number.isInteger(value) || value < 0 || length > this.bits)
      throw new RangeError(`${value} has over ${this.bits} bits`);
    this.counts.encode(length, coder);
    for (let i = length - 2; i >= 0; i--) coder.encode((value >> i) & 1, 1, 2);
  }

  decode(coder: RangeDecoder): number {
    const length = this.counts.decode(coder);
    let value = length === 0 ? 0 : 1;
    for (let i = 1; i < length; i++) {
      const bit = coder.position(2);
      coder.consume(bit, 1, 2);
      value = 2 * value + bit;
    }
    return value;
  }
}
