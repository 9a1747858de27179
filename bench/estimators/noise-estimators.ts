import type { PilotObservations } from '../../src/phy/channel-est/estimator.ts';
import { commonVariance, type NoiseEstimate, shrink } from '../../src/phy/channel-est/noise.ts';
import { RB_DATA_RE, SUBBAND_CARRIERS } from '../../src/phy/numerology.ts';

/**
 * Estimators of noise and RB SNR that the product does not use, to be compared with the pilots' residuals
 * (src/phy/channel-est/noise.ts). Variances are of one RE, complex.
 */

export interface TrainingDifference {
  /** Mean |H|^2 and noise variance of each subband, [nSubbands]. */
  readonly signal: Float64Array;
  readonly noise: Float64Array;
}

/**
 * Two equal training symbols Y1, Y2 (known values taken out), [2][nCarriers][re, im]: per subband
 *   sigma^2 = mean |Y1 - Y2|^2 / 2,   S = mean |(Y1 + Y2) / 2|^2 - sigma^2 / 2.
 * Unbiased; relative standard deviation of sigma^2 is 1 / sqrt(12). A frequency offset left over reads as noise
 * (`falseNoise`).
 */
export function trainingDifference(training: Float32Array): TrainingDifference {
  const length = training.length / 2;
  const subbands = length / 2 / SUBBAND_CARRIERS;
  const signal = new Float64Array(subbands);
  const noise = new Float64Array(subbands);
  for (let i = 0; i < length; i++) {
    const s = Math.floor(i / 2 / SUBBAND_CARRIERS);
    noise[s] += (training[i] - training[length + i]) ** 2 / (2 * SUBBAND_CARRIERS);
    signal[s] += ((training[i] + training[length + i]) / 2) ** 2 / SUBBAND_CARRIERS;
  }
  for (let s = 0; s < subbands; s++) signal[s] -= noise[s] / 2;
  return { signal, noise };
}

/**
 * Noise variance over signal power that `trainingDifference` sees in a residual offset of `cfo` subcarrier spacings:
 * |1 - exp(2 pi i cfo)|^2 / 2 = 2 sin^2(pi cfo), whose inverse is the SNR that it cannot exceed.
 */
export function falseNoise(cfo: number): number {
  return 2 * Math.sin(Math.PI * cfo) ** 2;
}

/** Mean |Y|^2 of empty carriers, [..][re, im]: one variance for the band, blind to interference inside it. */
export function nullCarrierNoise(guards: Float32Array): number {
  let sum = 0;
  for (const v of guards) sum += v * v;
  return sum / (guards.length / 2);
}

/** Mean |Y|^2 of each subband in a pause, [windows][nCarriers][re, im]; what begins later is not in it. */
export function gapNoise(gap: Float32Array, windows: number): Float64Array {
  const perWindow = gap.length / windows;
  const out = new Float64Array(perWindow / (2 * SUBBAND_CARRIERS));
  for (let i = 0; i < gap.length; i++) {
    out[Math.floor((i % perWindow) / (2 * SUBBAND_CARRIERS))] += gap[i] ** 2 / (windows * SUBBAND_CARRIERS);
  }
  return out;
}

/**
 * EVM with the transmitted symbols known (all blocks of the burst have passed and were encoded again): the noise of
 * an RB is that which the equaliser assumed times the mean of |x' - x|^2 snr over its 154 data RE, x' the equalised symbol
 * without the MMSE bias. It counts the channel estimate's error as the equaliser did, so that cancels.
 */
export function knownSymbolNoise(
  payload: Float32Array,
  payloadSnr: Float32Array,
  sent: Float32Array,
  assumed: ArrayLike<number>,
): Float64Array {
  const out = new Float64Array(assumed.length);
  for (let p = 0; p < payloadSnr.length; p++) {
    const snr = payloadSnr[p];
    const gain = (1 + snr) / (snr + 1e-12);
    const re = gain * payload[2 * p] - sent[2 * p];
    const im = gain * payload[2 * p + 1] - sent[2 * p + 1];
    const rb = Math.floor(p / RB_DATA_RE);
    out[rb] += ((re * re + im * im) * snr * assumed[rb]) / RB_DATA_RE;
  }
  return out;
}

/** Variances of RBs, each from m complex samples, shrunk to subband and band as far as they agree. */
export function pooled(perRb: Float64Array, nSubbands: number, m: number): NoiseEstimate {
  const slots = perRb.length / nSubbands;
  const perSubband = new Float64Array(nSubbands);
  let mean = 0;
  for (let i = 0; i < perRb.length; i++) {
    perSubband[i % nSubbands] += perRb[i] / slots;
    mean += perRb[i] / perRb.length;
  }
  const common = commonVariance(perSubband, m * slots);
  const bySubband = shrink(perSubband, m * slots, () => common).values;
  const values = slots > 1 ? shrink(perRb, m, (i) => bySubband[i % nSubbands]).values : bySubband;
  return { variance: Float32Array.from(values), relativeError: new Float32Array(perRb.length), mean };
}

/** One variance, or one a subband, for every RB of a burst. */
export function spread(observed: PilotObservations, values: number | Float64Array): NoiseEstimate {
  const { slots, numerology: n } = observed;
  const variance = Float32Array.from({ length: slots * n.nSubbands }, (_, i) =>
    typeof values === 'number' ? values : values[i % n.nSubbands],
  );
  return { variance, relativeError: new Float32Array(variance.length), mean: variance[0] };
}
