/** Bounds of the number of samples lost somewhere. */
export interface LossBounds {
  readonly min: number;
  readonly max: number;
}

/**
 * When the last delivered sample was captured, as an interval of host time, and what that says about lost samples.
 *
 * Without a loss the interval moves with the rate, and every block narrows it: a sample arrives after its capture, and a buffer cannot
 * be filled before it was free. With a loss the two intervals around it bound the number of samples that passed:
 *
 *     (earliest after - latest before) rate (1 - tolerance) - samples <= lost <= (latest after - earliest before) rate (1 + tolerance) - samples
 *
 * All times in seconds of one monotonic clock. Host-side delays widen the bounds and never make them wrong.
 */
export class CaptureClock {
  private readonly slowHz: number;
  private readonly fastHz: number;
  private earliestS = Number.NEGATIVE_INFINITY;
  private latestS = Number.POSITIVE_INFINITY;
  /** As earliestS, moved by the rate alone since the last known state: holds even where a loss went unnoticed since. */
  private floorS = Number.NEGATIVE_INFINITY;

  /**
   * @param rateHz samples in a second of the host's clock
   * @param tolerance most that both clocks together may be off, as a fraction
   */
  constructor(rateHz: number, tolerance: number) {
    this.slowHz = rateHz * (1 - tolerance);
    this.fastHz = rateHz * (1 + tolerance);
  }

  /** The buffer was opened: its first sample is captured between the request and the reply. */
  opened(askedS: number, repliedS: number): void {
    this.earliestS = askedS;
    this.floorS = askedS;
    this.latestS = repliedS;
  }

  /**
   * `samples` more arrived, the last one captured between these times.
   *
   * @returns false where that is impossible without a loss; the clock then stands as before
   */
  advance(samples: number, earliestS: number, latestS: number): boolean {
    const earliest = Math.max(this.earliestS + samples / this.fastHz, earliestS);
    const latest = Math.min(this.latestS + samples / this.slowHz, latestS);
    if (earliest > latest) {
      if (earliestS > this.latestS + samples / this.slowHz) return false;
      // Sooner than the rate allows: the board's clock is faster than its tolerance. What arrived is the better witness.
      this.earliestS = latestS;
      this.floorS = latestS;
      this.latestS = latestS;
      return true;
    }
    this.earliestS = earliest;
    this.floorS += samples / this.fastHz;
    this.latestS = latest;
    return true;
  }

  /**
   * `samples` arrived with an unknown number lost among them; the last one was captured between these times.
   *
   * @param noticed false where losses since the last known state may have gone unnoticed: then the bounds are of all of them
   */
  advanceWithLoss(samples: number, earliestS: number, latestS: number, noticed = true): LossBounds {
    const beforeS = noticed ? this.earliestS : this.floorS;
    const earliest = Math.min(latestS, Math.max(beforeS + samples / this.fastHz, earliestS));
    const min = Math.floor((earliest - this.latestS) * this.slowHz - samples);
    const max = Math.ceil((latestS - beforeS) * this.fastHz - samples);
    this.earliestS = earliest;
    this.floorS = earliest;
    this.latestS = latestS;
    return { min: Math.max(0, min), max: Math.max(0, min, max) };
  }

  /** The later of two earliest times of the last of `samples` further samples. */
  laterOf(earliestS: number, samples: number, nextEarliestS: number): number {
    return Math.max(earliestS + samples / this.fastHz, nextEarliestS);
  }

  /** Latest time at which the last delivered sample was captured; the narrower the longer the stream ran. */
  get lastSampleS(): number {
    return this.latestS;
  }
}
