/**
 * Sample-clock tracking inside a burst: a Kalman filter on [delay, delay step], samples and samples a symbol, fed with
 * the timing error that the pilots of each slot show. The two ends' clocks may differ by +-100 ppm together.
 */
const MAX_CLOCK_OFFSET = 60e-6;
const DELAY_WALK = 1e-7; // samples^2 a symbol

export class TimingTracker {
  private delay = 0;
  private step = 0;
  private p00 = 0.05;
  private p01 = 0;
  private p11: number;

  constructor(symbolLength: number) {
    this.p11 = (MAX_CLOCK_OFFSET * symbolLength) ** 2;
  }

  /** Delay expected `symbols` symbols after the last update's reference symbol, samples. */
  delayAfter(symbols: number): number {
    return this.delay + symbols * this.step;
  }

  /** Sample-clock difference found, samples a symbol. */
  get delayStep(): number {
    return this.step;
  }

  /** Moves the reference symbol on and corrects it with an error measured there (later = positive), samples. */
  update(symbols: number, error: number, variance: number): void {
    this.delay += symbols * this.step;
    this.p00 += 2 * symbols * this.p01 + symbols * symbols * this.p11 + symbols * DELAY_WALK;
    this.p01 += symbols * this.p11;
    const s = this.p00 + variance;
    const k0 = this.p00 / s;
    const k1 = this.p01 / s;
    this.delay += k0 * error;
    this.step += k1 * error;
    this.p11 -= k1 * this.p01;
    this.p01 *= 1 - k0;
    this.p00 *= 1 - k0;
  }
}
