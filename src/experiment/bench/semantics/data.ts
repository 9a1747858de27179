import { readdirSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { UsageError } from '../../../common/errors.ts';
import { loadDemoPhoto } from '../../../sct/image/demo.ts';
import { listImages } from '../../../sct/image/list.ts';
import { loadImage } from '../../../sct/image/load.ts';
import { type RgbImage, rgbImage } from '../../../sct/image/rgb-image.ts';
import { cropImage } from '../../../sct/image/save.ts';
import { loadLabelImage, loadStreetLabels, roiMask } from '../../../sct/quality/label-image.ts';

/** A picture with its ground truth, where there is one. */
export interface BenchPicture {
  readonly name: string;
  readonly image: RgbImage;
  /** Region of interest by ground truth, not 0 inside, [y][x]. */
  readonly roi: Uint8Array | null;
  /** CamVid labels 0..10, 11 = void, [y][x]. */
  readonly labels: Uint8Array | null;
}

export const PICTURE_SETS = ['street', 'kodak', 'saliency', 'large'] as const;
export type PictureSet = (typeof PICTURE_SETS)[number];

/** The pictures of the bench. Each is read once and stays the same object, so that codecs may remember it. */
export interface BenchData {
  /** @param count at most so many, evenly chosen; the choice depends on the count alone */
  pictures(set: PictureSet, count: number): Promise<readonly BenchPicture[]>;
}

/** Least share of a street picture that its region of interest must have to be taken. */
export const LEAST_ROI_SHARE = 0.01;

const FOLDERS = { street: 'camvid/test', kodak: 'kodak', saliency: 'saliency/test' } as const;

/** Folders that sets need; UsageError naming one that is not there. `large` is made of kodak where it has no folder. */
export function requireSets(dir: string, sets: readonly PictureSet[]): void {
  for (const set of sets) {
    const folder = join(dir, set === 'large' ? FOLDERS.kodak : FOLDERS[set]);
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) continue;
    throw new UsageError(`${folder} is not there`, 'docs/models.md says what --data DIR holds');
  }
}

/**
 * Pictures below `dir`: camvid/test with label maps (those with a region of interest), saliency/test with masks, kodak; `large`
 * is the folder `large` (at least 1 megapixel each) where there is one, else four neighbouring Kodak pictures of one orientation side by side.
 */
export function folderData(dir: string): BenchData {
  const known = new Map<string, Promise<readonly BenchPicture[]>>();
  return {
    pictures(set, count) {
      const key = `${set}/${count}`;
      const found = known.get(key) ?? load(dir, set, count);
      known.set(key, found);
      return found;
    },
  };
}

async function load(dir: string, set: PictureSet, count: number): Promise<readonly BenchPicture[]> {
  if (set === 'large') return largePictures(dir, count);
  const paths = (await listImages(join(dir, FOLDERS[set]))).filter((p) =>
    (set === 'kodak' ? ['.png'] : ['.jpg', '.jpeg']).includes(extname(p).toLowerCase()),
  );
  if (set === 'street') return streetPictures(paths, count);
  return Promise.all(spread(paths, count).map((path) => (set === 'kodak' ? plain(path) : masked(path))));
}

/** `count` of a list, evenly spread over it. */
export function spread<T>(list: readonly T[], count: number): T[] {
  if (list.length <= count) return [...list];
  return Array.from({ length: count }, (_, i) => list[Math.floor((i * list.length) / count)]);
}

async function plain(path: string): Promise<BenchPicture> {
  return { name: basename(path, extname(path)), image: await loadImage(path), roi: null, labels: null };
}

async function masked(path: string): Promise<BenchPicture> {
  const map = await loadLabelImage(truthOf(path));
  const picture = await plain(path);
  return { ...picture, roi: sameSize(picture.image, map, path).data.map((v) => (v > 127 ? 1 : 0)) };
}

async function streetPictures(paths: readonly string[], count: number): Promise<BenchPicture[]> {
  const out: { path: string; labels: Uint8Array; roi: Uint8Array; width: number; height: number }[] = [];
  for (const path of paths) {
    const map = await loadStreetLabels(truthOf(path));
    const roi = roiMask(map.data);
    const share = roi.reduce((a, b) => a + b, 0) / roi.length;
    if (share >= LEAST_ROI_SHARE) out.push({ path, labels: map.data, roi, width: map.width, height: map.height });
  }
  return Promise.all(
    spread(out, count).map(async ({ path, labels, roi, ...size }) => {
      const picture = await plain(path);
      sameSize(picture.image, size, path);
      return { ...picture, labels, roi };
    }),
  );
}

function truthOf(path: string): string {
  return `${path.slice(0, -extname(path).length)}.png`;
}

function sameSize<T extends { width: number; height: number }>(image: RgbImage, map: T, path: string): T {
  if (map.width === image.width && map.height === image.height) return map;
  throw new UsageError(`${path} is ${image.width}x${image.height}, its map ${map.width}x${map.height}`);
}

async function largePictures(dir: string, count: number): Promise<BenchPicture[]> {
  const folder = join(dir, 'large');
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() && readdirSync(folder).length > 0) {
    return Promise.all(spread(await listImages(folder), count).map(plain));
  }
  const all = await load(dir, 'kodak', 1000);
  const montages: BenchPicture[] = [];
  for (const wide of [true, false]) {
    const alike = all.filter(({ image }) => image.width > image.height === wide);
    for (let i = 0; i + 4 <= alike.length; i += 4) montages.push(montage(alike.slice(i, i + 4)));
  }
  return spread(montages, count);
}

/** Four pictures of one size, two by two. */
export function montage(four: readonly BenchPicture[]): BenchPicture {
  const { width, height } = four[0].image;
  const data = new Uint8Array(4 * width * height * 3);
  four.forEach(({ image }, i) => {
    for (let y = 0; y < height; y++) {
      const row = image.data.subarray(y * width * 3, (y + 1) * width * 3);
      data.set(row, ((y + (i >> 1) * height) * 2 * width + (i & 1) * width) * 3);
    }
  });
  const name = four.map((p) => p.name).join('-');
  return { name, image: rgbImage(2 * width, 2 * height, data), roi: null, labels: null };
}

/** Side of the pictures of a quick run, px. */
const QUICK_PX = 192;
const CAR = 8;
const ROAD = 3;

/** Crops of the demo photo with a box in the middle as region of interest: what a quick run takes for every set. */
export function quickData(): BenchData {
  const made = new Map<number, Promise<BenchPicture>>();
  const crop = async (i: number): Promise<BenchPicture> => {
    const photo = await loadDemoPhoto();
    const left = (i * 160) % (photo.width - QUICK_PX);
    const top = (i * 96) % (photo.height - QUICK_PX);
    const labels = new Uint8Array(QUICK_PX * QUICK_PX).fill(ROAD);
    for (let y = 64; y < 128; y++) labels.fill(CAR, y * QUICK_PX + 64, y * QUICK_PX + 128);
    const image = cropImage(photo, left, top, QUICK_PX, QUICK_PX);
    return { name: `crop-${i}`, image, roi: roiMask(labels), labels };
  };
  return {
    pictures: (_set, count) =>
      Promise.all(
        Array.from({ length: Math.min(count, 4) }, (_, i) => {
          const picture = made.get(i) ?? crop(i);
          made.set(i, picture);
          return picture;
        }),
      ),
  };
}
