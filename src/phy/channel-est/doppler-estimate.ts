import type { Numerology } from '../numerology.ts';
import { fadingPredictor, usableSnapshots } from './fading-prediction.ts';
import { alignSnapshots, type DriftSearch } from './snapshot-alignment.ts';

/** Doppler spreads that are told apart, Hz; 0 is a channel that stands still. */
const HYPOTHESES_HZ = [0, 1, 2, 4, 8, 16, 32, 64];

/**
 * The likeliest Doppler spread behind channel estimates of several bursts, of a few: each with its own covariance R(fd) of Jakes
 * fading and estimation errors, and the phases and clock error that suit it best,
 *   L(fd) = -ln |R| - mean over carriers of x' R^-1 x / P.
 * The errors stand in R, so that noise is not taken for fading.
 *
 * @param channels [nCarriers][re, im] each, as for alignSnapshots
 * @param errors error variance of each over the channel's mean power `power`
 * @returns Hz; 0 where standing still explains them best, or the bursts are too few or too far apart
 */
export function estimateDoppler(
  n: Numerology,
  channels: readonly Float64Array[],
  timesS: readonly number[],
  errors: readonly number[],
  power: number,
  drift: DriftSearch,
): number {
  let best = { fd: 0, value: Number.NEGATIVE_INFINITY };
  for (const fd of HYPOTHESES_HZ) {
    // All hypotheses are judged by the same bursts.
    if (fd > 0 && usableSnapshots(timesS, fd) < timesS.length) break;
    const { precision, logDeterminant } = fadingPredictor(timesS, errors, fd, 0);
    const { energy } = alignSnapshots(n, { channels, timesS, precision }, 'free', drift);
    const value = -logDeterminant - energy / (n.nCarriers * power);
    if (value > best.value) best = { fd, value };
  }
  return best.fd;
}
