import type { Codec, SourcePlan } from '../../../sct/codec/codec.ts';
import type { SideParts } from '../../../sct/codec/side-budget.ts';
import type { RgbImage } from '../../../sct/image/rgb-image.ts';
import type { PixelRectangle } from '../../../sct/modes/keep-rule.ts';
import { cellsToPixels } from '../../../sct/quality/regions.ts';
import type { FeatureMap } from '../../../sct/semantics/feature-map.ts';
import type { LabelOutput, SemanticModels } from '../../../sct/semantics/models.ts';
import type { BenchPicture } from './data.ts';

const CELL_PX = 16;
const STREET_CLASSES = 11;
const CLUSTERS = 32;
const VOID = 11;
/** A cell with so much of the region of interest counts as region of interest. */
const ROI_CELL_SHARE = 0.15;

/** Keeps logits finite. */
const LEAST_SALIENCY = 1e-4;

/** A codec whose plans show what they were made of. */
export type PartsCodec = Omit<Codec, 'analyse'> & {
  analyse(...args: Parameters<Codec['analyse']>): Promise<SourcePlan & { readonly parts: SideParts }>;
};

/**
 * The model set with its label and saliency heads replaced by ground truth: SFVs are then the true objects, and what is salient is
 * the region of interest. All other networks stay.
 *
 * @param truthOf the picture with its labels; without labels the head's own answer stands
 */
export function groundTruthModels(
  models: SemanticModels,
  truthOf: (image: RgbImage) => BenchPicture | undefined,
): SemanticModels {
  const pictures = new WeakMap<FeatureMap, BenchPicture>();
  return withModels(models, {
    async analyse(image) {
      const y = await models.analyse(image);
      const picture = truthOf(image);
      if (picture?.labels) pictures.set(y, picture);
      return y;
    },
    async labels(y) {
      const picture = pictures.get(y);
      return picture?.labels && picture.roi ? labelsOf(picture.labels, picture.roi, y) : models.labels(y);
    },
    async saliency(y) {
      const roi = pictures.get(y)?.roi;
      return roi ? saliencyOf(roi, y) : models.saliency(y);
    },
  });
}

/** The networks of a set with some of them exchanged; the others keep the set as their `this`. */
export function withModels(models: SemanticModels, own: Partial<SemanticModels>): SemanticModels {
  return new Proxy(models, {
    get(target, name) {
      if (name in own) return own[name as keyof SemanticModels];
      const value = target[name as keyof SemanticModels];
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** Logits of the label head as ground truth has them: one cell one class, its most frequent; of the region of interest where that has a share of 15 %. */
export function labelsOf(labels: Uint8Array, roi: Uint8Array, y: FeatureMap): LabelOutput {
  const { rows, columns, widthPx, heightPx } = y;
  const maps = new Float32Array(STREET_CLASSES * 16 * rows * columns);
  const presence = new Float32Array(STREET_CLASSES).fill(-10);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const of = cellClass(labels, roi, widthPx, heightPx, r, c);
      presence[of] = 10;
      for (let i = 0; i < 16; i++) {
        const at = (4 * r + (i >> 2)) * 4 * columns + 4 * c + (i & 3);
        maps[of * 16 * rows * columns + at] = 10;
      }
    }
  }
  return { maps, presence, clusters: new Float32Array(CLUSTERS * rows * columns), street: 10 };
}

/** Logits of saliency, [4 x rows][4 x columns], whose sigmoid is the share of each place that lies in the region of interest. */
export function saliencyOf(roi: Uint8Array, { rows, columns, widthPx, heightPx }: FeatureMap): Float32Array {
  const out = new Float32Array(16 * rows * columns);
  const side = CELL_PX / 4;
  for (let at = 0; at < out.length; at++) {
    const [top, left] = [side * Math.floor(at / (4 * columns)), side * (at % (4 * columns))];
    let inside = 0;
    for (let y = top; y < Math.min(heightPx, top + side); y++) {
      for (let x = left; x < Math.min(widthPx, left + side); x++) inside += roi[y * widthPx + x] ? 1 : 0;
    }
    const share = Math.min(1 - LEAST_SALIENCY, Math.max(LEAST_SALIENCY, inside / side ** 2));
    out[at] = Math.log(share / (1 - share));
  }
  return out;
}

function cellClass(
  labels: Uint8Array,
  roi: Uint8Array,
  widthPx: number,
  heightPx: number,
  row: number,
  column: number,
): number {
  const all = new Float64Array(VOID + 1);
  const inside = new Float64Array(VOID + 1);
  let pixels = 0;
  for (let py = row * CELL_PX; py < Math.min(heightPx, (row + 1) * CELL_PX); py++) {
    for (let px = column * CELL_PX; px < Math.min(widthPx, (column + 1) * CELL_PX); px++) {
      const at = py * widthPx + px;
      all[labels[at]]++;
      if (roi[at]) inside[labels[at]]++;
      pixels++;
    }
  }
  const roiPixels = inside.reduce((a, b) => a + b, 0);
  const votes = roiPixels >= ROI_CELL_SHARE * pixels && roiPixels > 0 ? inside : all;
  // Void is no class: the road stands for a cell of nothing else.
  const best = votes.subarray(0, STREET_CLASSES).reduce((b, v, i, list) => (v > list[b] ? i : b), 0);
  return votes[best] > 0 ? best : 3;
}

/**
 * A codec whose SFVs are placed by ground truth: those with the largest share of region of interest first. Amounts still go by
 * the scores, so only the order of placement is the oracle's.
 */
export function roiFirst(codec: PartsCodec, truthOf: (image: RgbImage) => BenchPicture | undefined): Codec {
  return {
    name: codec.name,
    describe: () => `${codec.describe()}, region of interest by ground truth first`,
    decode: (received, options) => codec.decode(received, options),
    async analyse(image, hints) {
      const plan = await codec.analyse(image, hints);
      const roi = truthOf(image)?.roi;
      if (!roi) return plan;
      const { partition } = plan.parts;
      const shares = roiShares(cellsToPixels(partition.sfvOf, image.width, image.height), roi, partition.sfvs.length);
      const ids = plan.streams.map((stream) => stream.id);
      const ranking = ids.sort((a, b) => shares[b] - shares[a] || a - b);
      return { ...plan, ranking, parts: { ...plan.parts, ranking } };
    },
  };
}

/** Share of each SFV's pixels that lie in the region of interest, [SFV]. */
export function roiShares(sfvOfPixel: Uint8Array, roi: Uint8Array, count: number): number[] {
  const inside = new Float64Array(count);
  const pixels = new Float64Array(count);
  for (let i = 0; i < roi.length; i++) {
    pixels[sfvOfPixel[i]]++;
    if (roi[i]) inside[sfvOfPixel[i]]++;
  }
  return Array.from(inside, (v, id) => (pixels[id] > 0 ? v / pixels[id] : 0));
}

/**
 * A codec that is made anew for each picture, for the smallest rectangle around its region of interest by ground truth; without one
 * (undefined) as it is otherwise. Its receiver is the same for all: what was kept is in the side information.
 */
export function boxedByTruth(
  make: (roi: PixelRectangle | undefined) => Codec,
  truthOf: (image: RgbImage) => BenchPicture | undefined,
): Codec {
  const receiver = make(undefined);
  return {
    name: receiver.name,
    describe: () => `${receiver.describe()}, keeping the rectangle around the region of interest by ground truth`,
    decode: (received, options) => receiver.decode(received, options),
    analyse(image, hints) {
      const roi = truthOf(image)?.roi;
      return make(roi ? boxOf(roi, image.width) : undefined).analyse(image, hints);
    },
  };
}

/** Smallest rectangle around everything that is not 0; undefined where there is nothing. */
export function boxOf(roi: Uint8Array, width: number): PixelRectangle | undefined {
  let [left, top, right, bottom] = [width, roi.length, -1, -1];
  for (let at = 0; at < roi.length; at++) {
    if (!roi[at]) continue;
    const [x, y] = [at % width, Math.floor(at / width)];
    [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)];
  }
  return right < 0 ? undefined : { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}
