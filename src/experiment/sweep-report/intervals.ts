import { RandomStream } from '../../common/random.ts';
import { betaQuantile, studentTQuantile } from '../metrics/distributions.ts';
import { type Estimate, mean, percentile } from '../metrics/stats.ts';

/**
 * Intervals for pictures that are not independent: the same photos are sent with the same seeds, and a seed draws the same channel for every
 * photo. Photos and seeds are two crossed samples, and both are drawn anew in thought.
 */
export interface Crossed {
  readonly values: Float64Array;
  /** Photo and seed of each value: 0 to photos - 1, 0 to seeds - 1. */
  readonly photo: Uint32Array;
  readonly seed: Uint32Array;
  readonly photos: number;
  readonly seeds: number;
  /** The channel does not fade: what can decide about many pictures at once is the photo, not the seed. */
  readonly flat?: boolean;
}

export interface CrossedEstimate extends Estimate {
  readonly photos: number;
  readonly seeds: number;
}

/** Numbers the photos and seeds of some values in order of their first appearance. */
export function crossed(values: ArrayLike<number>, photos: readonly string[], seeds: readonly string[]): Crossed {
  const number = (names: readonly string[]) => {
    const known = new Map<string, number>();
    const index = Uint32Array.from(names, (name) => {
      const at = known.get(name) ?? known.size;
      known.set(name, at);
      return at;
    });
    return { index, count: known.size };
  };
  const [p, s] = [number(photos), number(seeds)];
  return { values: Float64Array.from(values), photo: p.index, seed: s.index, photos: p.count, seeds: s.count };
}

/** Variance of a mean with its degrees of freedom; variance NaN where nothing can be said of it. */
export interface MeanVariance {
  readonly variance: number;
  readonly df: number;
}

/**
 * Variance of the mean of y_ps = m + photo_p + seed_s + rest_ps, photos and seeds random.
 *
 * Every photo with every seed once: (MS_photo + MS_seed - MS_rest) / n, the two-way analysis of variance, degrees of freedom by
 * [Satterthwaite46]. Otherwise V_photo + V_seed - V_single, each from sums over its clusters [Cameron11]. Never below the larger of the
 * one-way variances, which is what a negative estimate of a component would make of it. One photo, or one seed: Student's t over the other.
 */
export function meanVariance(c: Crossed): MeanVariance {
  const n = c.values.length;
  const { photos: P, seeds: S } = c;
  if (n < 2) return { variance: Number.NaN, df: 0 };
  const m = mean(c.values);
  const clusterVariance = (index: ArrayLike<number>, count: number) => {
    if (count < 2) return 0;
    const sums = new Float64Array(count);
    for (let i = 0; i < n; i++) sums[index[i]] += c.values[i] - m;
    return (sums.reduce((total, v) => total + v * v, 0) * count) / ((count - 1) * n * n);
  };
  const [byPhoto, bySeed] = [clusterVariance(c.photo, P), clusterVariance(c.seed, S)];
  if (P < 2 || S < 2) {
    if (P < 2 && S < 2) return { variance: Number.NaN, df: 0 };
    return { variance: byPhoto + bySeed, df: Math.max(P, S) - 1 };
  }
  const least = Math.min(P, S) - 1;
  if (!complete(c)) {
    const single = c.values.reduce((total, v) => total + (v - m) ** 2, 0) / (n * (n - 1));
    return { variance: Math.max(byPhoto, bySeed, byPhoto + bySeed - single), df: least };
  }
  const rest = restMeanSquare(c, m) / n;
  const variance = Math.max(byPhoto, bySeed, byPhoto + bySeed - rest);
  const spread = byPhoto ** 2 / (P - 1) + bySeed ** 2 / (S - 1) + rest ** 2 / ((P - 1) * (S - 1));
  return { variance, df: spread > 0 ? Math.max(least, variance ** 2 / spread) : least };
}

/** Whether every photo stands with every seed exactly once. */
function complete({ values, photo, seed, photos, seeds }: Crossed): boolean {
  if (values.length !== photos * seeds) return false;
  const seen = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) seen[photo[i] * seeds + seed[i]] = 1;
  return seen.every((v) => v === 1);
}

/** MS_rest = sum (y_ps - y_p. - y_.s + m)^2 / ((P - 1)(S - 1)) of a complete table. */
function restMeanSquare({ values, photo, seed, photos, seeds }: Crossed, m: number): number {
  const [byPhoto, bySeed] = [new Float64Array(photos), new Float64Array(seeds)];
  for (let i = 0; i < values.length; i++) {
    byPhoto[photo[i]] += values[i] / seeds;
    bySeed[seed[i]] += values[i] / photos;
  }
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] - byPhoto[photo[i]] - bySeed[seed[i]] + m) ** 2;
  return sum / ((photos - 1) * (seeds - 1));
}

/** Mean with its interval, cut to `range`; bounds are NaN for fewer than two values. */
export function crossedMean(
  c: Crossed,
  range: readonly [number, number] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
  confidence = 0.95,
): CrossedEstimate {
  const value = mean(c.values);
  // 0 <= X <= 1 and all of them 0: E X <= P(X > 0), of which a share of 0 says how large it may be.
  if (range[0] === 0 && range[1] === 1 && (value === 0 || value === 1)) return crossedShare(c, confidence);
  const { variance, df } = meanVariance(c);
  const half = Number.isNaN(variance) ? Number.NaN : studentTQuantile((1 + confidence) / 2, df) * Math.sqrt(variance);
  const [low, high] = [Math.max(range[0], value - half), Math.min(range[1], value + half)];
  return { value, low, high, n: c.values.length, photos: c.photos, seeds: c.seeds };
}

/**
 * Share of ones with its interval: [Clopper34] of as many independent trials as tell as much [Korn98], n V_independent / V, less where few
 * clusters back V. With one photo, or one seed, that is Clopper-Pearson itself. Where all values are alike V says nothing: then
 * `alikeTrials` says how many there were.
 */
export function crossedShare(c: Crossed, confidence = 0.95): CrossedEstimate {
  const n = c.values.length;
  const value = mean(c.values);
  const base = { value, n, photos: c.photos, seeds: c.seeds };
  if (n === 0) return { ...base, low: Number.NaN, high: Number.NaN };
  const trials = value === 0 || value === 1 ? alikeTrials(c) : independentTrials(c, value, confidence);
  const tail = (1 - confidence) / 2;
  const k = value * trials;
  const low = value === 0 ? 0 : betaQuantile(tail, k, trials - k + 1);
  const high = value === 1 ? 1 : betaQuantile(1 - tail, k + 1, trials - k);
  return { ...base, low, high };
}

/**
 * How many pictures tell something of their own where all came out alike: seeds, for one fade may have decided about all of its photos; in
 * a channel that does not fade photos. Of one photo its seeds, of one seed its photos.
 */
export function alikeTrials({ photos, seeds, flat }: Crossed): number {
  if (photos < 2 || seeds < 2) return Math.max(photos, seeds);
  return flat ? photos : seeds;
}

/** What shares are drawn by: in a channel that does not fade photos alone, or two seeds of it would say less than one. */
export function deciding(c: Crossed): Crossed {
  return c.flat && c.photos > 1 ? { ...c, seed: new Uint32Array(c.seed.length), seeds: 1 } : c;
}

function independentTrials(c: Crossed, p: number, confidence: number): number {
  const n = c.values.length;
  if (c.photos < 2 || c.seeds < 2) return n;
  const { variance, df } = meanVariance(deciding(c));
  const independent = (p * (1 - p)) / (n - 1);
  const quantile = (1 + confidence) / 2;
  const fewer = (studentTQuantile(quantile, n - 1) / studentTQuantile(quantile, df)) ** 2;
  // Never fewer than one trial, never more than there were.
  return Math.max(1, Math.min(n, ((n * independent) / variance) * fewer));
}

/** Fewer values than this have no interval of a percentile. */
export const LEAST_FOR_PERCENTILE = 20;
const RESAMPLES = 1000;

/**
 * Percentile with its pigeonhole-bootstrap interval [Owen07]: photos and seeds are resampled apart, a value counts as often as its photo times
 * its seed were drawn. Seeded, so that the same values in the same order give the same bounds. O(resamples n).
 */
export function crossedPercentile(c: Crossed, q: number, name: string, confidence = 0.95): CrossedEstimate {
  const n = c.values.length;
  const base = { value: percentile(c.values, q), n, photos: c.photos, seeds: c.seeds };
  if (n < LEAST_FOR_PERCENTILE) return { ...base, low: Number.NaN, high: Number.NaN };
  const random = new RandomStream('report').fork(name);
  const order = Uint32Array.from(c.values.keys()).sort((a, b) => c.values[a] - c.values[b] || a - b);
  const found: number[] = [];
  for (let r = 0; r < RESAMPLES; r++) {
    const value = weightedPercentile(c, order, q, drawn(random, c.photos), drawn(random, c.seeds));
    if (value !== null) found.push(value);
  }
  const tail = (100 * (1 - confidence)) / 2;
  return { ...base, low: percentile(found, tail), high: percentile(found, 100 - tail) };
}

/** How often each of `count` is drawn in as many draws with replacement; a single one is always there once. */
function drawn(random: RandomStream, count: number): Uint32Array {
  const times = new Uint32Array(count);
  for (let i = 0; i < count; i++) times[random.integer(count)]++;
  return times;
}

/** `percentile` of the values repeated photoTimes x seedTimes; null where nothing was drawn. */
function weightedPercentile(
  c: Crossed,
  order: Uint32Array,
  q: number,
  photoTimes: Uint32Array,
  seedTimes: Uint32Array,
): number | null {
  let total = 0;
  for (let i = 0; i < order.length; i++) total += photoTimes[c.photo[i]] * seedTimes[c.seed[i]];
  if (total === 0) return null;
  const rank = (q / 100) * (total - 1);
  const below = Math.floor(rank);
  let passed = 0;
  let lower: number | null = null;
  for (const i of order) {
    passed += photoTimes[c.photo[i]] * seedTimes[c.seed[i]];
    if (lower === null && passed > below) lower = c.values[i];
    if (passed > below + 1) return lower! + (rank - below) * (c.values[i] - lower!);
  }
  return lower;
}
