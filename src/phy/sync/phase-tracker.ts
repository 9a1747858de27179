/**
 * Common phase and residual frequency from symbol to symbol: a Kalman filter on [phase, phase step] that is fed the
 * pilots' phase, and a fixed-interval smoother [Rauch65] over what it has seen. Phase noise enters as a random walk
 * whose strength is the most likely of WALKS given the innovations, so a quiet oscillator at low SNR is averaged over many
 * symbols and a noisy one at high SNR is followed; nothing has to be tuned.
 */
const WALKS = [1e-5, 1e-4, 4e-4, 1.6e-3, 6.4e-3, 2.5e-2]; // rad^2 a symbol
const FIRST_WALK = 1e-4;
const STEP_WALK = 1e-8;
/** Symbols that the likelihood looks back on. */
const MEMORY = 112;
/** Elements kept of every symbol: predicted x0, x1, p00, p01, p11, then filtered ones. */
const STATES = 10;

export class PhaseTracker {
  private readonly stepVariance: number;
  private phase = 0;
  private step = 0;
  private p00 = 0;
  private p01 = 0;
  private p11 = 0;
  private walk = FIRST_WALK;
  private count = 0;
  /** Measured phase and its variance, [symbol]. */
  private measured = new Float64Array(128);
  private variances = new Float64Array(128);
  private states = new Float64Array(128 * STATES);

  /** `stepVariance`: variance of the initial phase step a symbol, rad^2. */
  constructor(stepVariance: number) {
    this.stepVariance = stepVariance;
    this.restart();
  }

  /** Phase expected at the next symbol, rad. */
  predict(): number {
    return this.count === 0 ? this.phase : this.phase + this.step;
  }

  /** Takes one symbol's phase error against predict(), with its variance. */
  update(error: number, variance: number): void {
    if (this.count === this.measured.length) this.grow();
    this.measured[this.count] = this.predict() + error;
    this.variances[this.count] = variance;
    this.advance(this.count);
    this.count++;
  }

  /** Phase step a symbol as filtered so far, rad. */
  get phaseStep(): number {
    return this.step;
  }

  /** Takes the most likely strength of the phase noise from now on (and for what is smoothed). */
  adapt(): void {
    if (this.count < 6) return;
    let best = this.walk;
    let bestScore = Number.POSITIVE_INFINITY;
    for (const walk of WALKS) {
      this.walk = walk;
      const score = this.rerun();
      if (score < bestScore) {
        bestScore = score;
        best = walk;
      }
    }
    this.walk = best;
    this.rerun();
  }

  /** Smoothed phases of symbols `from` on, rad. */
  smooth(from = 0): Float64Array {
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

  private restart(): void {
    this.phase = 0;
    this.step = 0;
    this.p00 = 0.05;
    this.p01 = 0;
    this.p11 = this.stepVariance;
  }

  /** Filters all measurements again; returns the sum of ln s + e^2 / s over the last MEMORY innovations. */
  private rerun(): number {
    this.restart();
    let score = 0;
    const scored = Math.max(0, this.count - MEMORY);
    for (let i = 0; i < this.count; i++) {
      const term = this.advance(i);
      if (i >= scored) score += term;
    }
    return score;
  }

  /** One filter step with measurement i; returns ln s + e^2 / s of its innovation. */
  private advance(i: number): number {
    if (i > 0) {
      this.phase += this.step;
      this.p00 += 2 * this.p01 + this.p11 + this.walk;
      this.p01 += this.p11;
      this.p11 += STEP_WALK;
    }
    const { states } = this;
    const at = i * STATES;
    states[at] = this.phase;
    states[at + 1] = this.step;
    states[at + 2] = this.p00;
    states[at + 3] = this.p01;
    states[at + 4] = this.p11;
    const error = this.measured[i] - this.phase;
    const s = this.p00 + this.variances[i];
    const k0 = this.p00 / s;
    const k1 = this.p01 / s;
    this.phase += k0 * error;
    this.step += k1 * error;
    this.p11 -= k1 * this.p01;
    this.p01 *= 1 - k0;
    this.p00 *= 1 - k0;
    states[at + 5] = this.phase;
    states[at + 6] = this.step;
    states[at + 7] = this.p00;
    states[at + 8] = this.p01;
    states[at + 9] = this.p11;
    return Math.log(s) + (error * error) / s;
  }

  private grow(): void {
    const double = (old: Float64Array) => {
      const grown = new Float64Array(2 * old.length);
      grown.set(old);
      return grown;
    };
    this.measured = double(this.measured);
    this.variances = double(this.variances);
    this.states = double(this.states);
  }
}
