/**
 * Sample-clock tracking inside a burst. The two ends' clocks may differ by +-100 ppm together; the difference is constant
 * within a burst, so the delay is step x time, 0 at the preamble, and only the step is looked for.
 *
 * The pilots' phase slopes, added up from slot to slot, show delay + wander: noise does not add up (each slot is compared
 * with the one before, so it telescopes), but a channel that fades between two slots turns the slope for good. A Kalman
 * filter on [delay + wander, step] with the fading's part as process noise weighs the two: a line fit on AWGN, a
 * weighted mean of increments in fading, in which deep fades count little.
 */
const MAX_CLOCK_OFFSET = 60e-6;
/** The training symbols' middle, in symbols after the first. */
const START = -1.5;

export class TimingTracker {
  private delay = 0;
  private step = 0;
  private p00 = 1e-3;
  private p01 = 0;
  private p11: number;
  private symbol = START;

  constructor(symbolLength: number) {
    this.p11 = (MAX_CLOCK_OFFSET * symbolLength) ** 2;
  }

  /** Sample-clock difference found so far, samples a symbol (transmitter's clock slow: positive). */
  get delayStep(): number {
    return this.step;
  }

  /** Delay expected at a symbol (0 = the first after the preamble; fractions count), samples. */
  delayAt(symbol: number): number {
    return (symbol - START) * this.step;
  }

  /**
   * Takes the sum of delays measured up to a symbol after the last one, samples: `noise` is the variance of the
   * measurement, `fading` what the channel's change since the last one may have added for good, samples^2.
   */
  update(symbol: number, measured: number, noise: number, fading: number): void {
    const elapsed = symbol - this.symbol;
    this.symbol = symbol;
    this.delay += elapsed * this.step;
    this.p00 += 2 * elapsed * this.p01 + elapsed * elapsed * this.p11 + fading;
    this.p01 += elapsed * this.p11;
    const s = this.p00 + noise;
    const k0 = this.p00 / s;
    const k1 = this.p01 / s;
    const error = measured - this.delay;
    this.delay += k0 * error;
    this.step += k1 * error;
    this.p11 -= k1 * this.p01;
    this.p01 *= 1 - k0;
    this.p00 *= 1 - k0;
  }
}
