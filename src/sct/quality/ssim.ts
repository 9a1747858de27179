import { type RgbImage, requireSameSize } from '../image/rgb-image.ts';
import { ssimMeans, WINDOW } from './ssim-statistics.ts';

/**
 * Mean SSIM of the luma [Wang04]; 1 for identical pictures. Luma = 0.299 R + 0.587 G + 0.114 B (BT.601, not rounded),
 * full resolution (no downsampling first), 11x11 Gaussian window of sigma 1.5, valid positions only.
 *
 * @returns null when a side is below 11 pixels
 * @throws UsageError when sizes differ
 */
export function ssim(a: RgbImage, b: RgbImage): number | null {
  requireSameSize(a, b);
  if (Math.min(a.width, a.height) < WINDOW) return null;
  return ssimMeans(luma(a), luma(b), a.width, a.height).ssim;
}

/** BT.601 luma 0..255 of each pixel, [y][x]. */
export function luma(image: RgbImage): Float32Array {
  const out = new Float32Array(image.width * image.height);
  for (let p = 0, i = 0; p < out.length; p++, i += 3) {
    out[p] = 0.299 * image.data[i] + 0.587 * image.data[i + 1] + 0.114 * image.data[i + 2];
  }
  return out;
}
