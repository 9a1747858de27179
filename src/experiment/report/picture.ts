import type { RgbImage } from '../../sct/image/rgb-image.ts';
import { resizeImage, toDataUri } from '../../sct/image/save.ts';
import type { ReportPicture } from './data.ts';

/** A report stays small: wide pictures are reduced to `widestPx` pixels, the file beside it has every pixel. */
export async function reportPicture(
  image: RgbImage,
  alt: string,
  file?: string,
  note?: string,
  widestPx = 768,
): Promise<ReportPicture> {
  const scale = Math.min(1, widestPx / Math.max(image.width, image.height));
  const small =
    scale < 1
      ? await resizeImage(
          image,
          Math.max(1, Math.round(image.width * scale)),
          Math.max(1, Math.round(image.height * scale)),
        )
      : image;
  const dataUri = await toDataUri(small, 'jpeg', 88);
  return {
    dataUri,
    width: small.width,
    height: small.height,
    alt,
    ...(file ? { file } : {}),
    note: note ?? `${image.width} × ${image.height}`,
  };
}
