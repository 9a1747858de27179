/**
 * Sample-clock tracking inside a burst. The two ends' clocks may differ by +-100 ppm together; the difference is constant
 * within a burst, so the delay is step x time, 0 at the preamble, and only the step is looked for.
 *
 * The pilots' phase slopes, added up from slot to slot, show delay + wander: noise does not add up (each slot is compared
 * with the one before, so it telescopes), but a channel that fades between two slots turns the slope for good. A Kalman
 * filter on [delay + wander, step] with the fading's part as process noise weighs the two: a line fit on AWGN, a
 * weighted mean of increments in fading, in which deep fades count little.
 *
 * In long bursts of few subbands the increments wander too far. There the centroid of the channel's delay profile helps:
 * it fluctuates as the paths fade, but stays within the profile, so that a line through it shows the clock. The two
 * steps are averaged with their inverse variances.
 */
const MAX_CLOCK_OFFSET = 60e-6;
/** Fewer centroids than this say nothing about drift. */
const LEAST_CENTROIDS = 12;
/** Least weighted mean square of their times about the mean, symbols^2: two slots of which one has a millionth of the power. */
const LEAST_SPREAD = 1e-4;
/** The training symbols' middle, in symbols after the first. */
const START = -1.5;
/** Of the first delay, samples^2. */
const FIRST_VARIANCE = 1e-3;

export class TimingTracker {
  private delay = 0;
  private step = 0;
  private p00 = FIRST_VARIANCE;
  private p01 = 0;
  private p11: number;
  private symbol = START;
  private innovations = 0;
  private updates = 0;
  /** Centroids so far: when, where, and how much they count. */
  private count = 0;
  private times = new Float64Array(64);
  private centroids = new Float64Array(64);
  private weights = new Float64Array(64);
  private combined = 0;
  private readonly firstVariance: number;

  constructor(symbolLength: number) {
    this.firstVariance = (MAX_CLOCK_OFFSET * symbolLength) ** 2;
    this.p11 = this.firstVariance;
  }

  /** A new burst. */
  begin(): void {
    this.delay = 0;
    this.step = 0;
    this.p00 = FIRST_VARIANCE;
    this.p01 = 0;
    this.p11 = this.firstVariance;
    this.symbol = START;
    this.innovations = 0;
    this.updates = 0;
    this.count = 0;
    this.combined = 0;
  }

  /** Sample-clock difference found so far, samples a symbol (transmitter's clock slow: positive). */
  get delayStep(): number {
    return this.combined;
  }

  /** Delay expected at a symbol (0 = the first after the preamble; fractions count), samples. */
  delayAt(symbol: number): number {
    return (symbol - START) * this.combined;
  }

  /**
   * Takes the sum of delays measured up to a symbol after the last one, samples: `noise` is the variance of the
   * measurement, `fading` what the channel's change since the last one may have added for good, samples^2. Returns by
   * how many standard deviations it differs from what was expected.
   */
  update(symbol: number, measured: number, noise: number, fading: number): number {
    const elapsed = symbol - this.symbol;
    this.symbol = symbol;
    this.delay += elapsed * this.step;
    this.p00 += 2 * elapsed * this.p01 + elapsed * elapsed * this.p11 + fading;
    this.p01 += elapsed * this.p11;
    const s = this.p00 + noise;
    const k0 = this.p00 / s;
    const k1 = this.p01 / s;
    const error = measured - this.delay;
    this.innovations += (error * error) / s;
    this.updates++;
    this.delay += k0 * error;
    this.step += k1 * error;
    this.p11 -= k1 * this.p01;
    this.p01 *= 1 - k0;
    this.p00 *= 1 - k0;
    this.combined = this.step;
    return error / Math.sqrt(s);
  }

  /**
   * Takes the delay profile's centroid in one slot, samples, with a weight (its power), after `update` of that slot.
   */
  addCentroid(symbol: number, centroid: number, weight: number): void {
    if (this.count === this.times.length) this.grow();
    this.times[this.count] = symbol;
    this.centroids[this.count] = centroid;
    this.weights[this.count++] = weight;
    const line = this.centroidLine();
    if (!line) return;
    // Increments that jump more than their variance says are trusted less.
    const own = this.p11 * Math.max(1, this.innovations / this.updates);
    this.combined = (this.step * line.variance + line.step * own) / (line.variance + own);
  }

  private grow(): void {
    const longer = (old: Float64Array) => {
      const out = new Float64Array(2 * old.length);
      out.set(old);
      return out;
    };
    this.times = longer(this.times);
    this.centroids = longer(this.centroids);
    this.weights = longer(this.weights);
  }

  /** Weighted regression of the centroids on time; neighbouring residuals are alike, so fewer of them count. */
  private centroidLine(): { step: number; variance: number } | null {
    const { times, centroids, weights, count: n } = this;
    if (n < LEAST_CENTROIDS) return null;
    let w = 0;
    let meanT = 0;
    let meanC = 0;
    for (let i = 0; i < n; i++) {
      w += weights[i];
      meanT += weights[i] * times[i];
      meanC += weights[i] * centroids[i];
    }
    meanT /= w;
    meanC /= w;
    let tt = 0;
    let tc = 0;
    for (let i = 0; i < n; i++) {
      tt += weights[i] * (times[i] - meanT) ** 2;
      tc += weights[i] * (times[i] - meanT) * (centroids[i] - meanC);
    }
    // All the power in one slot, or none anywhere (samples lost and replaced by zeros): no line.
    if (!(tt > LEAST_SPREAD * w)) return null;
    const step = tc / tt;
    let residual = 0;
    let lagged = 0;
    let squares = 0;
    let before = 0;
    for (let i = 0; i < n; i++) {
      const r = centroids[i] - meanC - step * (times[i] - meanT);
      residual += weights[i] * r * r;
      squares += r * r;
      lagged += r * before;
      before = r;
    }
    const correlation = Math.min(0.95, Math.max(0, lagged / (squares + 1e-30)));
    const independent = Math.max(2, (n * (1 - correlation)) / (1 + correlation));
    return { step, variance: residual / tt / Math.max(0.5, independent - 2) + 1e-18 };
  }
}
