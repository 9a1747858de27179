import { UsageError } from '../../common/errors.ts';
import { spreadKernel } from '../kernels/spread/spread.ts';
import { SPREAD_LANES, type SpreadKernel } from '../kernels/spread/spread-kernel.ts';
import { PlainSpreadKernel } from '../kernels/spread/spread-plain.ts';
import { RB_DATA_RE } from '../numerology.ts';
import { goldSequence, SEQUENCE } from '../sequence.ts';

/** Longest group that is spread: one resource block. */
export const MAX_SPREAD = RB_DATA_RE;

/** Cosine of k quarter turns at k, sine at k + 3. */
const QUARTER = Float64Array.of(1, 0, -1, 0, 1, 0, -1);

/**
 * Unitary DFT spreading of a group of n symbols over the n RE that carry them, any n from 1 to 154:
 *
 *   X_k = 1/sqrt n  sum over i of j^r_i x_i exp(-2 pi i k / n),      x_i = j^-r_i 1/sqrt n  sum over k of X_k exp(+2 pi i k / n).
 *
 * Every symbol lies with 1/n of its power on every RE, so all of a group see one SNR and one large symbol makes no large RE.
 * The quarter turns r_i (from the Gold sequence of SEQUENCE.spreading, the same for every group) keep symbols with a common mean from
 * adding up on one RE. There is no Hadamard matrix of 11 or 154 rows, and a real Hartley transform gives its outputs unequal
 * shares. Up to four groups of a length are transformed at a time (kernels/spread-kernel.ts).
 */
export class DftSpreader {
  readonly length: number;
  private readonly kernel: SpreadKernel;
  private readonly turns: Uint8Array; // [length] 0..3
  private readonly inOrder: Uint32Array; // [length] 0, 1, 2 and so on

  constructor(length: number) {
    if (!Number.isInteger(length) || length < 1) {
      throw new UsageError(`a spreading group of ${length} symbols is out of range: allowed whole numbers from 1`);
    }
    this.length = length;
    // Longer groups are no part of the air interface; studies ask for them.
    this.kernel = length > MAX_SPREAD ? new PlainSpreadKernel(length) : spreadKernel();
    this.turns = spreadingTurns(length);
    this.inOrder = Uint32Array.from({ length }, (_, i) => i);
  }

  /** What is transformed, [length][re of 4 groups, im of 4 groups]: shared by all spreaders of a thread, so only until the next one is used. */
  get lanes(): Float32Array {
    return this.kernel.lanes;
  }

  /** groups: up to 4 of [length][re, im], changed in place. */
  spread(...groups: readonly Float32Array[]): void {
    this.requireGroups(groups);
    for (const [lane, group] of groups.entries()) this.putSymbols(lane, group, this.inOrder, 0);
    this.transform();
    for (const [lane, group] of groups.entries()) this.takeRe(lane, group, this.inOrder, 0);
  }

  /** Undoes spread, in place. */
  despread(...groups: readonly Float32Array[]): void {
    this.requireGroups(groups);
    for (const [lane, group] of groups.entries()) this.putRe(lane, group, this.inOrder, 0);
    this.transform();
    for (const [lane, group] of groups.entries()) this.takeSymbols(lane, group, this.inOrder, 0);
  }

  /** The first step of spreading: group `lane` becomes the symbols reIm[at[first]], reIm[at[first + 1]] and so on. */
  putSymbols(lane: number, reIm: Float32Array, at: Uint32Array, first: number): void {
    const { length, turns, lanes } = this;
    for (let i = 0, to = lane; i < length; i++, to += 2 * SPREAD_LANES) {
      const from = 2 * at[first + i];
      const re = reIm[from];
      const im = reIm[from + 1];
      const cos = QUARTER[turns[i]];
      const sin = QUARTER[turns[i] + 3];
      lanes[to] = re * cos - im * sin;
      lanes[to + SPREAD_LANES] = re * sin + im * cos;
    }
  }

  /** The second step of both ways, for all groups that were put. */
  transform(): void {
    this.kernel.transform(this.length);
  }

  /** The last step of spreading: what lies on RE i of the group goes to reIm[at[first + i]]. */
  takeRe(lane: number, reIm: Float32Array, at: Uint32Array, first: number): void {
    const { length, lanes } = this;
    for (let i = 0, from = lane; i < length; i++, from += 2 * SPREAD_LANES) {
      const to = 2 * at[first + i];
      reIm[to] = lanes[from];
      reIm[to + 1] = lanes[from + SPREAD_LANES];
    }
  }

  /** The first step of despreading. The inverse transform is the transform of exchanged parts, exchanged. */
  putRe(lane: number, reIm: Float32Array, at: Uint32Array, first: number): void {
    const { length, lanes } = this;
    for (let i = 0, to = lane; i < length; i++, to += 2 * SPREAD_LANES) {
      const from = 2 * at[first + i];
      lanes[to] = reIm[from + 1];
      lanes[to + SPREAD_LANES] = reIm[from];
    }
  }

  /** The last step of despreading. */
  takeSymbols(lane: number, reIm: Float32Array, at: Uint32Array, first: number): void {
    const { length, turns, lanes } = this;
    for (let i = 0, from = lane; i < length; i++, from += 2 * SPREAD_LANES) {
      const re = lanes[from + SPREAD_LANES];
      const im = lanes[from];
      const cos = QUARTER[turns[i]];
      const sin = QUARTER[turns[i] + 3];
      const to = 2 * at[first + i];
      reIm[to] = re * cos + im * sin;
      reIm[to + 1] = im * cos - re * sin;
    }
  }

  private requireGroups(groups: readonly Float32Array[]): void {
    if (groups.length > SPREAD_LANES) throw new UsageError(`${groups.length} groups: allowed ${SPREAD_LANES} at most`);
    for (const group of groups) {
      if (group.length !== 2 * this.length)
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
  return (spreaders[length] ??= new DftSpreader(length));
}
const spreaders: (DftSpreader | undefined)[] = [];

function spreadingTurns(length: number): Uint8Array {
  const bits = goldSequence(SEQUENCE.spreading, 2 * length);
  return Uint8Array.from({ length }, (_, i) => 2 * bits[2 * i] + bits[2 * i + 1]);
}
