import { invertSymmetric } from '../channel-est/cholesky.ts';
import type { ChannelTrace } from './channel-trace.ts';

/** Delays considered on either side of the mean delay: the cyclic prefix, 9/128 of 1/15 kHz. */
const MAX_DELAY_S = 9 / 128 / 15e3;
/** Windows tried, narrowest first, as shares of MAX_DELAY_S. */
const WINDOWS = [0.05, 0.12, 0.25, 0.5, 1];
/** Grid step over the resolution 1/bandwidth: as fine as the receiver's own basis. */
const STEP = 0.75;
/** Ridge, relative to the carriers: keeps the continuation beyond the band bounded. */
const RIDGE = 1e-5;
const CHECKED_INSTANTS = 24;

/** A trace as delays and their gains over time: sum_j gains[i][j] exp(-2 pi i f delaysS[j]) = H(f, timesS[i]). */
export interface TraceTaps {
  /** [taps], ascending, about 0 = the trace's mean delay. */
  readonly delaysS: Float64Array;
  /** [instant][tap][re, im]. */
  readonly gains: Float32Array;
  /** Mean |fit - H|^2 over mean |H|^2. */
  readonly residual: number;
}

/**
 * Fits every H(f) by a ridge-regularised sum of delays on a grid, g = (A'A + lambda I)^-1 A'H, A[k][j] = exp(-2 pi i f_k tau_j):
 * the delay-limited continuation of H over DC and guards. A'A is real because the carriers lie symmetrically. The narrowest window
 * is taken whose residual stays 20 dB under the noise, or under -50 dB; else the widest. O(instants x carriers x taps).
 */
export function fitTaps(trace: ChannelTrace, spacingHz: number, noiseLevel: number): TraceTaps {
  const allowed = Math.max(1e-5, 0.01 * noiseLevel);
  for (const share of WINDOWS) {
    const fit = new DelayFit(trace.carrierHz, spacingHz, share * MAX_DELAY_S);
    const residual = residualOf(fit, trace);
    if (residual > allowed && share !== WINDOWS[WINDOWS.length - 1]) continue;
    const instants = trace.timesS.length;
    const gains = new Float32Array(2 * instants * fit.delaysS.length);
    for (let i = 0; i < instants; i++)
      fit.solve(trace.response, 2 * i * trace.carrierHz.length, gains, 2 * i * fit.size);
    return { delaysS: fit.delaysS, gains, residual };
  }
  throw new Error('no delay window');
}

function residualOf(fit: DelayFit, trace: ChannelTrace): number {
  const n = trace.carrierHz.length;
  const instants = trace.timesS.length;
  const count = Math.min(CHECKED_INSTANTS, instants);
  const gains = new Float32Array(2 * fit.size);
  const back = new Float64Array(2 * n);
  let error = 0;
  let power = 0;
  for (let k = 0; k < count; k++) {
    const at = 2 * n * Math.floor((k * (instants - 1)) / Math.max(1, count - 1));
    fit.solve(trace.response, at, gains, 0);
    fit.expand(gains, back);
    for (let i = 0; i < 2 * n; i++) {
      error += (back[i] - trace.response[at + i]) ** 2;
      power += trace.response[at + i] ** 2;
    }
  }
  return error / (power + 1e-30);
}

class DelayFit {
  readonly delaysS: Float64Array;
  readonly size: number;
  /** exp(-2 pi i f_k tau_j), [carrier][tap][re, im]. */
  private readonly steering: Float64Array;
  private readonly inverse: Float64Array;
  private readonly projected: Float64Array;
  private readonly carriers: number;

  constructor(carrierHz: Float64Array, spacingHz: number, halfWindowS: number) {
    this.carriers = carrierHz.length;
    const step = STEP / (carrierHz.length * spacingHz);
    const reach = Math.ceil(halfWindowS / step);
    const size = 2 * reach + 1;
    this.size = size;
    this.delaysS = Float64Array.from({ length: size }, (_, j) => (j - reach) * step);
    this.steering = new Float64Array(2 * carrierHz.length * size);
    for (let k = 0; k < carrierHz.length; k++) {
      for (let j = 0; j < size; j++) {
        const angle = -2 * Math.PI * carrierHz[k] * this.delaysS[j];
        this.steering[2 * (k * size + j)] = Math.cos(angle);
        this.steering[2 * (k * size + j) + 1] = Math.sin(angle);
      }
    }
    // The Gram matrix is Toeplitz: sum_k cos(2 pi f_k (tau_i - tau_j)).
    const row = this.delaysS.map((_, j) => carrierHz.reduce((sum, f) => sum + Math.cos(2 * Math.PI * f * j * step), 0));
    const gram = new Float64Array(size * size);
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) gram[i * size + j] = row[Math.abs(i - j)];
      gram[i * size + i] += RIDGE * carrierHz.length;
    }
    this.inverse = invertSymmetric(gram, size);
    this.projected = new Float64Array(2 * size);
  }

  /** Gains of one H(f), input[carrier][re, im] from `at` into out[tap][re, im] from `outAt`. */
  solve(input: Float32Array, at: number, out: Float32Array, outAt: number): void {
    const { size, steering, inverse, projected: z } = this;
    z.fill(0);
    for (let k = 0; k < this.carriers; k++) {
      const re = input[at + 2 * k];
      const im = input[at + 2 * k + 1];
      for (let j = 0, a = 2 * k * size; j < 2 * size; j += 2, a += 2) {
        z[j] += steering[a] * re + steering[a + 1] * im;
        z[j + 1] += steering[a] * im - steering[a + 1] * re;
      }
    }
    for (let i = 0; i < size; i++) {
      let re = 0;
      let im = 0;
      for (let j = 0; j < size; j++) {
        re += inverse[i * size + j] * z[2 * j];
        im += inverse[i * size + j] * z[2 * j + 1];
      }
      out[outAt + 2 * i] = re;
      out[outAt + 2 * i + 1] = im;
    }
  }

  /** H(f) of one set of gains. */
  expand(gains: Float32Array, out: Float64Array): void {
    const { size, steering } = this;
    for (let k = 0; k < this.carriers; k++) {
      let re = 0;
      let im = 0;
      for (let j = 0, a = 2 * k * size; j < 2 * size; j += 2, a += 2) {
        re += steering[a] * gains[j] - steering[a + 1] * gains[j + 1];
        im += steering[a] * gains[j + 1] + steering[a + 1] * gains[j];
      }
      out[2 * k] = re;
      out[2 * k + 1] = im;
    }
  }
}
