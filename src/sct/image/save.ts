import { writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { inRange } from '../../common/errors.ts';
import type { RgbImage } from './rgb-image.ts';

function pipeline(image: RgbImage): ReturnType<typeof sharp> {
  const { data, width, height } = image;
  return sharp(data, { raw: { width, height, channels: 3 }, limitInputPixels: false });
}

/** The picture as the bytes of a PNG file (lossless, 8-bit RGB, no metadata). */
export async function encodePng(image: RgbImage): Promise<Uint8Array> {
  return pipeline(image).png({ compressionLevel: 6 }).toBuffer();
}

/** The picture as the bytes of a JPEG file of quality 1 to 100; for previews only. */
export async function encodeJpeg(image: RgbImage, quality = 85): Promise<Uint8Array> {
  inRange('JPEG quality', quality, 1, 100);
  return pipeline(image).jpeg({ quality, chromaSubsampling: '4:4:4' }).toBuffer();
}

/** Writes a PNG file. */
export async function savePng(path: string, image: RgbImage): Promise<void> {
  await writeFile(path, await encodePng(image));
}

/** The picture as a `data:` URI, for self-contained reports. */
export async function toDataUri(image: RgbImage, type: 'png' | 'jpeg' = 'png', quality = 85): Promise<string> {
  const bytes = type === 'png' ? await encodePng(image) : await encodeJpeg(image, quality);
  return `data:image/${type};base64,${Buffer.from(bytes).toString('base64')}`;
}

/**
 * Resamples to width x height with a Lanczos-3 kernel; aspect is not kept.
 *
 * @throws UsageError when the new size is not within 1x1 to 8192x8192
 */
export async function resizeImage(image: RgbImage, width: number, height: number): Promise<RgbImage> {
  inRange('width', width, 1, 8192, 'px');
  inRange('height', height, 1, 8192, 'px');
  if (width === image.width && height === image.height) return image;
  const { data } = await pipeline(image)
    .resize(width, height, { fit: 'fill', kernel: 'lanczos3' })
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  return { width, height, data: new Uint8Array(data.buffer, data.byteOffset, data.length) };
}

/** The part of the picture with its corner at (left, top). */
export function cropImage(image: RgbImage, left: number, top: number, width: number, height: number): RgbImage {
  inRange('crop width', width, 1, image.width, 'px');
  inRange('crop height', height, 1, image.height, 'px');
  inRange('crop left', left, 0, image.width - width, 'px');
  inRange('crop top', top, 0, image.height - height, 'px');
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * image.width + left) * 3;
    data.set(image.data.subarray(from, from + width * 3), y * width * 3);
  }
  return { width, height, data };
}
