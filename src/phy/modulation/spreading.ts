import { UsageError } from '../../common/errors.ts';
import { RB_DATA_RE } from '../numerology.ts';
import { goldSequence, SEQUENCE } from '../sequence.ts';

/** Longest group that is spread: one resource block. */
export const MAX_SPREAD = RB_DATA_RE;

/**
 * Unitary DFT spreading of a group of n symbols over the n RE that carry them, any n from 1 to 154:
 *
 *   X_k = 1/sqrt n  sum over i of j^r_i x_i exp(-2 pi i k / n),      x_i = j^-r_i 1/sqrt n  sum over k of X_k exp(+2 pi i k / n).
 *
 * Every symbol lies with 1/n of its power on every RE, so all of a group see one SNR and one large symbol makes no large RE.
 * The quarter turns r_i (from the Gold sequence of SEQUENCE.spreading, the same for every group) keep symbols with a common mean from
 * adding up on one RE. There is no Hadamard matrix of 11 or 154 rows, and a real Hartley transform gives its outputs unequal
 * shares. With n = a b, a the largest divisor up to sqrt n, the sum is done in two steps, O(n (a + b)): 3850 complex products for
 * 154 symbols.
 */
export class DftSpreader {
  readonly length: number;
  private readonly cos: Float64Array; // [length] cos(2 pi m / n)
  private readonly sin: Float64Array; // [length]
  private readonly a: number;
  private readonly middle: Float64Array; // [a][b][re, im]
  private readonly turns: Uint8Array; // [length] 0..3
  private readonly scratch: Float64Array; // [length][re, im]

  constructor(length: number) {
    if (!Number.isInteger(length) || length < 1) {
      throw new UsageError(`a spreading group of ${length} symbols is out of range: allowed whole numbers from 1`);
    }
    this.length = length;
    this.cos = new Float64Array(length);
    this.sin = new Float64Array(length);
    for (let m = 0; m < length; m++) {
      this.cos[m] = Math.cos((2 * Math.PI * m) / length);
      this.sin[m] = Math.sin((2 * Math.PI * m) / length);
    }
    this.turns = spreadingTurns(length);
    this.scratch = new Float64Array(2 * length);
    this.middle = new Float64Array(2 * length);
    let a = Math.floor(Math.sqrt(length));
    while (length % a !== 0) a--;
    this.a = a;
  }

  /** group [length][re, im], changed in place. */
  spread(group: Float32Array): void {
    const { length, scratch, turns } = this;
    this.requireLength(group);
    for (let i = 0; i < length; i++) {
      const re = group[2 * i];
      const im = group[2 * i + 1];
      const r = turns[i];
      scratch[2 * i] = r === 0 ? re : r === 1 ? -im : r === 2 ? -re : im;
      scratch[2 * i + 1] = r === 0 ? im : r === 1 ? re : r === 2 ? -im : -re;
    }
    this.transform(group, -1);
  }

  /** Undoes spread, in place. */
  despread(group: Float32Array): void {
    const { length, scratch, turns } = this;
    this.requireLength(group);
    scratch.set(group);
    this.transform(group, 1);
    for (let i = 0; i < length; i++) {
      const re = group[2 * i];
      const im = group[2 * i + 1];
      const r = turns[i];
      group[2 * i] = r === 0 ? re : r === 1 ? im : r === 2 ? -re : -im;
      group[2 * i + 1] = r === 0 ? im : r === 1 ? -re : r === 2 ? -im : re;
    }
  }

  /**
   * out_k = sum over i of scratch_i W^(ik) / sqrt n, W = exp(sign 2 pi j / n). With i = b i1 + i2 and k = k1 + a k2,
   * W^(ik) = W^(b i1 k1) W^(i2 k1) W^(a i2 k2): first over i1, then over i2.
   */
  private transform(out: Float32Array, sign: 1 | -1): void {
    const { length: n, a, scratch, middle } = this;
    const b = n / a;
    const scale = 1 / Math.sqrt(n);
    for (let k1 = 0; k1 < a; k1++) {
      for (let i2 = 0; i2 < b; i2++) this.sum(scratch, i2, b, a, i2 * k1, b * k1, sign, middle, k1 * b + i2);
    }
    for (let k1 = 0; k1 < a; k1++) {
      for (let k2 = 0; k2 < b; k2++) this.sum(middle, k1 * b, 1, b, 0, (a * k2) % n, sign, scratch, k1 + a * k2);
    }
    for (let k = 0; k < 2 * n; k++) out[k] = scale * scratch[k];
  }

  /** to[at] = sum over i < count of x[from + i by] W^(first + i step), complex. */
  private sum(
    x: Float64Array,
    from: number,
    by: number,
    count: number,
    first: number,
    step: number,
    sign: 1 | -1,
    to: Float64Array,
    at: number,
  ): void {
    const { length: n, cos, sin } = this;
    let re = 0;
    let im = 0;
    for (let i = 0, m = first, p = 2 * from; i < count; i++, p += 2 * by) {
      const s = sign * sin[m];
      re += x[p] * cos[m] - x[p + 1] * s;
      im += x[p] * s + x[p + 1] * cos[m];
      m += step;
      if (m >= n) m -= n;
    }
    to[2 * at] = re;
    to[2 * at + 1] = im;
  }

  private requireLength(group: Float32Array): void {
    if (group.length !== 2 * this.length) {
      throw new UsageError(`a group of ${group.length / 2} symbols does not fit a spreader of ${this.length}`);
    }
  }

  describe(): string {
    return `DFT spreading over ${this.length} RE`;
  }
}

/**
 * SNR that every symbol of a spread group has after despreading the MMSE equaliser's output.
 *
 * RE k comes out as b_k X_k + e with b_k = snr_k / (1 + snr_k); despreading gives each symbol the gain g = mean b_k and an error
 * (noise and what the other symbols leave behind) of variance g - g^2, so the SNR is g / (1 - g): at most the geometric mean
 * behind the RB SNR, and 0 only where all are [Falconer02].
 *
 * @param snr linear SNR of each RE, >= 0; Infinity where nothing was noisy
 */
export function despreadSnr(snr: ArrayLike<number>): number {
  let rest = 0;
  for (let i = 0; i < snr.length; i++) rest += 1 / (1 + snr[i]);
  rest /= Math.max(1, snr.length);
  return (1 - rest) / rest;
}

/** The spreader of a group length, 1..154, made once a thread. */
export function dftSpreader(length: number): DftSpreader {
  if (!Number.isInteger(length) || length < 1 || length > MAX_SPREAD) {
    throw new UsageError(`a spreading group of ${length} symbols is out of range: allowed 1 to ${MAX_SPREAD}`);
  }
  let spreader = spreaders[length];
  if (!spreader) {
    spreader = new DftSpreader(length);
    spreaders[length] = spreader;
  }
  return spreader;
}
const spreaders: (DftSpreader | undefined)[] = [];

function spreadingTurns(length: number): Uint8Array {
  const bits = goldSequence(SEQUENCE.spreading, 2 * length);
  return Uint8Array.from({ length }, (_, i) => 2 * bits[2 * i] + bits[2 * i + 1]);
}
