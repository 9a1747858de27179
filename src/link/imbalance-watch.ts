import type { DcIqEstimate } from '../phy/frontend/dc-iq.ts';

/** No receiver is worse; what seems so is a stretch of samples at full scale, or a signal of one dimension. */
const MAX_GAIN_DB = 7;
const MAX_PHASE_DEG = 50;
/** Stretches of a window over which the mean is taken, and the share of the power by which it may wander from one to the next. */
const STRETCHES = 32;
const MAX_WANDER = 0.02;
/** An estimate contradicts the correction in force beyond so many standard errors of both. */
const CONTRADICTS = 6;

/**
 * Which estimates of IQ imbalance are worth correcting by. One that was made on bad input must neither be taken over nor,
 * where it was taken over, stay for good: without imbalance the next estimates are not significant by themselves.
 */
export class ImbalanceWatch {
  private inForce: DcIqEstimate | null = null;

  /**
   * Whether the estimate from these samples, [n][re, im], is to replace the correction in force: because it is
   * significant, or because it contradicts that.
   */
  takes(estimate: DcIqEstimate, samples: Float32Array): boolean {
    const plausible = Math.abs(estimate.gainDb) <= MAX_GAIN_DB && Math.abs(estimate.phaseDeg) <= MAX_PHASE_DEG;
    if (!plausible || !(estimate.iqSignificant || this.contradicted(estimate))) return false;
    // I and Q that step together are correlated, whatever the mixer does.
    if (wander(samples) > MAX_WANDER) return false;
    this.inForce = estimate;
    return true;
  }

  private contradicted(estimate: DcIqEstimate): boolean {
    const { inForce } = this;
    if (!inForce) return false;
    const gain = (estimate.gainDb - inForce.gainDb) / Math.hypot(estimate.gainDbError, inForce.gainDbError);
    const phase = (estimate.phaseDeg - inForce.phaseDeg) / Math.hypot(estimate.phaseDegError, inForce.phaseDegError);
    return Math.hypot(gain, phase) > CONTRADICTS;
  }
}

/** Variance of the stretches' means over the samples' variance, 0 to 1; some STRETCHES / n in noise. */
function wander(samples: Float32Array): number {
  const per = 2 * Math.floor(samples.length / 2 / STRETCHES);
  let sumRe = 0;
  let sumIm = 0;
  let ofMeans = 0;
  let power = 0;
  for (let s = 0; s < STRETCHES; s++) {
    let re = 0;
    let im = 0;
    for (let k = s * per; k < (s + 1) * per; k += 2) {
      re += samples[k];
      im += samples[k + 1];
      power += samples[k] ** 2 + samples[k + 1] ** 2;
    }
    sumRe += re;
    sumIm += im;
    ofMeans += (re * re + im * im) / (per / 2);
  }
  const mean = (sumRe * sumRe + sumIm * sumIm) / (STRETCHES * (per / 2));
  return (ofMeans - mean) / (power - mean);
}
