import { basename, join } from 'node:path';
import { listImages } from '../../src/sct/image/list.ts';
import { loadImage } from '../../src/sct/image/load.ts';
import { type RgbImage, rgbImage } from '../../src/sct/image/rgb-image.ts';

/** Folders of each set: the rule was chosen on `fit`, `test` only judges it. */
const FOLDERS = {
  fit: ['train/photos', 'camvid/val'],
  test: ['kodak', 'camvid/test', 'saliency/test'],
} as const;
export type PictureSet = keyof typeof FOLDERS;
export const PICTURE_SETS = Object.keys(FOLDERS) as PictureSet[];

/** Label maps and masks lie beside the photographs of these. */
const MASKED = /camvid|saliency/;

export interface Picture {
  readonly name: string;
  readonly image: RgbImage;
}

/** `count` pictures spread over the folders of a set, the middle of each, at most `sidePx` high and wide. */
export async function pictures(data: string, set: PictureSet, count: number, sidePx: number): Promise<Picture[]> {
  const folders: string[][] = [];
  for (const folder of FOLDERS[set]) {
    const all = await listImages(join(data, folder));
    folders.push(MASKED.test(folder) ? all.filter((path) => !path.endsWith('.png')) : all);
  }
  const out: Picture[] = [];
  const each = Math.ceil(count / folders.length);
  for (let i = 0; i < count; i++) {
    const paths = folders[i % folders.length];
    const path = paths[Math.floor(((Math.floor(i / folders.length) + 0.5) * paths.length) / each)];
    out.push({ name: basename(path), image: middle(await loadImage(path), sidePx) });
  }
  return out;
}

function middle(image: RgbImage, sidePx: number): RgbImage {
  const width = Math.min(sidePx, image.width);
  const height = Math.min(sidePx, image.height);
  const left = (image.width - width) >> 1;
  const top = (image.height - height) >> 1;
  const data = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    const from = 3 * ((top + y) * image.width + left);
    data.set(image.data.subarray(from, from + 3 * width), 3 * width * y);
  }
  return rgbImage(width, height, data);
}
