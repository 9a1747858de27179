import type { RandomStream } from '../../common/random.ts';

/** Sinusoids a tap: E|h|^4/E|h|^2^2 is then 2 - 1/32, and the envelope's distribution within 0.01 of Rayleigh. */
const SINUSOIDS = 32;

/**
 * One fading tap of mean power 1 as a pure function of time, so that any instant can be asked for in any order.
 *
 * h(t) = sqrt(1/(K+1)) M^-1/2 sum_n exp(i (2 pi fd t cos a_n + p_n)) + sqrt(K/(K+1)) exp(i (2 pi fd t cos a_0 + p_0)),
 * a_n = (2 pi n + u_n)/M with u_n uniform in [0, 2 pi) and p_n uniform: the union of the arrival angles is uniform, so
 * the ensemble autocorrelation of the scattered part is J0(2 pi fd tau) exactly. Source: [Zheng03], Rician part [Xiao06].
 */
export class FadingProcess {
  /** Doppler of each sinusoid in rad/s, starting phase, amplitude. */
  readonly omega: Float64Array;
  readonly phase: Float64Array;
  readonly amplitude: Float64Array;

  /** @param ricianK linear power ratio of the line-of-sight part to the scattered part; 0 is Rayleigh */
  constructor(dopplerHz: number, ricianK: number, rng: RandomStream) {
    const lines = SINUSOIDS + (ricianK > 0 ? 1 : 0);
    this.omega = new Float64Array(lines);
    this.phase = new Float64Array(lines);
    this.amplitude = new Float64Array(lines);
    for (let n = 0; n < SINUSOIDS; n++) {
      const angle = (2 * Math.PI * (n + rng.uniform())) / SINUSOIDS;
      this.omega[n] = 2 * Math.PI * dopplerHz * Math.cos(angle);
      this.phase[n] = 2 * Math.PI * rng.uniform();
      this.amplitude[n] = Math.sqrt(1 / (SINUSOIDS * (ricianK + 1)));
    }
    if (ricianK > 0) {
      this.omega[SINUSOIDS] = 2 * Math.PI * dopplerHz * Math.cos(2 * Math.PI * rng.uniform());
      this.phase[SINUSOIDS] = 2 * Math.PI * rng.uniform();
      this.amplitude[SINUSOIDS] = Math.sqrt(ricianK / (ricianK + 1));
    }
  }

  /** Writes h(timeS) to out[at], out[at + 1]. */
  at(timeS: number, out: Float64Array, at: number): void {
    let re = 0;
    let im = 0;
    for (let n = 0; n < this.omega.length; n++) {
      const angle = this.omega[n] * timeS + this.phase[n];
      re += this.amplitude[n] * Math.cos(angle);
      im += this.amplitude[n] * Math.sin(angle);
    }
    out[at] = re;
    out[at + 1] = im;
  }
}

/** Steps between exact values: rounding grows to some 1e-14 meanwhile. */
const EXACT_EVERY = 64;

/**
 * A fading tap at the instants i x stepS, one after the other: each sinusoid turns by a constant angle a step, and every
 * 64th instant is computed afresh.
 */
export class FadingWalk {
  private readonly process: FadingProcess;
  private readonly stepS: number;
  /** Turn of each sinusoid a step, and its present value, [sinusoid][re, im]. */
  private readonly turn: Float64Array;
  private readonly value: Float64Array;
  private last = Number.NaN;

  constructor(process: FadingProcess, stepS: number) {
    this.process = process;
    this.stepS = stepS;
    this.turn = new Float64Array(2 * process.omega.length);
    this.value = new Float64Array(2 * process.omega.length);
    process.omega.forEach((omega, n) => {
      this.turn[2 * n] = Math.cos(omega * stepS);
      this.turn[2 * n + 1] = Math.sin(omega * stepS);
    });
  }

  /** After a jump: `to(index)` then gives what it would have given on the way from 0. */
  leadTo(index: number): void {
    const unused = new Float64Array(2);
    for (let i = index - (index % EXACT_EVERY); i < index; i++) this.to(i, unused, 0);
  }

  /** Writes h(index x stepS) to out[at], out[at + 1]. */
  to(index: number, out: Float64Array, at: number): void {
    const { turn, value } = this;
    const { omega, phase, amplitude } = this.process;
    const step = index === this.last + 1 && index % EXACT_EVERY !== 0;
    this.last = index;
    let re = 0;
    let im = 0;
    for (let n = 0; n < value.length; n += 2) {
      if (step) {
        const a = value[n];
        const b = value[n + 1];
        value[n] = a * turn[n] - b * turn[n + 1];
        value[n + 1] = a * turn[n + 1] + b * turn[n];
      } else {
        const line = n >> 1;
        const angle = omega[line] * index * this.stepS + phase[line];
        value[n] = amplitude[line] * Math.cos(angle);
        value[n + 1] = amplitude[line] * Math.sin(angle);
      }
      re += value[n];
      im += value[n + 1];
    }
    out[at] = re;
    out[at + 1] = im;
  }
}
