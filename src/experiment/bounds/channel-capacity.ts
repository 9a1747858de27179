import { inRange, UsageError } from '../../common/errors.ts';
import { scaledE1 } from './exponential-integral.ts';
import { requireLength } from './limits.ts';

/** SNR that the bounds take, dB: beyond it the closed forms lose digits. */
export const MIN_SNR_DB = -30;
export const MAX_SNR_DB = 60;
/** Most parallel channels: subbands of many slots. */
export const MAX_PARALLEL = 4096;

/** 10^(dB/10); UsageError outside -30 to 60 dB. */
export function snrOf(name: string, snrDb: number): number {
  return 10 ** (inRange(name, snrDb, MIN_SNR_DB, MAX_SNR_DB, 'dB') / 10);
}

/** log2(1 + snr), bits per complex symbol [Shannon48]. */
export function awgnCapacity(snr: number): number {
  return Math.log1p(snr) / Math.LN2;
}

/**
 * Ergodic capacity of flat Rayleigh fading that only the receiver knows, E log2(1 + snr g), g exponential with mean 1:
 * exp(1/snr) E1(1/snr) / ln 2, bits per complex symbol [Goldsmith97].
 */
export function rayleighCapacity(snr: number): number {
  return scaledE1(1 / snr) / Math.LN2;
}

/** P{log2(1 + snr g) < rate}: outage of a Rayleigh channel that stays the same over the whole code word. */
export function rayleighOutage(snr: number, rateBits: number): number {
  return -Math.expm1(-Math.expm1(rateBits * Math.LN2) / snr);
}

/** Largest rate with outage probability eps in (0, 1): log2(1 - snr ln(1 - eps)). */
export function rayleighOutageCapacity(snr: number, eps: number): number {
  return Math.log1p(-snr * Math.log1p(-eps)) / Math.LN2;
}

/**
 * Ergodic capacity of 2x2 MIMO with independent Rayleigh fading known to the receiver, snr = total transmitted power over N0 at one receive
 * antenna, equal power [Telatar99] theorem 2: integral of log2(1 + snr l/2) (2 - 2 l + l^2) exp(-l) dl. With
 * a = snr/2 and F = exp(1/a) E1(1/a), in closed form (2 F + 1 - 1/a + F/a^2) / ln 2.
 */
export function mimo2x2Capacity(snr: number): number {
  const a = snr / 2;
  const f = scaledE1(1 / a);
  return (2 * f + 1 - 1 / a + f / (a * a)) / Math.LN2;
}

export interface Parallel {
  /** Bits per complex symbol, mean over the channels. */
  readonly waterFilling: number;
  readonly equalPower: number;
  /** Power of each, mean 1. */
  readonly powers: Float64Array;
}

/**
 * Parallel Gaussian channels (resource blocks) of mean power 1 known at both ends: p_i = max(0, mu - 1/snr_i) [Gallager68] §7.5, exactly, by
 * trying how many of the best channels are wet. O(n log n).
 *
 * @param snr linear at unit power; 0 for a channel that is not there
 */
export function parallelCapacity(snr: ArrayLike<number>): Parallel {
  requireLength('channels', snr, 1, MAX_PARALLEL);
  for (let i = 0; i < snr.length; i++) inRange(`SNR of channel ${i}`, snr[i], 0, 1e12);
  const n = snr.length;
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => snr[j] - snr[i]);
  let inverse = 0;
  let level = 0;
  for (let wet = 1; wet <= n && snr[order[wet - 1]] > 0; wet++) {
    const floor = 1 / snr[order[wet - 1]];
    const next = (n + inverse + floor) / wet;
    if (next <= floor) break;
    inverse += floor;
    level = next;
  }
  const powers = Float64Array.from({ length: n }, (_, i) => (snr[i] > 0 ? Math.max(0, level - 1 / snr[i]) : 0));
  const mean = (power: (i: number) => number) => order.reduce((sum, i) => sum + awgnCapacity(power(i) * snr[i]), 0) / n;
  return { waterFilling: mean((i) => powers[i]), equalPower: mean(() => 1), powers };
}

export interface FixedMimo {
  /** Eigenvalues of H H', descending. */
  readonly gains: readonly [number, number];
  /** Bits per channel use (two antennas together): the transmitter knows H, or sends equal power. */
  readonly waterFilling: number;
  readonly equalPower: number;
}

/**
 * 2x2 MIMO with a known channel: eigenvalues of H H' as two parallel channels with total power snr [Telatar99] §3.1.
 *
 * @param h row by row, [h11, h12, h21, h22][re, im]
 */
export function fixedMimoCapacity(h: readonly number[], snr: number): FixedMimo {
  if (h.length !== 8) throw new UsageError(`H has ${h.length} numbers: 8 are needed, h11, h12, h21, h22 as re,im`);
  h.forEach((v, i) => {
    inRange(`H[${i}]`, v, -1e6, 1e6);
  });
  const [a, b, c, d, e, f, g, k] = h;
  const norm = h.reduce((sum, v) => sum + v * v, 0);
  // det H = h11 h22 - h12 h21
  const re = a * g - b * k - (c * e - d * f);
  const im = a * k + b * g - (c * f + d * e);
  const det = re * re + im * im;
  const root = Math.sqrt(Math.max(0, norm * norm - 4 * det));
  const high = (norm + root) / 2;
  const low = high > 0 ? det / high : 0;
  // Mean power 1 over two channels is total power snr when each channel has snr/2.
  const parallel = parallelCapacity([(high * snr) / 2, (low * snr) / 2]);
  return { gains: [high, low], waterFilling: 2 * parallel.waterFilling, equalPower: 2 * parallel.equalPower };
}
