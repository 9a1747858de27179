import { UsageError } from '../../common/errors.ts';
import { PowerSpectrum } from './power-spectrum.ts';

/** Bins either side of the middle that are left out: the LO leaks there, and the Hann window spreads it over three. */
const DC_BINS = 2;
/** The quarter of the bins with the least power: the floor is found while no more than three quarters are occupied. */
const QUANTILE = 0.25;
/** 25 % quantile of the standard normal distribution. */
const QUANTILE_Z = -0.674_49;
/** What the interpolation between bins may be off by itself, bins. */
const INTERPOLATION_BINS = 0.02;
/** Longest transform for a tone's frequency. */
const MAX_FINE_SIZE = 2 ** 20;
/** Share of empty bins that may be called occupied by chance. */
const FALSE_ALARM = 1e-4;
const FALSE_ALARM_Z = 3.719;

/** Which bins of an ascending spectrum are looked at: inside the board's filter and away from its LO. */
export function usableBins(size: number, rateHz: number, bandwidthHz: number): Uint8Array {
  const reach = Math.floor((Math.min(bandwidthHz, rateHz) / rateHz) * (size / 2));
  return Uint8Array.from({ length: size }, (_, bin) => {
    const k = Math.abs(bin - size / 2);
    return k > DC_BINS && k <= reach ? 1 : 0;
  });
}

/**
 * Noise power of one bin: the lower quartile of the mean spectrum over what the quartile of noise alone would be. The mean of K periodograms of
 * noise has a gamma distribution of shape K; by the cube root of Wilson and Hilferty its quantile is (1 - 1/(9K) + z/sqrt(9K))^3 times its mean.
 * What is occupied hardly moves it while K is not small, as all empty bins then are nearly the same.
 *
 * @param mean [bin] of power
 * @param windows K
 */
export function noiseFloor(mean: Float64Array, usable: Uint8Array, windows: number): number {
  const values = mean.filter((_, bin) => usable[bin] === 1).sort();
  if (values.length === 0 || windows < 1) throw new UsageError('no bins to find a noise floor in');
  return values[Math.floor(QUANTILE * values.length)] / gammaQuantile(windows, QUANTILE_Z);
}

export interface Occupancy {
  /** Share of the usable bins whose mean power is above the floor by the margin. */
  readonly meanShare: number;
  /** Share of those that were above it at any time: their maximum is more than noise would have in so many windows. */
  readonly maxShare: number;
  /** Where the two thresholds stand over the floor, dB: the margin, or more where noise alone would exceed it. */
  readonly meanMarginDb: number;
  readonly maxMarginDb: number;
}

/**
 * How much of the spectrum is in use. The thresholds are such that noise alone exceeds them in one bin of 10 000: of the mean (gamma distribution, as above), and
 * of the maximum of M exponential ones, 1 - (1 - exp(-t))^M.
 */
export function occupancy(
  spectrum: {
    readonly mean: Float64Array;
    readonly max: Float64Array;
    readonly windows: number;
    readonly independentWindows: number;
  },
  usable: Uint8Array,
  floor: number,
  marginDb: number,
): Occupancy {
  const { mean, max, windows, independentWindows } = spectrum;
  const margin = 10 ** (marginDb / 10);
  const meanLimit = Math.max(margin, gammaQuantile(independentWindows, FALSE_ALARM_Z));
  const maxLimit = Math.max(margin, -Math.log(-Math.expm1(Math.log1p(-FALSE_ALARM) / windows)));
  let looked = 0;
  let inMean = 0;
  let inMax = 0;
  for (let bin = 0; bin < mean.length; bin++) {
    if (!usable[bin]) continue;
    looked++;
    if (mean[bin] > floor * meanLimit) inMean++;
    if (max[bin] > floor * maxLimit) inMax++;
  }
  const share = (count: number): number => (looked === 0 ? 0 : count / looked);
  return {
    meanShare: share(inMean),
    maxShare: share(inMax),
    meanMarginDb: 10 * Math.log10(meanLimit),
    maxMarginDb: 10 * Math.log10(maxLimit),
  };
}

export interface Tone {
  /** From the middle of the spectrum. */
  readonly offsetHz: number;
  /** Without the noise under it; 1 is full scale. */
  readonly power: number;
  /** Height of its bin over the noise of a bin, dB. */
  readonly overFloorDb: number;
  /** Of the frequency, either way (two standard errors): steady tones, the board's own clock not counted. */
  readonly errorHz: number;
}

/**
 * The strongest line of the mean spectrum, or null where no usable bin stands 10 dB above the floor. A tone d bins off the middle of its bin has neighbours in amplitude as
 * a = (1 + d)/(2 - d), so d = (2a - 1)/(1 + a) (Hann window); its power is the sum of seven bins.
 */
export function strongestTone(mean: Float64Array, usable: Uint8Array, floor: number, rateHz: number): Tone | null {
  const size = mean.length;
  let peak = -1;
  for (let bin = 3; bin < size - 3; bin++) {
    if (usable[bin] && (peak < 0 || mean[bin] > mean[peak])) peak = bin;
  }
  if (peak < 0 || !(mean[peak] > 10 * floor)) return null;
  const above = (bin: number): number => Math.max(0, mean[bin] - floor);
  const side = mean[peak + 1] >= mean[peak - 1] ? 1 : -1;
  const ratio = Math.sqrt(above(peak + side) / above(peak));
  const shift = side * Math.max(-0.5, Math.min(0.5, (2 * ratio - 1) / (1 + ratio)));
  let power = 0;
  for (let bin = peak - 3; bin <= peak + 3; bin++) power += above(bin);
  return {
    offsetHz: ((peak - size / 2 + shift) * rateHz) / size,
    power,
    overFloorDb: floor > 0 ? 10 * Math.log10(mean[peak] / floor) : 300,
    errorHz: (rateHz / size) * (INTERPOLATION_BINS + 1.5 * Math.sqrt(floor / mean[peak])),
  };
}

/**
 * The same tone with its frequency from one long transform of samples that follow each other; as it is where there are too few for a finer one.
 *
 * @param bins of the spectrum that it was found in
 * @param floor noise power in one of them
 */
export function finerTone(tone: Tone, samples: Float32Array, rateHz: number, bins: number, floor: number): Tone {
  const size = 2 ** Math.floor(Math.log2(Math.max(1, samples.length / 2)));
  if (size <= bins || size > MAX_FINE_SIZE) return tone;
  const spectrum = new PowerSpectrum(size);
  spectrum.add(samples.subarray(0, 2 * size));
  const at = (tone.offsetHz * size) / rateHz + size / 2;
  const near = Uint8Array.from({ length: size }, (_, bin) => (Math.abs(bin - at) <= size / bins ? 1 : 0));
  const fine = strongestTone(spectrum.mean(), near, (floor * bins) / size, rateHz);
  return fine ? { ...tone, offsetHz: fine.offsetHz, errorHz: fine.errorHz } : tone;
}

/** Quantile of a gamma distribution of this shape and mean 1, by its z of the normal distribution. */
function gammaQuantile(shape: number, z: number): number {
  return Math.max(0, 1 - 1 / (9 * shape) + z / Math.sqrt(9 * shape)) ** 3;
}
