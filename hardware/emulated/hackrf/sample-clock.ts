/** Samples that M0 gets or gives at once. */
const EXCHANGE_SAMPLES = 16;

/** The converter's clock since streaming began: which sample at which time. Samples come in groups of 16, as M0 sees them. */
export class SampleClock {
  private rate: number;
  private originS: number;
  private originSample = 0;

  /** @param rateHz true rate, clock error included */
  constructor(startS: number, rateHz: number) {
    this.originS = startS;
    this.rate = rateHz;
  }

  get rateHz(): number {
    return this.rate;
  }

  /** Samples that are complete at a time; a multiple of 16. */
  samplesAt(timeS: number): number {
    const exact = this.originSample + (timeS - this.originS) * this.rate;
    // Half a thousandth of a sample makes up for the rounding of timeOf().
    return Math.max(0, Math.floor((exact + 5e-4) / EXCHANGE_SAMPLES) * EXCHANGE_SAMPLES);
  }

  /** When a sample begins, which is when the one before it is complete. */
  timeOf(sample: number): number {
    return this.originS + (sample - this.originSample) / this.rate;
  }

  /** Another rate from this sample on. */
  changeRate(rateHz: number, sample: number): void {
    this.originS = this.timeOf(sample);
    this.originSample = sample;
    this.rate = rateHz;
  }
}
