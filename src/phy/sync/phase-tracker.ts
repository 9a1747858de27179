/**
 * Common phase and residual frequency from symbol to symbol: a Kalman filter on [phase, phase step] that is fed the
 * pilots' phase, and a fixed-interval smoother [Rauch65] over what it has seen. Phase noise enters as a random walk
 * whose strength is the most likely of WALKS given the innovations, so a quiet oscillator at low SNR is averaged over many
 * symbols and a noisy one at high SNR is followed; nothing has to be tuned.
 */
const WALKS = [1e-5, 1e-4, 4e-4, 1.6e-3, 6.4e-3, 2.5e-2]; // rad^2 a symbol
/** Index into WALKS of the one taken first. */
const FIRST_WALK = 1;
const STEP_WALK = 1e-8;
/** Variance of the first phase, rad^2. */
const FIRST_VARIANCE = 0.05;
/** Symbols that the likelihood looks back on, in whole stretches from one `adapt` to the next. */
const MEMORY = 112;
/** Elements kept of every symbol: predicted x0, x1, p00, p01, p11, then filtered ones. */
const STATES = 10;
/** Products outside of these are turned into their logarithm. */
const LEAST_PRODUCT = 1e-200;
const MOST_PRODUCT = 1e200;

export class PhaseTracker {
  /** One filter for each strength of WALKS; the ones not in use catch up when `adapt` asks them. */
  private readonly filters = WALKS.map((walk) => new PhaseFilter(walk));
  private inUse = this.filters[FIRST_WALK];
  private count = 0;
  /** Measured phase and its variance, [symbol]. */
  private measured = new Float64Array(0);
  private variances = new Float64Array(0);
  /** Symbols at every `adapt`. */
  private readonly stretchEnds: number[] = [];

  /** Starts anew; `stepVariance`: variance of the initial phase step a symbol, rad^2; `symbols`: how many are expected. */
  begin(stepVariance: number, symbols = 64): this {
    this.reserve(symbols);
    for (const filter of this.filters) filter.begin(stepVariance);
    this.inUse = this.filters[FIRST_WALK];
    this.count = 0;
    this.stretchEnds.length = 0;
    return this;
  }

  /** Phase expected at the next symbol, rad. */
  predict(): number {
    const { phase, step } = this.inUse;
    return this.count === 0 ? phase : phase + step;
  }

  /** Takes one symbol's phase error against predict(), with its variance. */
  update(error: number, variance: number): void {
    if (this.count === this.measured.length) this.reserve(2 * this.count);
    this.measured[this.count] = this.predict() + error;
    this.variances[this.count] = variance;
    this.count++;
    this.inUse.catchUp(this.measured, this.variances, this.count);
  }

  /** Phase step a symbol as filtered so far, rad. */
  get phaseStep(): number {
    return this.inUse.step;
  }

  /** Takes the most likely strength of the phase noise from now on (and for what is smoothed). */
  adapt(): void {
    const { stretchEnds, count } = this;
    stretchEnds.push(count);
    // The last stretches that are not longer than MEMORY all together, but one at least.
    let first = stretchEnds.length - 1;
    while (first > 0 && count - (first > 1 ? stretchEnds[first - 2] : 0) <= MEMORY) first--;
    let bestScore = Number.POSITIVE_INFINITY;
    for (const filter of this.filters) {
      filter.catchUp(this.measured, this.variances, count);
      const score = filter.score(first);
      if (count >= 6 && score < bestScore) {
        bestScore = score;
        this.inUse = filter;
      }
    }
  }

  /** Smoothed phases of symbols `from` on, rad: to `out`, or to a new array. */
  smooth(from = 0, out = new Float64Array(this.count - from)): Float64Array {
    return this.inUse.smooth(from, this.count, out);
  }

  private reserve(symbols: number): void {
    if (symbols <= this.measured.length) return;
    this.measured = grown(this.measured, Math.max(1, symbols));
    this.variances = grown(this.variances, this.measured.length);
  }
}

/** The Kalman filter with one strength of phase noise, and all it has been through. */
class PhaseFilter {
  phase = 0;
  step = 0;
  private p00 = 0;
  private p01 = 0;
  private p11 = 0;
  private readonly walk: number;
  private count = 0;
  private states = new Float64Array(0);
  /** Of the innovations e of variance s since the last score: product of s, logarithms of earlier products, sum of e^2 / s. */
  private product = 1;
  private logs = 0;
  private squares = 0;
  /** sum of ln s + e^2 / s of every stretch between two scores. */
  private readonly stretches: number[] = [];

  constructor(walk: number) {
    this.walk = walk;
  }

  begin(stepVariance: number): void {
    this.phase = 0;
    this.step = 0;
    this.p00 = FIRST_VARIANCE;
    this.p01 = 0;
    this.p11 = stepVariance;
    this.count = 0;
    this.product = 1;
    this.logs = 0;
    this.squares = 0;
    this.stretches.length = 0;
  }

  /** Filters what measurements there are beyond those filtered already, up to `count`. */
  catchUp(measured: Float64Array, variances: Float64Array, count: number): void {
    if (this.states.length < measured.length * STATES) this.states = grown(this.states, measured.length * STATES);
    const { states, walk } = this;
    let { phase, step, p00, p01, p11, product, squares } = this;
    for (let i = this.count, at = i * STATES; i < count; i++, at += STATES) {
      if (i > 0) {
        phase += step;
        p00 += 2 * p01 + p11 + walk;
        p01 += p11;
        p11 += STEP_WALK;
      }
      states[at] = phase;
      states[at + 1] = step;
      states[at + 2] = p00;
      states[at + 3] = p01;
      states[at + 4] = p11;
      const error = measured[i] - phase;
      const s = p00 + variances[i];
      const inverse = 1 / s;
      const k0 = p00 * inverse;
      const k1 = p01 * inverse;
      phase += k0 * error;
      step += k1 * error;
      p11 -= k1 * p01;
      p01 -= k0 * p01;
      p00 -= k0 * p00;
      states[at + 5] = phase;
      states[at + 6] = step;
      states[at + 7] = p00;
      states[at + 8] = p01;
      states[at + 9] = p11;
      squares += error * error * inverse;
      product *= s;
      if (product < LEAST_PRODUCT || product > MOST_PRODUCT) {
        this.logs += Math.log(product);
        product = 1;
      }
    }
    this.phase = phase;
    this.step = step;
    this.p00 = p00;
    this.p01 = p01;
    this.p11 = p11;
    this.product = product;
    this.squares = squares;
    this.count = count;
  }

  /** Ends a stretch; minus twice the log likelihood of the innovations from stretch `first` on, but for a constant. */
  score(first: number): number {
    const { stretches } = this;
    stretches.push(this.logs + Math.log(this.product) + this.squares);
    this.logs = 0;
    this.product = 1;
    this.squares = 0;
    let sum = 0;
    for (let i = first; i < stretches.length; i++) sum += stretches[i];
    return sum;
  }

  smooth(from: number, count: number, out: Float64Array): Float64Array {
    const { states } = this;
    if (count <= from) return out;
    let f = (count - 1) * STATES + 5;
    let x0 = states[f];
    let x1 = states[f + 1];
    out[count - 1 - from] = x0;
    for (let i = count - 2; i >= from; i--) {
      f -= STATES;
      const q = f + STATES - 5;
      // Gain C = P_f F' P_p^-1 with F = [1 1; 0 1].
      const b = states[f + 3];
      const d = states[f + 4];
      const a = states[f + 2] + b;
      const c = b + d;
      const q00 = states[q + 2];
      const q01 = states[q + 3];
      const q11 = states[q + 4];
      const inverse = 1 / (q00 * q11 - q01 * q01);
      const e0 = (x0 - states[q]) * inverse;
      const e1 = (x1 - states[q + 1]) * inverse;
      x0 = states[f] + (a * q11 - b * q01) * e0 + (b * q00 - a * q01) * e1;
      x1 = states[f + 1] + (c * q11 - d * q01) * e0 + (d * q00 - c * q01) * e1;
      out[i - from] = x0;
    }
    return out;
  }
}

function grown(old: Float64Array, length: number): Float64Array<ArrayBuffer> {
  const out = new Float64Array(length);
  out.set(old);
  return out;
}
