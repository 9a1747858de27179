import { betaQuantile, studentTQuantile } from '../metrics/distributions.ts';
import { alikeTrials, type Crossed, type CrossedEstimate, deciding, meanVariance } from './intervals.ts';

/** A ratio of two sums over pictures, with both of them. */
export interface CrossedRatio extends CrossedEstimate {
  readonly errors: number;
  readonly trials: number;
}

/**
 * Errors over trials, sum E / sum B, of pictures that have B trials each (code blocks) and E errors among them. A mean of E / B would be of
 * another thing: a picture of two blocks would count as much as one of forty.
 *
 * Blocks of a picture share its burst, pictures of a seed its channel, so the interval is that of the ratio estimator [Cochran77] by
 * linearisation: Var(R) is the variance of the mean of d = (E - R B) n / sum B, by photos and seeds as two crossed samples
 * (`meanVariance`), and the bounds are [Clopper34] at R (1 - R) / Var(R) trials [Korn98], fewer where few clusters back the variance, never
 * more than there were. Where no block (or every one) failed, the variance says nothing: `alikeTrials`.
 *
 * @param errors of each picture, 0 to `trials`; a picture without trials is left out by the caller
 */
export function crossedRatio(errors: Crossed, trials: ArrayLike<number>, confidence = 0.95): CrossedRatio {
  const n = errors.values.length;
  let [e, b] = [0, 0];
  for (let i = 0; i < n; i++) {
    e += errors.values[i];
    b += trials[i];
  }
  const value = e / b;
  const base = { value, n, photos: errors.photos, seeds: errors.seeds, errors: e, trials: b };
  if (!(b > 0)) return { ...base, low: Number.NaN, high: Number.NaN };
  const equivalent = Math.max(1, Math.min(b, equivalentTrials(errors, trials, value, b, confidence)));
  const tail = (1 - confidence) / 2;
  const k = value * equivalent;
  const low = e === 0 ? 0 : betaQuantile(tail, k, equivalent - k + 1);
  const high = e === b ? 1 : betaQuantile(1 - tail, k + 1, equivalent - k);
  return { ...base, low, high };
}

/** Independent trials that tell as much as these pictures. */
function equivalentTrials(
  errors: Crossed,
  trials: ArrayLike<number>,
  ratio: number,
  all: number,
  confidence: number,
): number {
  if (ratio === 0 || ratio === 1) return alikeTrials(errors);
  const n = errors.values.length;
  const residuals = Float64Array.from(errors.values, (e, i) => ((e - ratio * trials[i]) * n) / all);
  const { variance, df } = meanVariance({ ...deciding(errors), values: residuals });
  // One picture says nothing of others.
  if (Number.isNaN(variance)) return 1;
  const quantile = (1 + confidence) / 2;
  const fewer = (studentTQuantile(quantile, Math.max(1, all - 1)) / studentTQuantile(quantile, df)) ** 2;
  return ((ratio * (1 - ratio)) / variance) * fewer;
}
