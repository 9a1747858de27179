import { UsageError } from '../../common/errors.ts';
import type { RgbImage } from '../image/rgb-image.ts';
import { CELL_PX, gridOf, type PictureShape } from './feature-map.ts';

/**
 * Most pixels of a picture that the networks take, after padding to whole cells. Networks work on the whole picture at once:
 * about 100 MB for a megapixel with set base (peak 1.4 GB for 4000x3000, 2.3 GB for 6000x4000, measured).
 */
export const MAX_NETWORK_PIXELS = 25_000_000;

/** Throws a UsageError with the allowed range unless the networks take a picture of this size. */
export function requireNetworkSize({ widthPx, heightPx }: PictureShape): void {
  const { rows, columns } = gridOf({ widthPx, heightPx });
  const pixels = rows * columns * CELL_PX * CELL_PX;
  if (pixels > MAX_NETWORK_PIXELS) {
    throw new UsageError(
      `a picture of ${widthPx}x${heightPx} (${(pixels / 1e6).toFixed(1)} megapixels) is out of range for the networks: ` +
        `allowed 1x1 to ${MAX_NETWORK_PIXELS / 1e6} megapixels, each side rounded up to a multiple of ${CELL_PX}`,
      'reduce the picture first',
    );
  }
}

/** A sample's value, 0..1; [sample]. */
const UNIT = Float32Array.from({ length: 256 }, (_, v) => v / 255);

/** Samples / 255 as [3][H][W], H and W the next multiples of 16; the last row and column are repeated below and right. `into` as long. */
export function imageTensor({ width, height, data }: RgbImage, into?: Float32Array): Float32Array {
  requireNetworkSize({ widthPx: width, heightPx: height });
  const { rows, columns } = gridOf({ widthPx: width, heightPx: height });
  const [paddedHeight, paddedWidth] = [rows * CELL_PX, columns * CELL_PX];
  const plane = paddedHeight * paddedWidth;
  const out = into ?? new Float32Array(3 * plane);
  const red = out.subarray(0, plane);
  const green = out.subarray(plane, 2 * plane);
  const blue = out.subarray(2 * plane);
  for (let y = 0, to = 0; y < paddedHeight; y++) {
    const row = 3 * Math.min(y, height - 1) * width;
    const last = row + 3 * (width - 1);
    for (let x = 0, from = row; x < paddedWidth; x++, to++) {
      red[to] = UNIT[data[from]];
      green[to] = UNIT[data[from + 1]];
      blue[to] = UNIT[data[from + 2]];
      if (from < last) from += 3;
    }
  }
  return out;
}

/**
 * The upper left widthPx x heightPx of [3][H][W], times 255, rounded half to even as torch.round does and kept to 0..255: what storing
 * into clamped bytes does.
 */
export function imageFromTensor(values: Float32Array, { widthPx, heightPx }: PictureShape): RgbImage {
  const { rows, columns } = gridOf({ widthPx, heightPx });
  const stride = columns * CELL_PX;
  const plane = rows * CELL_PX * stride;
  const red = values.subarray(0, plane);
  const green = values.subarray(plane, 2 * plane);
  const blue = values.subarray(2 * plane);
  const data = new Uint8Array(widthPx * heightPx * 3);
  const clamped = new Uint8ClampedArray(data.buffer);
  for (let y = 0, to = 0; y < heightPx; y++) {
    for (let from = y * stride, end = from + widthPx; from < end; from++, to += 3) {
      clamped[to] = Math.fround(red[from] * 255);
      clamped[to + 1] = Math.fround(green[from] * 255);
      clamped[to + 2] = Math.fround(blue[from] * 255);
    }
  }
  return { width: widthPx, height: heightPx, data };
}
