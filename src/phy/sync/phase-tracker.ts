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
/** Symbols that the likelihood looks back on. */
const MEMORY = 112;
/** Elements kept of every symbol: predicted x0, x1, p00, p01, p11, then filtered ones. */
const STATES = 10;

export class PhaseTracker {
  /** One filter for each strength of WALKS; the ones not in use catch up when `adapt` asks them. */
  private readonly filters: PhaseFilter[];
  private inUse: PhaseFilter;
  private count = 0;
  /** Measured phase and its variance, [symbol]. */
  private measured: Float64Array;
  private variances: Float64Array;

  /**
   * `stepVariance`: variance of the initial phase step a symbol, rad^2; `symbols`: how many are expected, so that memory
   * need not grow.
   */
  constructor(stepVariance: number, symbols = 64) {
    this.measured = new Float64Array(Math.max(1, symbols));
    this.variances = new Float64Array(this.measured.length);
    this.filters = WALKS.map((walk) => new PhaseFilter(walk, stepVariance));
    this.inUse = this.filters[FIRST_WALK];
  }

  /** Phase expected at the next symbol, rad. */
  predict(): number {
    const { phase, step } = this.inUse;
    return this.count === 0 ? phase : phase + step;
  }

  /** Takes one symbol's phase error against predict(), with its variance. */
  update(error: number, variance: number): void {
    if (this.count === this.measured.length) {
      this.measured = grown(this.measured, 2 * this.count);
      this.variances = grown(this.variances, 2 * this.count);
    }
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
    if (this.count < 6) return;
    let bestScore = Number.POSITIVE_INFINITY;
    for (const filter of this.filters) {
      filter.catchUp(this.measured, this.variances, this.count);
      const score = filter.score();
      if (score < bestScore) {
        bestScore = score;
        this.inUse = filter;
      }
    }
  }

  /** Smoothed phases of symbols `from` on, rad. */
  smooth(from = 0): Float64Array {
    return this.inUse.smooth(from);
  }
}

/** The Kalman filter with one strength of phase noise, and all it has been through. */
class PhaseFilter {
  phase = 0;
  step = 0;
  private p00 = 0.05;
  private p01 = 0;
  private p11: number;
  private readonly walk: number;
  private count = 0;
  private states = new Float64Array(0);
  /** ln s + e^2 / s of every innovation, [symbol]. */
  private terms = new Float64Array(0);

  constructor(walk: number, stepVariance: number) {
    this.walk = walk;
    this.p11 = stepVariance;
  }

  /** Filters what measurements there are beyond those filtered already, up to `count`. */
  catchUp(measured: Float64Array, variances: Float64Array, count: number): void {
    if (this.terms.length < measured.length) {
      this.states = grown(this.states, measured.length * STATES);
      this.terms = grown(this.terms, measured.length);
    }
    const { states, terms, walk } = this;
    let { phase, step, p00, p01, p11 } = this;
    for (let i = this.count; i < count; i++) {
      if (i > 0) {
        phase += step;
        p00 += 2 * p01 + p11 + walk;
        p01 += p11;
        p11 += STEP_WALK;
      }
      const at = i * STATES;
      states[at] = phase;
      states[at + 1] = step;
      states[at + 2] = p00;
      states[at + 3] = p01;
      states[at + 4] = p11;
      const error = measured[i] - phase;
      const s = p00 + variances[i];
      const k0 = p00 / s;
      const k1 = p01 / s;
      phase += k0 * error;
      step += k1 * error;
      p11 -= k1 * p01;
      p01 *= 1 - k0;
      p00 *= 1 - k0;
      states[at + 5] = phase;
      states[at + 6] = step;
      states[at + 7] = p00;
      states[at + 8] = p01;
      states[at + 9] = p11;
      terms[i] = Math.log(s) + (error * error) / s;
    }
    this.phase = phase;
    this.step = step;
    this.p00 = p00;
    this.p01 = p01;
    this.p11 = p11;
    this.count = count;
  }

  /** Minus twice the log likelihood of the last MEMORY innovations, but for a constant. */
  score(): number {
    let sum = 0;
    for (let i = Math.max(0, this.count - MEMORY); i < this.count; i++) sum += this.terms[i];
    return sum;
  }

  smooth(from: number): Float64Array {
    const { states, count } = this;
    const out = new Float64Array(count - from);
    let x0 = 0;
    let x1 = 0;
    for (let i = count - 1; i >= from; i--) {
      const f = i * STATES + 5;
      if (i === count - 1) {
        x0 = states[f];
        x1 = states[f + 1];
      } else {
        const q = (i + 1) * STATES;
        // Gain C = P_f F' P_p^-1 with F = [1 1; 0 1].
        const a = states[f + 2] + states[f + 3];
        const b = states[f + 3];
        const c = states[f + 3] + states[f + 4];
        const d = states[f + 4];
        const det = states[q + 2] * states[q + 4] - states[q + 3] * states[q + 3];
        const e0 = (x0 - states[q]) / det;
        const e1 = (x1 - states[q + 1]) / det;
        x0 = states[f] + (a * states[q + 4] - b * states[q + 3]) * e0 + (b * states[q + 2] - a * states[q + 3]) * e1;
        x1 =
          states[f + 1] + (c * states[q + 4] - d * states[q + 3]) * e0 + (d * states[q + 2] - c * states[q + 3]) * e1;
      }
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
