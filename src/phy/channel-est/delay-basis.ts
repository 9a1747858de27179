import type { Numerology } from '../numerology.ts';
import { invertFactor, solveWithFactor } from './cholesky.ts';

/**
 * Functions of frequency that span all impulse responses within a delay window of +-halfWidth samples around its
 * centre: 1, cos(2 pi k tau_j / N), sin(2 pi k tau_j / N) with tau_j on a grid finer than the resolution
 * N / nCarriers. They are real, so every projection is real arithmetic on complex data; the window's centre enters
 * as a phase ramp outside. A flat prior over the window makes the fit an LMMSE estimate for a uniform delay profile
 * [Edfors98], robust to the true one [Li98].
 */
export class DelayBasis {
  readonly numerology: Numerology;
  readonly halfWidth: number;
  /** Distance of neighbouring delays tau_j, samples. */
  readonly step: number;
  /** Number of functions, odd. */
  readonly size: number;
  /** [nCarriers][size]. */
  readonly values: Float32Array;
  /** Gram matrix over all carriers, [size][size]. */
  private readonly gram: Float64Array;
  private readonly fitters = new Map<number, Fitter>();

  constructor(numerology: Numerology, halfWidth: number) {
    this.numerology = numerology;
    this.halfWidth = halfWidth;
    const { nCarriers, fftSize, carriers } = numerology;
    const step = (0.75 * fftSize) / nCarriers;
    this.step = step;
    const reach = Math.ceil(halfWidth / step);
    this.size = 2 * reach + 1;
    this.values = new Float32Array(nCarriers * this.size);
    for (let c = 0; c < nCarriers; c++) {
      const row = c * this.size;
      this.values[row] = 1;
      for (let j = 1; j <= reach; j++) {
        const phase = (2 * Math.PI * carriers[c] * j * step) / fftSize;
        this.values[row + 2 * j - 1] = Math.SQRT2 * Math.cos(phase);
        this.values[row + 2 * j] = Math.SQRT2 * Math.sin(phase);
      }
    }
    this.gram = new Float64Array(this.size * this.size);
    for (let c = 0; c < nCarriers; c++) this.addOuter(this.gram, c);
  }

  private addOuter(matrix: Float64Array, carrier: number): void {
    const { size, values } = this;
    const row = carrier * size;
    for (let i = 0; i < size; i++)
      for (let j = 0; j < size; j++) matrix[i * size + j] += values[row + i] * values[row + j];
  }

  /**
   * Smooths a channel known at every carrier with equal noise: out = A (A'A + lambda I)^-1 A' in.
   * `lambda` = noise variance x size / mean channel power, quantised to 1 dB so that inverses are cached.
   * Returns the fit's degrees of freedom. Arrays are [nCarriers][re, im]; out may be in.
   */
  smooth(input: Float32Array, lambda: number, out: Float32Array): number {
    const { size, values } = this;
    const { nCarriers } = this.numerology;
    const fitter = this.fitter(lambda);
    const { z } = fitter;
    // Function by function (two at once: their number is odd, and a sum waits for the one before).
    for (let i = 0; i < size; i += 2) {
      const next = i + 1 < size ? 1 : 0;
      let re = 0;
      let im = 0;
      let re2 = 0;
      let im2 = 0;
      for (let c = 0, at = i; c < 2 * nCarriers; c += 2, at += size) {
        const v = values[at];
        const v2 = values[at + next];
        const a = input[c];
        const b = input[c + 1];
        re += v * a;
        im += v * b;
        re2 += v2 * a;
        im2 += v2 * b;
      }
      z[2 * i] = re;
      z[2 * i + 1] = im;
      if (next === 0) break;
      z[2 * i + 2] = re2;
      z[2 * i + 3] = im2;
    }
    fitter.solve();
    this.expand(fitter.theta, 0, out, 0);
    return fitter.dof;
  }

  /** out = A theta: coefficients [size][re, im] to carriers [nCarriers][re, im]. */
  expand(theta: Float64Array, thetaAt: number, out: Float32Array, at: number): void {
    const { size, values } = this;
    const { nCarriers } = this.numerology;
    // Two carriers at once (their number is even): a sum waits for the one before.
    for (let c = 0; c < nCarriers; c += 2) {
      const row = c * size;
      let re = 0;
      let im = 0;
      let re2 = 0;
      let im2 = 0;
      for (let i = 0; i < size; i++) {
        const tr = theta[thetaAt + 2 * i];
        const ti = theta[thetaAt + 2 * i + 1];
        const v = values[row + i];
        const v2 = values[row + size + i];
        re += v * tr;
        im += v * ti;
        re2 += v2 * tr;
        im2 += v2 * ti;
      }
      const o = at + 2 * c;
      out[o] = re;
      out[o + 1] = im;
      out[o + 2] = re2;
      out[o + 3] = im2;
    }
  }

  /** The regularised fit for a lambda, as `smooth` quantises it. */
  fitter(lambda: number): Fitter {
    const key = quantiseDb(lambda);
    let fitter = this.fitters.get(key);
    if (!fitter) {
      fitter = new Fitter(this.gram, this.size, 10 ** (key / 10));
      this.fitters.set(key, fitter);
    }
    return fitter;
  }
}

/** theta = (A'A + lambda I)^-1 z for complex z = A'y, [size][re, im], with the factor of the matrix inverted once. */
export class Fitter {
  readonly z: Float64Array;
  readonly theta: Float64Array;
  /** tr((A'A + lambda I)^-1 A'A). */
  readonly dof: number;
  readonly lambda: number;
  readonly size: number;
  /** L^-1 of A'A + lambda I = L L', [size][size]. */
  readonly factor: Float64Array;
  private readonly scratch: Float64Array;

  constructor(gram: Float64Array, size: number, lambda: number) {
    this.size = size;
    this.lambda = lambda;
    this.z = new Float64Array(2 * size);
    this.theta = new Float64Array(2 * size);
    this.scratch = new Float64Array(2 * size);
    const a = gram.slice();
    for (let i = 0; i < size; i++) a[i * size + i] += lambda;
    this.factor = invertFactor(a, size);
    let trace = 0;
    for (let i = 0; i < size; i++) for (let j = 0; j <= i; j++) trace += this.factor[i * size + j] ** 2;
    this.dof = size - lambda * trace;
  }

  /** Solves for theta. */
  solve(): void {
    solveWithFactor(this.factor, this.size, this.z, this.scratch, this.theta);
  }
}

/** A ratio in whole dB, bounded to +-90, as a cache key. */
export function quantiseDb(ratio: number): number {
  return Math.max(-90, Math.min(90, Math.round(10 * Math.log10(ratio + 1e-30))));
}

const bases = new Map<string, DelayBasis>();

/** The basis of a numerology and half width, made once. */
export function delayBasis(n: Numerology, halfWidth: number): DelayBasis {
  const key = `${n.id}/${halfWidth}`;
  let basis = bases.get(key);
  if (!basis) {
    basis = new DelayBasis(n, halfWidth);
    bases.set(key, basis);
  }
  return basis;
}
