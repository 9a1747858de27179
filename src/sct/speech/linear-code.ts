import { strideOf } from '../codec/symbol-order.ts';
import { BAND_EDGES, BAND_WEIGHT_CODES, BANDS, bandWidth } from './bands.ts';
import { FRAME } from './mdct.ts';
import { type FrameSpan, MAX_LEVEL, UNIT_LEVEL } from './speech-model.ts';

/** Steps in which the share of different coefficients among the places is chosen. */
export const SHARE_STEPS = 16;

/** An SFV's coefficients by weight x variance, descending; what both ends know of each from integers. */
export interface RankedCoefficients {
  /** frame x 320 + bin in the whole source. */
  readonly address: Uint32Array; // [rank]
  readonly variance: Float64Array; // [rank]
  /** Amplitude before power is divided out: (weight / variance)^(1/4). */
  readonly gain: Float64Array; // [rank]
  /** Weight of a squared error. */
  readonly weight: Float64Array; // [rank]
}

const LEAST_KEY = Math.min(...BAND_WEIGHT_CODES);
const MOST_KEY = 8 * MAX_LEVEL + Math.max(...BAND_WEIGHT_CODES);

/**
 * Orders coefficients by weight x variance as whole numbers, 8 level + code of the band (sixteenths of an octave, for weight falls with the
 * root of the variance); ties by frame, then bin. O(coefficients).
 *
 * @param levels [frame][band] of the whole source
 */
export function rankCoefficients({ from, frames }: FrameSpan, levels: Uint8Array): RankedCoefficients {
  const cells: number[][] = Array.from({ length: MOST_KEY - LEAST_KEY + 1 }, () => []); // by key, from the largest
  for (let t = from; t < from + frames; t++) {
    for (let b = 0; b < BANDS; b++)
      cells[MOST_KEY - (8 * levels[t * BANDS + b] + BAND_WEIGHT_CODES[b])].push(t * BANDS + b);
  }
  const count = frames * FRAME;
  const out = {
    address: new Uint32Array(count),
    variance: new Float64Array(count),
    gain: new Float64Array(count),
    weight: new Float64Array(count),
  };
  let rank = 0;
  for (const cell of cells.flat()) {
    const [t, b] = [Math.floor(cell / BANDS), cell % BANDS];
    const variance = 2 ** (levels[cell] - UNIT_LEVEL);
    const weight = 2 ** (BAND_WEIGHT_CODES[b] / 16) / Math.sqrt(variance);
    const gain = (weight / variance) ** 0.25;
    for (let i = 0; i < bandWidth(b); i++, rank++) {
      out.address[rank] = t * FRAME + BAND_EDGES[b] + i;
      out.variance[rank] = variance;
      out.gain[rank] = gain;
      out.weight[rank] = weight;
    }
  }
  return out;
}

/** Different coefficients in so many places: sixteenths of them, and no more than there are. */
export function differentCoefficients(share: number, places: number, there: number): number {
  return Math.min(there, Math.max(1, Math.ceil((places * share) / SHARE_STEPS)));
}

/** How often rank r is carried. */
function copiesOf(rank: number, different: number, places: number): number {
  return Math.floor(places / different) + (rank < places % different ? 1 : 0);
}

/** What gains are multiplied by so that each pair of places has an expected power of 1. */
export function powerFactor({ variance, gain }: RankedCoefficients, different: number, places: number): number {
  let power = 0;
  for (let r = 0; r < different; r++) power += copiesOf(r, different, places) * variance[r] * gain[r] ** 2;
  return Math.sqrt(places / 2 / power);
}

/**
 * Expected weighed squared error of the SFV: w v / (1 + copies a^2 gain^2 v 2 snr) for what is sent, w v for what is not.
 *
 * @param snr Es/N0 of a complex symbol, linear
 */
export function expectedDistortion(ranked: RankedCoefficients, different: number, places: number, snr: number): number {
  const { variance, gain, weight } = ranked;
  const a = powerFactor(ranked, different, places);
  let sum = 0;
  for (let r = 0; r < variance.length; r++) {
    const copies = r < different ? copiesOf(r, different, places) : 0;
    sum += (weight[r] * variance[r]) / (1 + copies * (a * gain[r]) ** 2 * variance[r] * 2 * snr);
  }
  return sum;
}

/** The share, 1..16, with the least expected error; ties: the smaller one. */
export function chooseShare(ranked: RankedCoefficients, places: number, snr: number): number {
  let [best, least] = [1, Number.POSITIVE_INFINITY];
  for (let share = 1; share <= SHARE_STEPS; share++) {
    const different = differentCoefficients(share, places, ranked.address.length);
    const distortion = expectedDistortion(ranked, different, places, snr);
    if (distortion < least) [best, least] = [share, distortion];
  }
  return best;
}

/** The rank that each place carries: place p has p s mod places, s by the golden ratio, and ranks beyond the different ones begin again. */
export function ranksOfPlaces(places: number, different: number): Uint32Array {
  const step = strideOf(places);
  const out = new Uint32Array(places);
  for (let p = 0, walk = 0; p < places; p++) {
    out[p] = walk % different;
    walk += step;
    if (walk >= places) walk -= places;
  }
  return out;
}

/** Symbols of an SFV before their power is measured: places 2q and 2q + 1 are re and im of symbol q. */
export function mapLinear(
  ranked: RankedCoefficients,
  coefficients: Float32Array,
  share: number,
  symbolsReIm: Float32Array,
): void {
  const places = symbolsReIm.length;
  const different = differentCoefficients(share, places, ranked.address.length);
  const a = powerFactor(ranked, different, places);
  const ranks = ranksOfPlaces(places, different);
  for (let p = 0; p < places; p++) {
    const r = ranks[p];
    symbolsReIm[p] = a * ranked.gain[r] * coefficients[ranked.address[r]];
  }
}

/** What is known of coefficients at the receiver; [frame x 320 + bin]. */
export interface Estimate {
  readonly value: Float32Array;
  /** Variance that is left open. */
  readonly open: Float32Array;
}

/**
 * Linear least-squares estimate from all copies: sum h y 2 snr / (sum h^2 2 snr + 1 / v), h = gain on the air, y = symbol with its MMSE weight
 * snr / (1 + snr) taken off. Variance left: 1 / (sum h^2 2 snr + 1 / v).
 *
 * @param divisor that the symbols were divided by
 * @returns symbols that came, and their mean capacity in bits
 */
export function estimateLinear(
  ranked: RankedCoefficients,
  stream: { readonly symbolsReIm: Float32Array; readonly snrDb: Float32Array },
  share: number,
  divisor: number,
  estimate: Estimate,
): { readonly arrived: number; readonly bits: number } {
  const { symbolsReIm, snrDb } = stream;
  const places = symbolsReIm.length;
  const different = differentCoefficients(share, places, ranked.address.length);
  const a = powerFactor(ranked, different, places) / divisor;
  const ranks = ranksOfPlaces(places, different);
  const matched = new Float64Array(different);
  const energy = new Float64Array(different);
  let [arrived, bits] = [0, 0];
  for (let q = 0; q < snrDb.length; q++) {
    const snr = 10 ** (Math.min(60, snrDb[q]) / 10);
    if (!(snr > 0)) continue;
    arrived++;
    bits += Math.log2(1 + snr);
    for (const p of [2 * q, 2 * q + 1]) {
      const y = symbolsReIm[p];
      if (!Number.isFinite(y)) continue;
      const r = ranks[p];
      const h = a * ranked.gain[r];
      matched[r] += h * 2 * (1 + snr) * y; // 2 snr x y (1 + snr) / snr
      energy[r] += h * h * 2 * snr;
    }
  }
  for (let r = 0; r < different; r++) {
    const open = 1 / (energy[r] + 1 / ranked.variance[r]);
    estimate.value[ranked.address[r]] = matched[r] * open;
    estimate.open[ranked.address[r]] = open;
  }
  return { arrived, bits: arrived === 0 ? 0 : bits / arrived };
}
