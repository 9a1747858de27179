/**
 * Common phase and residual frequency from symbol to symbol: a Kalman filter on [phase, phase step] that is fed the
 * pilots' phase, and a fixed-interval smoother [Rauch65] over what it has seen. Phase noise enters as a random walk.
 * At low SNR it averages over many symbols, at high SNR it follows each one; nothing has to be tuned.
 */
const PHASE_WALK = 1e-4; // rad^2 a symbol: about -40 dBc of phase noise within one
const STEP_WALK = 1e-8;

export class PhaseTracker {
  private phase = 0;
  private step = 0;
  private p00: number;
  private p01 = 0;
  private p11: number;
  private readonly history: {
    predicted: [number, number, number, number, number];
    filtered: [number, number, number, number, number];
  }[] = [];

  /** `stepVariance`: variance of the initial phase step a symbol, rad^2. */
  constructor(stepVariance: number) {
    this.p00 = 0.05;
    this.p11 = stepVariance;
  }

  /** Phase expected at the next symbol, rad. */
  predict(): number {
    return this.phase + (this.history.length === 0 ? 0 : this.step);
  }

  /** Takes one symbol's phase error against predict(), with its variance; returns the filtered phase. */
  update(error: number, variance: number): number {
    if (this.history.length > 0) {
      this.phase += this.step;
      this.p00 += 2 * this.p01 + this.p11 + PHASE_WALK;
      this.p01 += this.p11;
      this.p11 += STEP_WALK;
    }
    const predicted: [number, number, number, number, number] = [this.phase, this.step, this.p00, this.p01, this.p11];
    const s = this.p00 + variance;
    const k0 = this.p00 / s;
    const k1 = this.p01 / s;
    this.phase += k0 * error;
    this.step += k1 * error;
    this.p11 -= k1 * this.p01;
    this.p01 *= 1 - k0;
    this.p00 *= 1 - k0;
    this.history.push({ predicted, filtered: [this.phase, this.step, this.p00, this.p01, this.p11] });
    return this.phase;
  }

  /** Phase step a symbol as filtered so far, rad. */
  get phaseStep(): number {
    return this.step;
  }

  /** Smoothed phases of symbols `from` on, rad. */
  smooth(from = 0): Float64Array {
    const n = this.history.length;
    const out = new Float64Array(n - from);
    let x0 = 0;
    let x1 = 0;
    for (let i = n - 1; i >= from; i--) {
      const f = this.history[i].filtered;
      if (i === n - 1) {
        x0 = f[0];
        x1 = f[1];
      } else {
        const q = this.history[i + 1].predicted;
        // Gain C = P_f F' P_p^-1 with F = [1 1; 0 1].
        const a = f[2] + f[3];
        const b = f[3];
        const c = f[3] + f[4];
        const d = f[4];
        const det = q[2] * q[4] - q[3] * q[3];
        const c00 = (a * q[4] - b * q[3]) / det;
        const c01 = (b * q[2] - a * q[3]) / det;
        const c10 = (c * q[4] - d * q[3]) / det;
        const c11 = (d * q[2] - c * q[3]) / det;
        const e0 = x0 - q[0];
        const e1 = x1 - q[1];
        x0 = f[0] + c00 * e0 + c01 * e1;
        x1 = f[1] + c10 * e0 + c11 * e1;
      }
      out[i - from] = x0;
    }
    return out;
  }
}
