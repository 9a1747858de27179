import { betaQuantile, normalQuantile, studentTQuantile } from './distributions.ts';

/** An estimate with its confidence interval; `n` is the number of observations behind it. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly n: number;
}

type Numbers = ArrayLike<number>;

/** Arithmetic mean; NaN of nothing. */
export function mean(x: Numbers): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i];
  return sum / x.length;
}

/** Sample standard deviation sqrt(sum (x - mean)^2 / (n - 1)); NaN for fewer than two values. */
export function sampleSd(x: Numbers): number {
  if (x.length < 2) return Number.NaN;
  const m = mean(x);
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (x[i] - m) ** 2;
  return Math.sqrt(sum / (x.length - 1));
}

/** Standard error of the mean, sampleSd / sqrt(n). */
export function standardError(x: Numbers): number {
  return sampleSd(x) / Math.sqrt(x.length);
}

/** Mean with its Student-t interval: mean +- t((1 + confidence)/2, n - 1) sd / sqrt(n). Bounds are NaN for n < 2. */
export function meanInterval(x: Numbers, confidence = 0.95): Estimate {
  checkConfidence(confidence);
  const value = mean(x);
  if (x.length < 2) return { value, low: Number.NaN, high: Number.NaN, n: x.length };
  const half = studentTQuantile((1 + confidence) / 2, x.length - 1) * standardError(x);
  return { value, low: value - half, high: value + half, n: x.length };
}

/** Student-t interval of mean(a - b) over pairs (same seed or same picture); the arrays have one length. */
export function pairedDifference(a: Numbers, b: Numbers, confidence = 0.95): Estimate {
  if (a.length !== b.length) throw new RangeError(`paired samples differ in length: ${a.length} and ${b.length}`);
  const d = new Float64Array(a.length);
  for (let i = 0; i < d.length; i++) d[i] = a[i] - b[i];
  return meanInterval(d, confidence);
}

/**
 * Exact (conservative) interval of a proportion [Clopper34]: the beta quantiles
 * B(alpha/2; k, n-k+1) and B(1-alpha/2; k+1, n-k). Use it for error rates that are held against a requirement.
 */
export function clopperPearson(successes: number, trials: number, confidence = 0.95): Estimate {
  checkCounts(successes, trials);
  checkConfidence(confidence);
  const tail = (1 - confidence) / 2;
  const k = successes;
  const n = trials;
  const low = k === 0 ? 0 : betaQuantile(tail, k, n - k + 1);
  const high = k === n ? 1 : betaQuantile(1 - tail, k + 1, n - k);
  return { value: k / n, low, high, n };
}

/** Score interval of a proportion [Wilson27], without continuity correction: shorter, right on average; for plots. */
export function wilson(successes: number, trials: number, confidence = 0.95): Estimate {
  checkCounts(successes, trials);
  checkConfidence(confidence);
  const z = normalQuantile((1 + confidence) / 2);
  const n = trials;
  const p = successes / n;
  const scale = 1 / (1 + (z * z) / n);
  const centre = scale * (p + (z * z) / (2 * n));
  const half = scale * z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  const low = successes === 0 ? 0 : Math.max(0, centre - half);
  const high = successes === n ? 1 : Math.min(1, centre + half);
  return { value: p, low, high, n };
}

/**
 * Percentile by linear interpolation between closest ranks (rank = q/100 x (n - 1), NumPy's default); NaN of nothing.
 * q: 0 to 100. O(n log n); the input is not changed.
 */
export function percentile(x: Numbers, q: number): number {
  if (!(q >= 0 && q <= 100)) throw new RangeError(`percentile ${q} is outside 0 to 100`);
  if (x.length === 0) return Number.NaN;
  const sorted = Float64Array.from(x).sort();
  const rank = (q / 100) * (sorted.length - 1);
  const below = Math.floor(rank);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (rank - below) * (sorted[above] - sorted[below]);
}

/** Percentile 50. */
export function median(x: Numbers): number {
  return percentile(x, 50);
}

function checkCounts(successes: number, trials: number): void {
  if (!Number.isInteger(trials) || trials < 1) throw new RangeError(`trials ${trials} must be a positive integer`);
  if (!Number.isInteger(successes) || successes < 0 || successes > trials) {
    throw new RangeError(`successes ${successes} is outside 0 to ${trials}`);
  }
}

function checkConfidence(confidence: number): void {
  if (!(confidence > 0 && confidence < 1)) throw new RangeError(`confidence ${confidence} is outside 0 to 1`);
}
