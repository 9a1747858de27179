import { invertFactor, invertSymmetric } from './cholesky.ts';
import { besselJ0 } from './time-basis.ts';

/** Least ratio of an estimate's error to the channel that is believed: no two bursts are aligned better than this. */
const LEAST_ERROR = 1e-3;
/** Bursts further apart than this many turns of the Doppler tell nothing of one another's phases. J0 is 0.47 there. */
const MOST_GAP_TURNS = 0.25;
/** Span of bursts that is worth looking back on, in turns of the Doppler; J0 is -0.3 there and never below -0.41. */
const MOST_SPAN_TURNS = 0.5;

/** Most bursts that a prediction goes by. */
export const MOST_SNAPSHOTS = 8;

/** Linear MMSE prediction of a fading channel of mean power 1. */
export interface FadingPredictor {
  /** What each estimate counts, [snapshots]. */
  readonly weights: Float64Array;
  /** Mean square error of the prediction, 0 to 1. */
  readonly residual: number;
  /** Inverse covariance of the estimates, [snapshots][snapshots]. */
  readonly precision: Float64Array;
  /** Of the covariance, natural. */
  readonly logDeterminant: number;
}

/**
 * Predicts h(at) from estimates h(t_k) + e_k of a channel with the autocorrelation of Jakes' spectrum [Clarke68]
 *   R_kl = J0(2 pi fd (t_k - t_l)) + n_k [k = l],   r_k = J0(2 pi fd (at - t_k)),
 *   w = R^-1 r,   residual = 1 - r' R^-1 r.
 * O(K^3) for K estimates.
 *
 * @param timesS when each estimate was taken, s
 * @param errors its error variance over the channel's mean power; not believed below 1e-3
 */
export function fadingPredictor(
  timesS: readonly number[],
  errors: readonly number[],
  dopplerHz: number,
  atS: number,
): FadingPredictor {
  const count = timesS.length;
  const rho = (tauS: number) => besselJ0(2 * Math.PI * dopplerHz * tauS);
  const precision = new Float64Array(count * count);
  for (let k = 0; k < count; k++) {
    for (let l = 0; l < count; l++) precision[k * count + l] = rho(timesS[k] - timesS[l]);
    precision[k * count + k] += Math.max(errors[k], LEAST_ERROR);
  }
  const factor = invertFactor(precision.slice(), count);
  let logDeterminant = 0;
  for (let k = 0; k < count; k++) logDeterminant -= 2 * Math.log(factor[k * count + k]);
  invertSymmetric(precision, count);
  const wanted = timesS.map((t) => rho(atS - t));
  const weights = new Float64Array(count);
  let explained = 0;
  for (let k = 0; k < count; k++) {
    for (let l = 0; l < count; l++) weights[k] += precision[k * count + l] * wanted[l];
    explained += weights[k] * wanted[k];
  }
  return { weights, residual: Math.min(1, Math.max(0, 1 - explained)), precision, logDeterminant };
}

/**
 * How many of the latest bursts a prediction can go by: back to the first gap over a quarter of a Doppler period, or to half a
 * period in all, at most 8. Both ends reckon so, that the sender knows what the receiver could make of its soundings.
 *
 * @param timesS ascending, the latest last
 * @returns 1 where there is nothing to predict from (0 without bursts)
 */
export function usableSnapshots(timesS: readonly number[], dopplerHz: number): number {
  const last = timesS.length - 1;
  if (last < 1 || !(dopplerHz > 0)) return Math.min(1, timesS.length);
  let first = last;
  while (first > 0 && last - first + 1 < MOST_SNAPSHOTS) {
    const gap = (timesS[first] - timesS[first - 1]) * dopplerHz;
    const span = (timesS[last] - timesS[first - 1]) * dopplerHz;
    if (!(gap <= MOST_GAP_TURNS && gap > 0 && span <= MOST_SPAN_TURNS)) break;
    first--;
  }
  return last - first + 1;
}
