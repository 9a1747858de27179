import { statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { UsageError } from '../../../common/errors.ts';
import { listImages } from '../../../sct/image/list.ts';
import { loadImage } from '../../../sct/image/load.ts';
import type { RgbImage } from '../../../sct/image/rgb-image.ts';
import { loadLabelImage, loadStreetLabels } from '../../../sct/quality/label-image.ts';
import type { ModelPart } from './models-row.ts';

/** A test picture with its name, and ground truth where there is one. */
export interface TestPicture {
  readonly name: string;
  readonly image: RgbImage;
}
export interface LabelledPicture extends TestPicture {
  readonly truth: Uint8Array; // [y][x], CamVid labels 0..10, 11 = void; or a mask, not 0 = object
}

/** Folders that `--data DIR` must hold, by part of the bench. */
export const DATA_FOLDERS = {
  kodak: 'kodak',
  street: 'camvid/test',
  saliency: 'saliency/test',
} as const;

/** Folders that each part of the bench reads. */
const FOLDERS_OF: Readonly<Record<ModelPart, readonly (keyof typeof DATA_FOLDERS)[]>> = {
  latency: [],
  entropy: ['kodak'],
  kodak: ['kodak'],
  labels: ['street', 'saliency'],
  saliency: ['saliency'],
  faithfulness: ['street'],
  repair: ['kodak', 'street'],
};

/** Looks for the folders of the parts before the first is measured; UsageError naming one that is not there. */
export function requireData(dir: string, parts: readonly ModelPart[]): void {
  for (const kind of new Set(parts.flatMap((p) => FOLDERS_OF[p]))) requireFolder(join(dir, DATA_FOLDERS[kind]));
}

function requireFolder(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new UsageError(`${folder} is not there`, 'docs/models.md says what --data DIR holds');
}

/** Names of the pictures of a folder, every `every`-th, at most `most`. */
async function names(folder: string, extensions: readonly string[], every: number, most: number): Promise<string[]> {
  requireFolder(folder);
  const files = (await listImages(folder)).filter((f) => extensions.includes(extname(f).toLowerCase()));
  if (files.length === 0) throw new UsageError(`${folder} holds no picture (${extensions.join(', ')})`);
  return files.filter((_, i) => i % every === 0).slice(0, most);
}

/** The Kodak pictures (PNG). They are for testing only: nothing here, and no training, chooses anything by them. */
export async function kodakPictures(dir: string, every = 1): Promise<TestPicture[]> {
  const files = await names(join(dir, DATA_FOLDERS.kodak), ['.png'], every, 1000);
  return Promise.all(files.map(async (path) => ({ name: basename(path, '.png'), image: await loadImage(path) })));
}

/** Pictures (JPEG) with a map of the same name (PNG); one at a time, so that a set needs no memory. */
export async function* labelledPictures(
  dir: string,
  kind: 'street' | 'saliency',
  every = 1,
  most = 100_000,
): AsyncGenerator<LabelledPicture> {
  for (const path of await names(join(dir, DATA_FOLDERS[kind]), ['.jpg', '.jpeg'], every, most)) {
    const name = basename(path, extname(path));
    const image = await loadImage(path);
    const file = join(dir, DATA_FOLDERS[kind], `${name}.png`);
    const map = kind === 'street' ? await loadStreetLabels(file) : await loadLabelImage(file);
    if (map.width !== image.width || map.height !== image.height) {
      throw new UsageError(`${file} is ${map.width}x${map.height}, its picture ${image.width}x${image.height}`);
    }
    const truth = kind === 'street' ? map.data : map.data.map((v) => (v > 127 ? 1 : 0));
    yield { name, image, truth };
  }
}
