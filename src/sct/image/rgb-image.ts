import { UsageError } from '../../common/errors.ts';

/** An 8-bit sRGB picture. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array; // [y][x][r, g, b]
}

/** Largest width and height of any picture, from a file or from the air. */
export const MAX_SIDE_PX = 8192;

/** Largest number of pixels of any picture. */
export const MAX_PIXELS = MAX_SIDE_PX * MAX_SIDE_PX;

/** The sizes accepted everywhere, in words for messages. */
export const ALLOWED_SIZES = `1x1 to ${MAX_SIDE_PX}x${MAX_SIDE_PX} pixels`;

/** True when both sides are whole numbers from 1 to 8192. */
export function isAllowedSize(width: number, height: number): boolean {
  return (
    Number.isInteger(width) &&
    Number.isInteger(height) &&
    width >= 1 &&
    height >= 1 &&
    width <= MAX_SIDE_PX &&
    height <= MAX_SIDE_PX
  );
}

/**
 * Wraps samples as a picture after checking size and length.
 *
 * @param data width x height x 3 bytes, [y][x][r, g, b]; kept, not copied
 * @throws UsageError naming the allowed sizes, or the length that does not match
 */
export function rgbImage(width: number, height: number, data: Uint8Array): RgbImage {
  if (!isAllowedSize(width, height)) {
    throw new UsageError(`picture size ${width}x${height} is out of range: allowed ${ALLOWED_SIZES}`);
  }
  if (data.length !== width * height * 3) {
    throw new UsageError(`picture of ${width}x${height} needs ${width * height * 3} bytes, got ${data.length}`);
  }
  return { width, height, data };
}

/** A picture of one colour; mid-grey 128 stands for a picture that could not be decoded. */
export function flatImage(width: number, height: number, r = 128, g = r, b = r): RgbImage {
  if (!isAllowedSize(width, height)) {
    throw new UsageError(`picture size ${width}x${height} is out of range: allowed ${ALLOWED_SIZES}`);
  }
  const data = new Uint8Array(width * height * 3);
  if (r === g && g === b) data.fill(r);
  else
    for (let i = 0; i < data.length; i += 3) {
      data[i] = r;
      data[i + 1] = g;
      data[i + 2] = b;
    }
  return { width, height, data };
}

/** abs(a - b) x gain per sample, clipped at 255: the difference picture of reports. Sizes must agree. */
export function differenceImage(a: RgbImage, b: RgbImage, gain = 4): RgbImage {
  requireSameSize(a, b);
  const data = new Uint8Array(a.data.length);
  for (let i = 0; i < data.length; i++) data[i] = Math.min(255, Math.abs(a.data[i] - b.data[i]) * gain);
  return { width: a.width, height: a.height, data };
}

/** Throws a UsageError naming both sizes unless they are equal. */
export function requireSameSize(a: RgbImage, b: RgbImage): void {
  if (a.width !== b.width || a.height !== b.height) {
    throw new UsageError(`pictures differ in size: ${a.width}x${a.height} and ${b.width}x${b.height}`);
  }
}
