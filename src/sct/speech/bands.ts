import { FRAME } from './mdct.ts';

/** One-third-octave bands from 160 Hz to 8 kHz (ANSI S3.5-1997, table 3). */
export const BANDS = 18;

/** First coefficient of each band and the end of the last: nominal band edges in steps of 25 Hz; the first band begins at 0. */
export const BAND_EDGES = [0, 7, 9, 11, 14, 18, 22, 28, 36, 45, 57, 71, 90, 113, 142, 179, 225, 283, FRAME] as const;

/** Share of each band in the intelligibility of average speech; they add up to 1 (ANSI S3.5-1997, table 3). */
export const BAND_IMPORTANCE = [
  0.0083, 0.0095, 0.015, 0.0289, 0.044, 0.0578, 0.0653, 0.0711, 0.0818, 0.0844, 0.0882, 0.0898, 0.0868, 0.0844, 0.0771,
  0.0527, 0.0364, 0.0185,
] as const;

/**
 * round(16 log2(importance / coefficients of the band)): the weight of a coefficient in sixteenths of an octave, as whole numbers that both ends
 * order by. A test recomputes it.
 */
export const BAND_WEIGHT_CODES = [
  -156, -123, -113, -107, -104, -98, -104, -109, -109, -114, -117, -124, -129, -135, -143, -156, -170, -175,
] as const;

/** Coefficients of a band. */
export function bandWidth(band: number): number {
  return BAND_EDGES[band + 1] - BAND_EDGES[band];
}

/** Band of each coefficient, [FRAME]. */
export const BAND_OF = Uint8Array.from({ length: FRAME }, (_, k) => BAND_EDGES.filter((edge) => edge <= k).length - 1);

/**
 * Mean power of the coefficients in each band of each frame.
 *
 * @param coefficients [frame][coefficient]
 * @returns [frame][band]
 */
export function bandPowers(coefficients: Float32Array): Float64Array {
  const frames = coefficients.length / FRAME;
  const out = new Float64Array(frames * BANDS);
  for (let t = 0; t < frames; t++) {
    for (let b = 0; b < BANDS; b++) {
      let sum = 0;
      for (let k = BAND_EDGES[b]; k < BAND_EDGES[b + 1]; k++) sum += coefficients[t * FRAME + k] ** 2;
      out[t * BANDS + b] = sum / bandWidth(b);
    }
  }
  return out;
}
