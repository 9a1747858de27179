/**
 * Common phase and residual frequency from symbol to symbol: a Kalman filter on [phase, phase step] that is fed the
 * pilots' phase, and a fixed-interval smoother [Rauch65] over what it has seen. Phase noise enters as a random walk
 * whose strength is the most likely of WALKS given the innovations, so a quiet oscillator at low SNR is averaged over many
 * symbols and a noisy one at high SNR is followed; nothing has to be tuned.
 */
export const WALKS = [1e-5, 1e-4, 4e-4, 1.6e-3, 6.4e-3, 2.5e-2]; // rad^2 a symbol
/** Index into WALKS of the one taken first. */
const FIRST_WALK = 1;
const STEP_WALK = 1e-8;
/** Variance of the first phase, rad^2. */
const FIRST_VARIANCE = 0.05;
/** Symbols that the likelihood looks back on, in whole stretches from one `adapt` to the next. */
export const MEMORY = 112;
/** Elements kept of every symbol and filter: predicted x0, x1, p00, p01, p11, then filtered ones. */
const STATES = 10;
const FILTERS = WALKS.length;
const SYMBOL = FILTERS * STATES;
/** Products outside of these are turned into their logarithm. */
const LEAST_PRODUCT = 1e-200;
const MOST_PRODUCT = 1e200;

/**
 * All filters, one for each strength of WALKS. The one in use follows every symbol; the others catch up side by side when `adapt`
 * asks them, so that none waits for its own last result.
 */
export class PhaseTracker {
  private inUse = FIRST_WALK;
  private count = 0;
  /** Symbols that the filters not in use have seen. */
  private caughtUp = 0;
  /** Measured phase and its variance, [symbol]. */
  private measured = new Float64Array(0);
  private variances = new Float64Array(0);
  /** [symbol][filter][STATES] */
  private states = new Float64Array(0);
  /** Filtered phase, step, p00, p01, p11 now, [filter][5]. */
  private readonly now = new Float64Array(5 * FILTERS);
  /** Of the innovations e of variance s since the last score: product of s, logarithms of earlier products, sum of e^2 / s, [filter]. */
  private readonly products = new Float64Array(FILTERS);
  private readonly logs = new Float64Array(FILTERS);
  private readonly squares = new Float64Array(FILTERS);
  /** Symbols at the end of every stretch from one `adapt` to the next, and sums of ln s + e^2 / s there, [stretch][filter]. */
  private readonly stretchEnds: number[] = [];
  private readonly scores: number[] = [];

  /** Starts anew; `stepVariance`: variance of the initial phase step a symbol, rad^2; `symbols`: how many are expected. */
  begin(stepVariance: number, symbols = 64): this {
    this.reserve(symbols);
    for (let f = 0; f < FILTERS; f++) {
      this.now.fill(0, 5 * f, 5 * f + 5);
      this.now[5 * f + 2] = FIRST_VARIANCE;
      this.now[5 * f + 4] = stepVariance;
    }
    this.products.fill(1);
    this.logs.fill(0);
    this.squares.fill(0);
    this.inUse = FIRST_WALK;
    this.count = 0;
    this.caughtUp = 0;
    this.stretchEnds.length = 0;
    this.scores.length = 0;
    return this;
  }

  /** Phase expected at the next symbol, rad. */
  predict(): number {
    const at = 5 * this.inUse;
    return this.count === 0 ? this.now[at] : this.now[at] + this.now[at + 1];
  }

  /** Takes one symbol's phase error against predict(), with its variance. */
  update(error: number, variance: number): void {
    if (this.count === this.measured.length) this.reserve(2 * this.count);
    this.measured[this.count] = this.predict() + error;
    this.variances[this.count] = variance;
    this.filter(this.count, this.inUse);
    this.count++;
  }

  /** Phase step a symbol as filtered so far, rad. */
  get phaseStep(): number {
    return this.now[5 * this.inUse + 1];
  }

  /** Takes the most likely strength of the phase noise from now on (and for what is smoothed). */
  adapt(): void {
    const { stretchEnds, scores, count, inUse } = this;
    for (let i = this.caughtUp; i < count; i++) {
      for (let f = 0; f < FILTERS; f++) if (f !== inUse) this.filter(i, f);
    }
    this.caughtUp = count;
    stretchEnds.push(count);
    for (let f = 0; f < FILTERS; f++) scores.push(this.logs[f] + Math.log(this.products[f]) + this.squares[f]);
    this.products.fill(1);
    this.logs.fill(0);
    this.squares.fill(0);
    if (count < 6) return;
    // The last stretches that are not longer than MEMORY all together, but one at least.
    let first = stretchEnds.length - 1;
    while (first > 0 && count - (first > 1 ? stretchEnds[first - 2] : 0) <= MEMORY) first--;
    let bestScore = Number.POSITIVE_INFINITY;
    for (let f = 0; f < FILTERS; f++) {
      // Minus twice the log likelihood, but for a constant.
      let score = 0;
      for (let i = first * FILTERS + f; i < scores.length; i += FILTERS) score += scores[i];
      if (score < bestScore) {
        bestScore = score;
        this.inUse = f;
      }
    }
  }

  /** Smoothed phases of symbols `from` on, rad: to `out`, or to a new array. */
  smooth(from = 0, out = new Float64Array(this.count - from)): Float64Array {
    const { states, count } = this;
    if (count <= from) return out;
    let f = (count - 1) * SYMBOL + this.inUse * STATES + 5;
    let x0 = states[f];
    let x1 = states[f + 1];
    out[count - 1 - from] = x0;
    for (let i = count - 2; i >= from; i--) {
      const q = f - 5;
      f -= SYMBOL;
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

  /** One filter takes the measurement of symbol i. */
  private filter(i: number, f: number): void {
    const { now, states } = this;
    const n = 5 * f;
    const at = i * SYMBOL + f * STATES;
    let phase = now[n];
    const step = now[n + 1];
    let p00 = now[n + 2];
    let p01 = now[n + 3];
    let p11 = now[n + 4];
    if (i > 0) {
      phase += step;
      p00 += 2 * p01 + p11 + WALKS[f];
      p01 += p11;
      p11 += STEP_WALK;
    }
    states[at] = phase;
    states[at + 1] = step;
    states[at + 2] = p00;
    states[at + 3] = p01;
    states[at + 4] = p11;
    const error = this.measured[i] - phase;
    const s = p00 + this.variances[i];
    const inverse = 1 / s;
    const k0 = p00 * inverse;
    const k1 = p01 * inverse;
    states[at + 5] = now[n] = phase + k0 * error;
    states[at + 6] = now[n + 1] = step + k1 * error;
    states[at + 7] = now[n + 2] = p00 - k0 * p00;
    states[at + 8] = now[n + 3] = p01 - k0 * p01;
    states[at + 9] = now[n + 4] = p11 - k1 * p01;
    this.squares[f] += error * error * inverse;
    const product = this.products[f] * s;
    this.products[f] = product;
    if (product > LEAST_PRODUCT && product < MOST_PRODUCT) return;
    this.logs[f] += Math.log(product);
    this.products[f] = 1;
  }

  private reserve(symbols: number): void {
    const length = Math.max(1, symbols);
    if (length <= this.measured.length) return;
    this.measured = grown(this.measured, length);
    this.variances = grown(this.variances, length);
    this.states = grown(this.states, length * SYMBOL);
  }
}

function grown(old: Float64Array, length: number): Float64Array<ArrayBuffer> {
  const out = new Float64Array(length);
  out.set(old);
  return out;
}
