import { UsageError } from '../../common/errors.ts';
import { spreadKernel } from '../kernels/spread.ts';
import { SPREAD_LANES, type SpreadKernel } from '../kernels/spread-kernel.ts';
import { PlainSpreadKernel } from '../kernels/spread-plain.ts';
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

  constructor(length: number) {
    if (!Number.isInteger(length) || length < 1) {
      throw new UsageError(`a spreading group of ${length} symbols is out of range: allowed whole numbers from 1`);
    }
    this.length = length;
    // Longer groups are no part of the air interface; studies ask for them.
    this.kernel = length > MAX_SPREAD ? new PlainSpreadKernel(length) : spreadKernel();
    this.turns = spreadingTurns(length);
  }

  /** groups: up to 4 of [length][re, im], changed in place. */
  spread(...groups: readonly Float32Array[]): void {
    const { length, turns, kernel } = this;
    this.requireGroups(groups);
    const { lanes } = kernel;
    for (let g = 0; g < groups.length; g++) {
      const group = groups[g];
      for (let i = 0, at = g; i < length; i++, at += 8) {
        const re = group[2 * i];
        const im = group[2 * i + 1];
        const cos = QUARTER[turns[i]];
        const sin = QUARTER[turns[i] + 3];
        lanes[at] = re * cos - im * sin;
        lanes[at + 4] = re * sin + im * cos;
      }
    }
    kernel.transform(length);
    for (let g = 0; g < groups.length; g++) {
      const group = groups[g];
      for (let i = 0, at = g; i < length; i++, at += 8) {
        group[2 * i] = lanes[at];
        group[2 * i + 1] = lanes[at + 4];
      }
    }
  }

  /** Undoes spread, in place. */
  despread(...groups: readonly Float32Array[]): void {
    const { length, turns, kernel } = this;
    this.requireGroups(groups);
    const { lanes } = kernel;
    // The inverse transform is the transform of exchanged parts, exchanged.
    for (let g = 0; g < groups.length; g++) {
      const group = groups[g];
      for (let i = 0, at = g; i < length; i++, at += 8) {
        lanes[at] = group[2 * i + 1];
        lanes[at + 4] = group[2 * i];
      }
    }
    kernel.transform(length);
    for (let g = 0; g < groups.length; g++) {
      const group = groups[g];
      for (let i = 0, at = g; i < length; i++, at += 8) {
        const re = lanes[at + 4];
        const im = lanes[at];
        const cos = QUARTER[turns[i]];
        const sin = QUARTER[turns[i] + 3];
        group[2 * i] = re * cos + im * sin;
        group[2 * i + 1] = im * cos - re * sin;
      }
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
