import sharp from 'sharp';
import { FormatError } from '../../common/errors.ts';
import type { RgbImage } from '../image/rgb-image.ts';
import { checkTemporalUnit, unwrapAvif, wrapAvif } from './avif-container.ts';
import type { ClassicalFormat } from './classical-header.ts';
import type { LevelEncoder } from './quality-search.ts';

/** sharp qualities 1..100 that give different AV1 quantisers, (63 (100 - q) + 50) / 100 in libheif, coarse to fine. */
const avifQualities = Array.from({ length: 100 }, (_, i) => i + 1).filter(
  (q, i) => i === 0 || avifQuantiser(q) !== avifQuantiser(q - 1),
);

function avifQuantiser(quality: number): number {
  return Math.floor((63 * (100 - quality) + 50) / 100);
}

// The AV1 encoder's bytes depend on its number of threads: one thread makes a run the same on every machine.
sharp.concurrency(1);

/**
 * Speed of the AV1 encoder by picture size. One encode of 512x768 on one core takes 0.02 s at effort 0, 0.1 to 0.3 s at
 * 3 and 0.4 to 1.3 s at 4, which is worth 0.24 to 0.38 dB at 0.22 to 0.82 bit a pixel (Kodak mean); larger pictures get
 * the faster ones so that none takes minutes.
 */
function avifEffort(image: RgbImage): number {
  const pixels = image.width * image.height;
  return pixels <= 2 ** 20 ? 4 : pixels <= 2 ** 22 ? 3 : pixels <= 2 ** 24 ? 2 : 0;
}

/**
 * The codings of one picture, coarse to fine, as bodies of a classical stream.
 *
 * AVIF: AV1 4:4:4 8 bit tuned for PSNR (measured 0.3 to 0.6 dB over 4:2:0, and 0.5 dB over libvips' default tuning, at
 * 0.2 to 0.8 bit a pixel), boxes stripped. WebP: 4:2:0 effort 6. JPEG: progressive, trellis-quantised, so that a
 * truncated file shows the whole picture coarsely.
 */
export function levelEncoder(image: RgbImage, format: ClassicalFormat, effort = avifEffort(image)): LevelEncoder {
  const input = () =>
    sharp(image.data, { raw: { width: image.width, height: image.height, channels: 3 }, limitInputPixels: false });
  const avif = (level: number, speed: number) =>
    input().avif({ quality: avifQualities[level], effort: speed, chromaSubsampling: '4:4:4', tune: 'psnr' }).toBuffer();
  switch (format) {
    case 'avif':
      return {
        levels: avifQualities.length,
        estimate: effort > 1 ? async (level) => unwrapAvif(await avif(level, 0)).length : undefined,
        encode: async (level) => unwrapAvif(await avif(level, effort)),
      };
    case 'webp':
      return {
        levels: 100,
        estimate: undefined,
        encode: (level) =>
          input()
            .webp({ quality: level + 1, effort: 6, smartSubsample: true })
            .toBuffer(),
      };
    case 'jpeg':
      return {
        levels: 100,
        estimate: undefined,
        encode: (level) =>
          input()
            .jpeg({ quality: level + 1, mozjpeg: true })
            .toBuffer(),
      };
  }
}

/**
 * Decodes a body of known format and size from the air.
 *
 * @param body as much of it as arrived from its start without a gap
 * @param bodyBytes its full length; a shorter body is decoded as far as its format allows
 * @throws when it cannot be decoded, or is not what format and size say (FormatError)
 */
export async function decodeBody(
  body: Uint8Array,
  bodyBytes: number,
  format: ClassicalFormat,
  width: number,
  height: number,
): Promise<RgbImage> {
  let file = body;
  if (format === 'avif') {
    if (body.length < bodyBytes) throw new FormatError('body', 'an AV1 picture cannot be decoded in part');
    file = wrapAvif(body, width, height, checkTemporalUnit(body, width, height));
  } else if (format === 'webp' && body.length < bodyBytes) {
    file = new Uint8Array(bodyBytes); // the WebP parser wants its announced length; zeros decode to something flat
    file.set(body);
  }
  const input = sharp(file, { limitInputPixels: width * height, failOn: 'none', pages: 1 });
  const meta = await input.metadata();
  const expected = format === 'avif' ? 'heif' : format;
  if (meta.format !== expected && meta.format !== format) {
    throw new FormatError('body', `is ${meta.format}, the header says ${format}`);
  }
  if (meta.width !== width || meta.height !== height) {
    throw new FormatError('body', `is ${meta.width}x${meta.height}, the header says ${width}x${height}`);
  }
  const { data, info } = await input
    .flatten({ background: { r: 128, g: 128, b: 128 } })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  if (info.width !== width || info.height !== height || info.channels !== 3) {
    throw new FormatError('body', `decodes to ${info.width}x${info.height}x${info.channels}`);
  }
  return { width, height, data: new Uint8Array(data.buffer, data.byteOffset, data.length) };
}
