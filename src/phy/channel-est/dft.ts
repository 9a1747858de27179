import { fftKernel } from '../kernels/fft/fft.ts';
import { type Numerology, SLOT_SYMBOLS, SUBBAND_CARRIERS } from '../numerology.ts';
import { resourceGrid } from '../resource-grid.ts';
import { invertSymmetric } from './cholesky.ts';
import { quantiseDb } from './delay-basis.ts';
import type { ChannelEstimate, ChannelEstimator, PilotObservations } from './estimator.ts';
import { SeparableChannel } from './separable-channel.ts';
import { signalPower } from './signal-power.ts';

/** Samples kept before the first path and after the last one that the prefix covers: a fractional delay spreads so far. */
const MARGIN = 2;

/**
 * Truncation of the impulse response to the cyclic prefix [Edfors98], with the leakage of a partly filled band undone.
 * Least-squares pilots are interpolated in time, carrier by carrier; then in each symbol
 *   h = (F'F + lambda I)^-1 F' H,   H = F h,
 * F the N-point transform between the taps of one prefix and the occupied carriers. F'H is the inverse transform with zeros
 * on the empty carriers, cut off; F'F, which would be N I if the band were full, is what the empty carriers leak, and real
 * because the band is symmetric. O(N log N + cpLength^2) a symbol.
 */
export class DftEstimator implements ChannelEstimator {
  readonly name = 'dft';

  estimate(observed: PilotObservations): ChannelEstimate {
    const { numerology: n, slots, pilots, noiseVariance, preamble } = observed;
    const time = timeInterpolation(n, slots);
    const taps = n.cpLength + 2 * MARGIN;
    // Noise over power of a tap whose delay profile is flat.
    const truncation = tapTruncation(n, (time.noiseGain * noiseVariance * taps) / signalPower(observed));
    const nodes = new Float32Array(2 * n.nCarriers * slots * SLOT_SYMBOLS);
    for (let symbol = 0; symbol < slots * SLOT_SYMBOLS; symbol++) {
      const row = nodes.subarray(2 * n.nCarriers * symbol, 2 * n.nCarriers * (symbol + 1));
      interpolate(n, pilots, time, symbol, row);
      truncation.run(row, preamble.backoff - MARGIN);
    }
    // Each symbol has a function of its own.
    const sets = Uint16Array.from({ length: slots }, (_, slot) => slot);
    const weights = new Float32Array(slots * SLOT_SYMBOLS * SLOT_SYMBOLS);
    for (let i = 0; i < slots * SLOT_SYMBOLS; i++) weights[i * SLOT_SYMBOLS + (i % SLOT_SYMBOLS)] = 1;
    const share = truncation.dof / n.nCarriers;
    return {
      channel: new SeparableChannel(n.nCarriers, SLOT_SYMBOLS, nodes, sets, weights),
      errorRatio: share * time.noiseGain,
      powerBias: -share * time.noiseGain,
      // The interpolation passes through the pilots: var(p - H) / sigma^2 = 1 - 2 share + share x gain.
      residualRatio: share * (2 - time.noiseGain),
      summary: `DFT, ${taps} taps of the cyclic prefix, linear in time`,
    };
  }
}

/** Two pilots and their weights for every slot offset and symbol. */
interface TimeInterpolation {
  /** Symbols of the two pilots, [symbols][12][2]. */
  readonly from: Int32Array;
  /**
   * Weight of the second one, [symbols][12]. Beyond the outermost pilots the line goes on: held, 70 Hz would cost more than the
   * noise. In a burst of one slot, whose carriers have one pilot or two, it is held.
   */
  readonly weight: Float64Array;
  /** Mean of the squared weights: noise of an interpolated coefficient over a pilot's. */
  readonly noiseGain: number;
}

const interpolations = new Map<number, TimeInterpolation>();
const MAX_INTERPOLATIONS = 16;

function timeInterpolation(n: Numerology, slots: number): TimeInterpolation {
  let known = interpolations.get(slots);
  if (known) return known;
  const grid = resourceGrid(n);
  const symbols = slots * SLOT_SYMBOLS;
  const from = new Int32Array(2 * symbols * SUBBAND_CARRIERS);
  const weight = new Float64Array(symbols * SUBBAND_CARRIERS);
  let gain = 0;
  for (let offset = 0; offset < SUBBAND_CARRIERS; offset++) {
    const at: number[] = [];
    for (let t = 0; t < symbols; t++) if (grid.pilotOffset(t % SLOT_SYMBOLS) === offset) at.push(t);
    for (let t = 0, k = 0; t < symbols; t++) {
      while (k < at.length - 2 && at[k + 1] <= t) k++;
      const a = at[k];
      const b = at[Math.min(k + 1, at.length - 1)];
      const along = b === a ? 0 : (t - a) / (b - a);
      const w = slots > 1 ? along : Math.max(0, Math.min(1, along));
      from[2 * (t * SUBBAND_CARRIERS + offset)] = a;
      from[2 * (t * SUBBAND_CARRIERS + offset) + 1] = b;
      weight[t * SUBBAND_CARRIERS + offset] = w;
      gain += (w * w + (1 - w) ** 2) / weight.length;
    }
  }
  known = { from, weight, noiseGain: gain };
  if (interpolations.size >= MAX_INTERPOLATIONS) interpolations.delete(interpolations.keys().next().value!);
  interpolations.set(slots, known);
  return known;
}

/** Channel at every carrier of one symbol, out[nCarriers][re, im]. */
function interpolate(
  n: Numerology,
  pilots: Float32Array,
  time: TimeInterpolation,
  symbol: number,
  out: Float32Array,
): void {
  const { nSubbands } = n;
  for (let offset = 0; offset < SUBBAND_CARRIERS; offset++) {
    const i = symbol * SUBBAND_CARRIERS + offset;
    const w = time.weight[i];
    let a = 2 * time.from[2 * i] * nSubbands;
    let b = 2 * time.from[2 * i + 1] * nSubbands;
    for (let c = 2 * offset; c < out.length; c += 2 * SUBBAND_CARRIERS, a += 2, b += 2) {
      out[c] = (1 - w) * pilots[a] + w * pilots[b];
      out[c + 1] = (1 - w) * pilots[a + 1] + w * pilots[b + 1];
    }
  }
}

/** The fit of one prefix of taps to all carriers at one loading lambda. */
class TapTruncation {
  readonly dof: number;
  private readonly n: Numerology;
  private readonly taps: number;
  private readonly inverse: Float64Array;
  private readonly z: Float64Array;
  private readonly spectrum: Float32Array;

  constructor(n: Numerology, lambda: number) {
    this.n = n;
    this.taps = n.cpLength + 2 * MARGIN;
    this.z = new Float64Array(2 * this.taps);
    this.spectrum = new Float32Array(2 * n.fftSize);
    const { taps } = this;
    // Toeplitz: (F'F)_ab = sum_k cos(2 pi k (a - b) / N).
    const column = new Float64Array(taps);
    for (let d = 0; d < taps; d++) {
      for (const k of n.carriers) column[d] += Math.cos((2 * Math.PI * k * d) / n.fftSize);
    }
    const a = new Float64Array(taps * taps);
    for (let i = 0; i < taps; i++) {
      for (let j = 0; j < taps; j++) a[i * taps + j] = column[Math.abs(i - j)] + (i === j ? lambda : 0);
    }
    const inverse = invertSymmetric(a, taps);
    let trace = 0;
    for (let i = 0; i < taps; i++) trace += inverse[i * taps + i];
    this.dof = taps - lambda * trace;
    this.inverse = inverse;
  }

  /** Replaces H by its fit with taps from `first` on, values[nCarriers][re, im]. */
  run(values: Float32Array, first: number): void {
    const { taps, z, spectrum, inverse } = this;
    const { bins, nCarriers, fftSize } = this.n;
    const kernel = fftKernel(fftSize);
    spectrum.fill(0);
    for (let c = 0; c < nCarriers; c++) {
      spectrum[2 * bins[c]] = values[2 * c];
      spectrum[2 * bins[c] + 1] = values[2 * c + 1];
    }
    kernel.inverse(spectrum, 0, spectrum, 0);
    const tap = (i: number) => 2 * ((((first + i) % fftSize) + fftSize) % fftSize);
    for (let i = 0; i < taps; i++) {
      z[2 * i] = spectrum[tap(i)];
      z[2 * i + 1] = spectrum[tap(i) + 1];
    }
    spectrum.fill(0);
    for (let i = 0; i < taps; i++) {
      let re = 0;
      let im = 0;
      for (let j = 0, row = i * taps; j < taps; j++, row++) {
        re += inverse[row] * z[2 * j];
        im += inverse[row] * z[2 * j + 1];
      }
      spectrum[tap(i)] = re;
      spectrum[tap(i) + 1] = im;
    }
    kernel.forward(spectrum, 0, spectrum, 0);
    for (let c = 0; c < nCarriers; c++) {
      values[2 * c] = spectrum[2 * bins[c]];
      values[2 * c + 1] = spectrum[2 * bins[c] + 1];
    }
  }
}

/** About 40 dB of SNR. */
const LEAST_LOADING_DB = -21;
const truncations = new Map<string, TapTruncation>();
const MAX_TRUNCATIONS = 64;

/** Steps of 3 dB are fine enough for a regulariser; below -20 dB the transforms' rounding would show. */
function tapTruncation(n: Numerology, lambda: number): TapTruncation {
  const step = Math.max(LEAST_LOADING_DB, 3 * Math.round(quantiseDb(lambda) / 3));
  const key = `${n.id}/${step}`;
  let truncation = truncations.get(key);
  if (!truncation) {
    truncation = new TapTruncation(n, 10 ** (step / 10));
    if (truncations.size >= MAX_TRUNCATIONS) truncations.delete(truncations.keys().next().value!);
    truncations.set(key, truncation);
  }
  return truncation;
}
