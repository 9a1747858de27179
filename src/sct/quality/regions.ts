import { UsageError } from '../../common/errors.ts';
import { type RgbImage, requireSameSize } from '../image/rgb-image.ts';
import { mseToPsnrDb } from './psnr.ts';

/** Most regions of one picture: the protocol's bound on semantic feature vectors. */
export const MAX_REGIONS = 255;

/** The error of one region of a picture. */
export interface RegionError {
  readonly pixels: number;
  /** PSNR of the region alone, dB; null where it has no pixel, Infinity where it is identical. */
  readonly psnrDb: number | null;
}

/**
 * PSNR of each region: 10 log10(255^2 / MSE) with the MSE over the samples of that region only. One region a semantic
 * feature vector: per-SFV PSNR.
 *
 * @param regions region of each pixel, [y][x]; `count` and up belong to none
 * @param count number of regions, 0 to 255
 * @returns one element a region
 * @throws UsageError when sizes differ or the count is out of range
 */
export function regionPsnrDb(a: RgbImage, b: RgbImage, regions: Uint8Array, count: number): RegionError[] {
  requireSameSize(a, b);
  if (!(Number.isInteger(count) && count >= 0 && count <= MAX_REGIONS)) {
    throw new UsageError(`${count} regions are out of range: allowed 0 to ${MAX_REGIONS}`);
  }
  if (regions.length !== a.width * a.height) {
    throw new UsageError(`the region map has ${regions.length} elements, ${a.width}x${a.height} pixels need one each`);
  }
  const sums = new Float64Array(count); // exact: below 2^53
  const pixels = new Float64Array(count);
  for (let p = 0; p < regions.length; p++) {
    const r = regions[p];
    if (r >= count) continue;
    pixels[r]++;
    for (let i = 3 * p; i < 3 * p + 3; i++) {
      const d = a.data[i] - b.data[i];
      sums[r] += d * d;
    }
  }
  return Array.from({ length: count }, (_, r) => ({
    pixels: pixels[r],
    psnrDb: pixels[r] === 0 ? null : mseToPsnrDb(sums[r] / (3 * pixels[r])),
  }));
}

/**
 * A map of grid cells as a map of pixels: pixel (x, y) takes cell (x / cellPx, y / cellPx), rounded down.
 *
 * @param cells [row][column], of ceil(height / cellPx) x ceil(width / cellPx) cells
 * @throws UsageError when the number of cells does not fit
 */
export function cellsToPixels(cells: Uint8Array, width: number, height: number, cellPx = 16): Uint8Array {
  const columns = Math.ceil(width / cellPx);
  if (cells.length !== columns * Math.ceil(height / cellPx)) {
    throw new UsageError(`${cells.length} cells do not cover ${width}x${height} pixels in cells of ${cellPx}`);
  }
  const out = new Uint8Array(width * height);
  for (let y = 0, p = 0; y < height; y++) {
    const row = Math.floor(y / cellPx) * columns;
    for (let x = 0; x < width; x++, p++) out[p] = cells[row + Math.floor(x / cellPx)];
  }
  return out;
}
