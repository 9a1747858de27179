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

/** Samples / 255 as [3][H][W], H and W the next multiples of 16; the last row and column are repeated below and right. */
export function imageTensor({ width, height, data }: RgbImage): Float32Array {
  requireNetworkSize({ widthPx: width, heightPx: height });
  const { rows, columns } = gridOf({ widthPx: width, heightPx: height });
  const [paddedHeight, paddedWidth] = [rows * CELL_PX, columns * CELL_PX];
  const plane = paddedHeight * paddedWidth;
  const out = new Float32Array(3 * plane);
  for (let y = 0; y < paddedHeight; y++) {
    const row = Math.min(y, height - 1) * width;
    for (let x = 0; x < paddedWidth; x++) {
      const from = (row + Math.min(x, width - 1)) * 3;
      const to = y * paddedWidth + x;
      out[to] = data[from] / 255;
      out[to + plane] = data[from + 1] / 255;
      out[to + 2 * plane] = data[from + 2] / 255;
    }
  }
  return out;
}

/** The upper left widthPx x heightPx of [3][H][W], clamped to 0..1, times 255, rounded half to even as torch.round does. */
export function imageFromTensor(values: Float32Array, { widthPx, heightPx }: PictureShape): RgbImage {
  const { rows, columns } = gridOf({ widthPx, heightPx });
  const plane = rows * columns * CELL_PX * CELL_PX;
  const data = new Uint8Array(widthPx * heightPx * 3);
  for (let y = 0, to = 0; y < heightPx; y++) {
    for (let x = 0; x < widthPx; x++) {
      const from = y * columns * CELL_PX + x;
      for (let c = 0; c < 3; c++) data[to++] = toByte(values[from + c * plane]);
    }
  }
  return { width: widthPx, height: heightPx, data };
}

function toByte(value: number): number {
  const scaled = Math.fround(Math.min(1, Math.max(0, value)) * 255);
  const low = Math.floor(scaled);
  const rest = scaled - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low;
}
