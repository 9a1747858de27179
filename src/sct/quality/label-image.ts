import sharp from 'sharp';
import { UsageError } from '../../common/errors.ts';
import { pictureBytes } from '../image/load.ts';
import { MAX_SIDE_PX } from '../image/rgb-image.ts';
import { VOID_LABEL } from './confusion.ts';

/** The region of interest of street scenes: sign, car, pedestrian, bicyclist. */
export const ROI_LABELS: readonly number[] = [6, 8, 9, 10];

/** A ground-truth map of pixels. */
export interface LabelImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array; // [y][x]
}

/**
 * Reads a PNG whose samples are numbers, not colours: 8-bit grey (label maps) or 1-bit (masks, which become 0 and 255).
 *
 * @throws UsageError naming the file and what is allowed
 */
export async function loadLabelImage(path: string): Promise<LabelImage> {
  try {
    const input = sharp(await pictureBytes(path), { limitInputPixels: MAX_SIDE_PX ** 2, failOn: 'error' });
    const meta = await input.metadata();
    if (meta.format !== 'png' || meta.channels !== 1 || meta.isPalette === true || meta.depth !== 'uchar') {
      throw new UsageError(`${path} is no map of labels: allowed PNG with one channel of 8 bit, without palette`);
    }
    const { data, info } = await input.toColourspace('b-w').raw().toBuffer({ resolveWithObject: true });
    if (info.channels !== 1) throw new UsageError(`${path} has ${info.channels} channels: allowed 1`);
    return { width: info.width, height: info.height, data: new Uint8Array(data) };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(
      `${path} cannot be read as a map of labels: ${String((error as Error).message).split('\n')[0]}`,
    );
  }
}

/**
 * CamVid labels 0..10 and 11 = void (255 too) of a street scene.
 *
 * @throws UsageError when the file holds another number
 */
export async function loadStreetLabels(path: string): Promise<LabelImage> {
  const image = await loadLabelImage(path);
  const data = image.data.map((v) => (v === 255 ? VOID_LABEL : v));
  const bad = data.find((v) => v > VOID_LABEL);
  if (bad !== undefined) {
    throw new UsageError(`${path} holds label ${bad}: allowed 0 to 10, and 11 or 255 for void`);
  }
  return { ...image, data };
}

/** 1 where the label is one of the region of interest, else 0; [y][x]. */
export function roiMask(labels: Uint8Array, roi: readonly number[] = ROI_LABELS): Uint8Array {
  return labels.map((v) => (roi.includes(v) ? 1 : 0));
}
