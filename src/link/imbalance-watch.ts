import type { DcIqEstimate } from '../phy/frontend/dc-iq.ts';

/** No receiver is worse; what seems so is a stretch of samples at full scale, or a signal of one dimension. */
const MAX_GAIN_DB = 7;
const MAX_PHASE_DEG = 50;
/** Share of the power by which the mean may wander from one stretch of the window to the next. */
const MAX_WANDER = 0.02;
/** An estimate contradicts the correction in force beyond so many standard errors of both. */
const CONTRADICTS = 6;

/**
 * Which estimates of IQ imbalance are worth correcting by. One that was made on bad input must neither be taken over nor,
 * where it was taken over, stay for good: without imbalance the next estimates are not significant by themselves.
 */
export class ImbalanceWatch {
  private inForce: DcIqEstimate | null = null;

  /** Whether the estimate is to replace the correction in force: because it is significant, or because it contradicts that. */
  takes(estimate: DcIqEstimate): boolean {
    const plausible = Math.abs(estimate.gainDb) <= MAX_GAIN_DB && Math.abs(estimate.phaseDeg) <= MAX_PHASE_DEG;
    if (!plausible || !(estimate.iqSignificant || this.contradicted(estimate))) return false;
    // I and Q that step together are correlated, whatever the mixer does.
    if (estimate.wander > MAX_WANDER) return false;
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
