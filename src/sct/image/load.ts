import { readFile, stat } from 'node:fs/promises';
import sharp, { type Sharp } from 'sharp';
import { UsageError } from '../../common/errors.ts';
import { ALLOWED_SIZES, isAllowedSize, MAX_PIXELS, type RgbImage, rgbImage } from './rgb-image.ts';

/** The colour behind transparent pixels: white, as a page shows them. */
export const ALPHA_BACKGROUND = { r: 255, g: 255, b: 255 } as const;

/** Largest file read: an uncompressed 16-bit RGBA picture of 8192x8192, rounded up. */
export const MAX_FILE_BYTES = 640 * 2 ** 20;

const FORMATS = new Set(['png', 'jpeg', 'webp', 'heif', 'avif', 'tiff', 'gif']);
const FORMAT_NAMES = 'PNG, JPEG, WebP, AVIF, TIFF or GIF (first frame)';

/**
 * Reads a photo file as 8-bit sRGB: 16 bit is scaled to 8, grey is repeated, alpha is flattened on white, the EXIF
 * orientation is applied, CMYK and embedded ICC profiles are converted to sRGB.
 *
 * Size and format are checked from the header, before pixels are allocated.
 *
 * @throws UsageError naming the file and what is allowed: not a file, empty, too large, unknown format, outside
 *   1x1 to 8192x8192, truncated or damaged
 */
export async function loadImage(path: string): Promise<RgbImage> {
  return decodeImage(await pictureBytes(path), path);
}

/**
 * Size of the picture in a file, px [width, height], from its header alone.
 *
 * @param name what messages call it
 * @throws UsageError as `loadImage`, but for damage behind the header
 */
export async function pictureSize(path: string, name = path): Promise<{ width: number; height: number }> {
  const { width, height } = await fileAt(path, name, () => named(name, () => allowed(opened(path), name)));
  return { width, height };
}

/**
 * What a picture file holds.
 *
 * @throws UsageError as `loadImage`, but for what is in it
 */
export async function pictureBytes(path: string): Promise<Buffer> {
  return fileAt(path, path, () => readFile(path));
}

/** Does something with a regular file of an allowed size: a pipe would be waited for without end. */
async function fileAt<T>(path: string, name: string, use: () => Promise<T>): Promise<T> {
  try {
    const info = await stat(path);
    if (info.isDirectory()) throw new UsageError(`${name} is a folder, not a picture file`);
    if (!info.isFile()) throw new UsageError(`${name} is not a regular file`);
    if (info.size === 0) throw new UsageError(`${name} is empty: allowed ${FORMAT_NAMES}, ${ALLOWED_SIZES}`);
    if (info.size > MAX_FILE_BYTES) {
      throw new UsageError(`${name} has ${info.size} bytes: allowed 1 to ${MAX_FILE_BYTES}`);
    }
    return await use();
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    throw new UsageError(`${name}: ${code === 'ENOENT' ? 'no such file' : `cannot be read (${code ?? error})`}`);
  }
}

/**
 * Decodes the bytes of a picture file; see `loadImage`.
 *
 * @param name what messages call it
 * @throws UsageError as `loadImage`
 */
export async function decodeImage(bytes: Uint8Array, name: string): Promise<RgbImage> {
  return named(name, async () => {
    const input = opened(bytes);
    await allowed(input, name);
    const { data, info } = await input
      .autoOrient()
      .flatten({ background: ALPHA_BACKGROUND })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 3) throw new UsageError(`${name}: has ${info.channels} channels after conversion, not 3`);
    return rgbImage(info.width, info.height, new Uint8Array(data.buffer, data.byteOffset, data.length));
  });
}

function opened(input: string | Uint8Array): Sharp {
  return sharp(input, { limitInputPixels: MAX_PIXELS, failOn: 'error', pages: 1, sequentialRead: true });
}

/** What the header says, if format and size are allowed. */
async function allowed(input: Sharp, name: string): Promise<{ width: number; height: number }> {
  const { format, width, height } = await input.metadata();
  if (!FORMATS.has(format)) throw new UsageError(`${name}: format ${format} is not accepted: allowed ${FORMAT_NAMES}`);
  if (!isAllowedSize(width, height)) {
    throw new UsageError(`${name}: size ${width}x${height} is out of range: allowed ${ALLOWED_SIZES}`);
  }
  return { width, height };
}

/** Errors of the decoder as a UsageError that names the file. */
async function named<T>(name: string, decode: () => Promise<T>): Promise<T> {
  try {
    return await decode();
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const reason = String((error as Error).message)
      .split('\n')[0]
      .trim();
    if (/pixel limit/i.test(reason)) throw new UsageError(`${name}: too many pixels: allowed ${ALLOWED_SIZES}`);
    throw new UsageError(
      `${name} cannot be decoded as a picture (${reason}): allowed ${FORMAT_NAMES}, ${ALLOWED_SIZES}`,
    );
  }
}
