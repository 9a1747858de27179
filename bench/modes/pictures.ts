import { basename, extname, join } from 'node:path';
import { listImages } from '../../src/sct/image/list.ts';
import { loadImage } from '../../src/sct/image/load.ts';
import type { RgbImage } from '../../src/sct/image/rgb-image.ts';
import { loadLabelImage, loadStreetLabels } from '../../src/sct/quality/label-image.ts';

/** A picture with the mask of what matters in it by ground truth. */
export interface RoiPicture {
  readonly name: string;
  readonly data: 'camvid' | 'ecssd';
  readonly image: RgbImage;
  readonly roi: Uint8Array; // [y][x], 1 inside
  /** CamVid labels 0..10, 11 = void; null for ECSSD. */
  readonly truth: Uint8Array | null; // [y][x]
}

/** Classes of the ROI of CamVid: sign, car, pedestrian, bicyclist. */
const ROI_CLASSES = [6, 8, 9, 10];
/** A ROI below this share of the picture or above the other says little of where quality went. */
const ROI_SHARE = [0.01, 0.7] as const;

/**
 * Pictures of the validation part (camvid/val, saliency/train) or the test part of the data that have a ROI, at even distances
 * in the order of their names.
 */
export async function* roiPictures(
  data: string,
  part: 'validation' | 'test',
  most: number,
  sets: readonly RoiPicture['data'][] = ['camvid', 'ecssd'],
): AsyncGenerator<RoiPicture> {
  for (const set of sets) {
    const folder =
      set === 'camvid'
        ? part === 'validation'
          ? 'camvid/val'
          : 'camvid/test'
        : `saliency/${part === 'validation' ? 'train' : 'test'}`;
    const files = (await listImages(join(data, folder))).filter((f) => extname(f).toLowerCase() === '.jpg');
    const step = Math.max(1, files.length / most);
    for (let i = 0; i < Math.min(most, files.length); i++) {
      const path = files[Math.floor(i * step)];
      const name = basename(path, extname(path));
      const image = await loadImage(path);
      const labels = join(data, folder, `${name}.png`);
      let roi: Uint8Array;
      let truth: Uint8Array | null = null;
      if (set === 'camvid') {
        truth = (await loadStreetLabels(labels)).data;
        roi = truth.map((v) => (ROI_CLASSES.includes(v) ? 1 : 0));
      } else roi = (await loadLabelImage(labels)).data.map((v) => (v > 127 ? 1 : 0));
      const share = roi.reduce((a, b) => a + b, 0) / roi.length;
      if (share < ROI_SHARE[0] || share > ROI_SHARE[1]) continue;
      yield { name, data: set, image, roi, truth };
    }
  }
}
