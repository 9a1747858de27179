import type { RandomStream } from '../../../common/random.ts';
import type { RgbImage } from '../../../sct/image/rgb-image.ts';
import type { Partition } from '../../../sct/partition/partition.ts';
import { cellsToPixels } from '../../../sct/quality/regions.ts';
import type { FeatureMap } from '../../../sct/semantics/feature-map.ts';
import { fillLaplace } from './models-fill.ts';

/** Whole SFVs in random order until `enough` of the cells are chosen; null when none fits under `most`. */
export function wholeSfvs(
  { sfvs, sfvOf }: Partition,
  random: RandomStream,
  enough: number,
  most: number,
  count: number,
): Uint8Array | null {
  const total = sfvOf.length;
  const chosen = new Set<number>();
  let cells = 0;
  const order = random.shuffle(Uint8Array.from(sfvs, (s) => s.id));
  for (const sfv of Array.from(order, (id) => sfvs[id])) {
    if (sfv.cells < 4 || cells + sfv.cells > most * total || (count === 1 && sfv.cells < enough * total)) continue;
    chosen.add(sfv.id);
    cells += sfv.cells;
    if (cells >= enough * total || chosen.size === count) break;
  }
  return chosen.size === 0 ? null : sfvOf.map((id) => (chosen.has(id) ? 1 : 0));
}

/** Embeddings with zeros, the training mean, in the cells of the hole. */
export function erase(y: FeatureMap, hole: Uint8Array): Float32Array {
  return y.data.map((v, i) => (hole[i % hole.length] ? 0 : v));
}

/** The hole filled by Laplace's equation in the picture itself. */
export function pixelFill(image: RgbImage, lost: Uint8Array): RgbImage {
  const { width, height, data } = image;
  const mask = cellsToPixels(lost, width, height);
  const planes = new Float32Array(data.length);
  const area = width * height;
  for (let p = 0; p < area; p++) for (let c = 0; c < 3; c++) planes[c * area + p] = data[3 * p + c];
  const filled = fillLaplace(planes, mask, width, height, 2e-3);
  return { width, height, data: data.map((_, i) => Math.round(filled[(i % 3) * area + Math.floor(i / 3)])) };
}

/** The region painted in its own mean colour: the toy that a generator must beat by eye. */
export function flatRegion(image: RgbImage, mask: Uint8Array): RgbImage {
  const sums = [0, 0, 0];
  let n = 0;
  mask.forEach((m, p) => {
    if (!m) return;
    n++;
    for (let c = 0; c < 3; c++) sums[c] += image.data[3 * p + c];
  });
  return { ...image, data: image.data.map((v, i) => (mask[Math.floor(i / 3)] ? Math.round(sums[i % 3] / n) : v)) };
}
