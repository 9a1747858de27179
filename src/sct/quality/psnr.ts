import { UsageError } from '../../common/errors.ts';
import { type RgbImage, requireSameSize } from '../image/rgb-image.ts';

/** Mean squared error over all 3 x width x height samples. Both pictures must have the same size. */
export function meanSquaredError(a: RgbImage, b: RgbImage): number {
  requireSameSize(a, b);
  const x = a.data;
  const y = b.data;
  let sum = 0; // exact: at most 2^28 samples x 2^16 < 2^53
  for (let i = 0; i < x.length; i++) {
    const d = x[i] - y[i];
    sum += d * d;
  }
  return sum / x.length;
}

/**
 * Peak signal-to-noise ratio of 8-bit RGB, dB: 10 log10(255^2 / MSE) with the MSE over all samples of the three
 * channels together. Infinity for identical pictures.
 */
export function psnrDb(a: RgbImage, b: RgbImage): number {
  return mseToPsnrDb(meanSquaredError(a, b));
}

/** 10 log10(255^2 / mse); Infinity for 0. */
export function mseToPsnrDb(mse: number): number {
  return mse === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10((255 * 255) / mse);
}

/**
 * PSNR, dB, over the pixels whose mask is not 0 (region of interest); null when the mask selects nothing.
 *
 * @param mask one element a pixel, [y][x]
 * @throws UsageError when sizes differ
 */
export function roiPsnrDb(a: RgbImage, b: RgbImage, mask: Uint8Array): number | null {
  requireSameSize(a, b);
  requireMask(a, mask.length);
  let sum = 0;
  let n = 0;
  for (let p = 0; p < mask.length; p++) {
    if (mask[p] === 0) continue;
    for (let i = 3 * p; i < 3 * p + 3; i++) {
      const d = a.data[i] - b.data[i];
      sum += d * d;
    }
    n += 3;
  }
  return n === 0 ? null : mseToPsnrDb(sum / n);
}

/**
 * PSNR, dB, of the weighted mean squared error sum(w_p e_p) / sum(w_p); a diagnostic, it rewards peaky maps.
 *
 * @param weights not negative, one a pixel, [y][x]; null when they are all 0
 * @throws UsageError when sizes differ or a weight is negative or not finite
 */
export function weightedPsnrDb(a: RgbImage, b: RgbImage, weights: Float32Array): number | null {
  requireSameSize(a, b);
  requireMask(a, weights.length);
  let sum = 0;
  let total = 0;
  for (let p = 0; p < weights.length; p++) {
    const w = weights[p];
    if (!(w >= 0 && w < Number.POSITIVE_INFINITY)) {
      throw new UsageError(`weight ${w} of pixel ${p} is out of range: allowed 0 and up, finite`);
    }
    for (let i = 3 * p; i < 3 * p + 3; i++) {
      const d = a.data[i] - b.data[i];
      sum += w * d * d;
    }
    total += 3 * w;
  }
  return total === 0 ? null : mseToPsnrDb(sum / total);
}

function requireMask(image: RgbImage, length: number): void {
  if (length !== image.width * image.height) {
    throw new UsageError(`mask has ${length} elements, the picture ${image.width}x${image.height} needs one a pixel`);
  }
}
