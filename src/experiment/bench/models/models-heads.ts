import { averagePrecisionInterval } from '../../../sct/quality/average-precision.ts';
import { ConfusionMatrix, VOID_LABEL } from '../../../sct/quality/confusion.ts';
import { centrePrior, SaliencyScore } from '../../../sct/quality/saliency.ts';
import { CELL_PX, type GridShape } from '../../../sct/semantics/feature-map.ts';
import { STREET_LABELS } from '../../../sct/semantics/model-tables.ts';
import type { SemanticModels } from '../../../sct/semantics/models.ts';
import { clopperPearson } from '../../metrics/stats.ts';
import { labelledPictures } from './models-data.ts';
import {
  LABELS_FLOOR_MIOU,
  LABELS_TARGET_MIOU,
  SALIENCY_FLOOR_MAX_F,
  SALIENCY_OVER_CENTRE,
  SALIENCY_TARGET_MAX_F,
} from './models-published.ts';
import { atLeast, type ModelRow, rounded, shown } from './models-row.ts';

/** A class counts as present in a picture with more than this many of its pixels, as the head was trained. */
const PRESENT_PIXELS = 100;
/** Classes whose presence is a machine task. */
const TASK_CLASSES = [6, 8, 9, 10]; // sign, car, pedestrian, bicyclist
/** Thin and small classes that are always shown beside the mean. */
const SHOWN_CLASSES = [2, 6, 9]; // pole, sign, pedestrian

interface HeadOptions {
  readonly quick: boolean;
  readonly progress: (what: string) => void;
}

export interface LabelsReport {
  readonly set: string;
  readonly pictures: number;
  readonly names: readonly string[];
  readonly mIoU: number | null;
  readonly iou: readonly (number | null)[];
  readonly oracleMIoU: number | null;
  readonly oracleIou: readonly (number | null)[];
  readonly pixelAccuracy: number | null;
}

/** Label and presence heads of each set on CamVid test at 480x360: mean IoU beside the grid's oracle, average precision. */
export async function measureLabels(
  sets: ReadonlyMap<string, SemanticModels>,
  dir: string,
  { quick, progress }: HeadOptions,
): Promise<{ report: LabelsReport[]; rows: ModelRow[] }> {
  const part = 'labels' as const;
  const rows: ModelRow[] = [];
  const report: LabelsReport[] = [];
  for (const [set, models] of sets) {
    const head = new ConfusionMatrix(STREET_LABELS);
    const oracle = new ConfusionMatrix(STREET_LABELS);
    const scores: number[][] = TASK_CLASSES.map(() => []);
    const present: number[][] = TASK_CLASSES.map(() => []);
    let pictures = 0;
    let streets = 0;
    for await (const { image, truth } of labelledPictures(dir, 'street', quick ? 12 : 1)) {
      progress(`labels ${set}: picture ${++pictures}`);
      const y = await models.analyse(image);
      const out = await models.labels(y);
      head.add(fullSizeClasses(out.maps, y, image.width, image.height), truth);
      oracle.add(gridOracle(truth, image.width, image.height), truth);
      TASK_CLASSES.forEach((c, i) => {
        scores[i].push(out.presence[c]);
        present[i].push(truth.reduce((n, v) => n + (v === c ? 1 : 0), 0) > PRESENT_PIXELS ? 1 : 0);
      });
      if (out.street > 0) streets++;
    }
    const names = models.tables.labels.names;
    const [found, best] = [head.report(), oracle.report()];
    report.push({
      set,
      pictures,
      names,
      mIoU: rounded(found.mIoU),
      iou: found.iou.map(rounded),
      oracleMIoU: rounded(best.mIoU),
      oracleIou: best.iou.map(rounded),
      pixelAccuracy: rounded(found.pixelAccuracy),
    });
    const input = { part, what: `${set}: mean IoU, CamVid test`, value: found.mIoU, wholeSet: true };
    rows.push(
      ...(set === 'base'
        ? [atLeast('limit', LABELS_FLOOR_MIOU, input), atLeast('target', LABELS_TARGET_MIOU, input)]
        : [shown(input)]),
      shown({ part, what: `${set}: mean IoU of the oracle, majority label of each 16-pixel cell`, value: best.mIoU }),
      ...SHOWN_CLASSES.map((c) => shown({ part, what: `${set}: IoU of ${names[c]}`, value: found.iou[c] })),
      ...TASK_CLASSES.map((c, i) => {
        const ap = averagePrecisionInterval(scores[i], present[i]);
        const what = `${set}: presence of ${names[c]}, average precision, ${ap.positives} of ${ap.n} pictures have it`;
        return shown({ part, what, value: ap.value, low: ap.low, high: ap.high });
      }),
    );
    const others = await othersSeenAsStreet(models, dir, quick, progress);
    const right = clopperPearson(streets + others.n - others.streets, pictures + others.n);
    rows.push(
      shown({
        part,
        what: `${set}: street or not, right on ${pictures} CamVid and ${others.n} ECSSD pictures`,
        value: right.value,
        low: right.low,
        high: right.high,
      }),
    );
  }
  return { report, rows };
}

/** Saliency head of each set on ECSSD test: max-F and MAE beside the centre prior. */
export async function measureSaliency(
  sets: ReadonlyMap<string, SemanticModels>,
  dir: string,
  { quick, progress }: HeadOptions,
): Promise<{ rows: ModelRow[] }> {
  const part = 'saliency' as const;
  const rows: ModelRow[] = [];
  for (const [set, models] of sets) {
    const head = new SaliencyScore();
    const prior = new SaliencyScore();
    let n = 0;
    for await (const { image, truth } of labelledPictures(dir, 'saliency', quick ? 10 : 1)) {
      progress(`saliency ${set}: picture ${++n}`);
      const y = await models.analyse(image);
      const logits = await models.saliency(y);
      const map = resized(logits, 4 * y.columns, 4 * y.rows, image.width, image.height);
      head.add(
        map.map((v) => 1 / (1 + Math.exp(-v))),
        truth,
      );
      prior.add(centrePrior(image.width, image.height), truth);
    }
    const [found, centre] = [head.report(), prior.report()];
    const input = { part, what: `${set}: max-F, ECSSD test, ${n} pictures`, value: found.maxF, wholeSet: true };
    const over = found.maxF === null || centre.maxF === null ? null : found.maxF - centre.maxF;
    const overInput = { part, what: `${set}: max-F above the centre prior's`, value: over, wholeSet: true };
    rows.push(
      ...(set === 'base'
        ? [atLeast('limit', SALIENCY_FLOOR_MAX_F, input), atLeast('target', SALIENCY_TARGET_MAX_F, input)]
        : [shown(input)]),
      set === 'base' ? atLeast('limit', SALIENCY_OVER_CENTRE, overInput) : shown(overInput),
      shown({ part, what: `${set}: mean absolute error`, value: found.mae }),
    );
    if (set === 'base') rows.push(shown({ part, what: 'centre prior: max-F', value: centre.maxF }));
  }
  return { rows };
}

async function othersSeenAsStreet(
  models: SemanticModels,
  dir: string,
  quick: boolean,
  progress: (what: string) => void,
): Promise<{ n: number; streets: number }> {
  let n = 0;
  let streets = 0;
  for await (const { image } of labelledPictures(dir, 'saliency', quick ? 10 : 1)) {
    progress(`street or not: picture ${++n}`);
    if ((await models.labels(await models.analyse(image))).street > 0) streets++;
  }
  return { n, streets };
}

/** Class of the largest logit of every pixel: the maps brought to full size bilinearly, the padding cut off; [y][x]. */
export function fullSizeClasses(maps: Float32Array, grid: GridShape, width: number, height: number): Uint8Array {
  const [w, h] = [4 * grid.columns, 4 * grid.rows];
  const best = new Uint8Array(width * height);
  let most: Float32Array | null = null;
  for (let c = 0; c < STREET_LABELS; c++) {
    const plane = resized(maps.subarray(c * w * h, (c + 1) * w * h), w, h, width, height);
    if (!most) {
      most = plane;
      continue;
    }
    for (let p = 0; p < plane.length; p++) {
      if (plane[p] > most[p]) {
        most[p] = plane[p];
        best[p] = c;
      }
    }
  }
  return best;
}

/**
 * A quarter-size plane at full size: bilinear with sample centres at (i + 1/2) / 4 - 1/2, edges repeated (PyTorch's
 * align_corners = false), cut to width x height.
 */
export function resized(plane: Float32Array, w: number, h: number, width: number, height: number): Float32Array {
  const out = new Float32Array(width * height);
  const at = (i: number, n: number) => {
    const v = Math.max(0, (i + 0.5) / 4 - 0.5);
    const low = Math.min(n - 1, Math.floor(v));
    return { low, high: Math.min(n - 1, low + 1), part: v - low };
  };
  const columns = Array.from({ length: width }, (_, x) => at(x, w));
  for (let y = 0, p = 0; y < height; y++) {
    const row = at(y, h);
    for (let x = 0; x < width; x++, p++) {
      const { low, high, part } = columns[x];
      const top = plane[row.low * w + low] * (1 - part) + plane[row.low * w + high] * part;
      const bottom = plane[row.high * w + low] * (1 - part) + plane[row.high * w + high] * part;
      out[p] = top * (1 - row.part) + bottom * row.part;
    }
  }
  return out;
}

/** What labels on the grid can reach: every pixel gets the commonest label of its cell, void not counted (ties: the lower). */
export function gridOracle(truth: Uint8Array, width: number, height: number): Uint8Array {
  const out = new Uint8Array(truth.length);
  for (let top = 0; top < height; top += CELL_PX) {
    for (let left = 0; left < width; left += CELL_PX) {
      const counts = new Uint32Array(STREET_LABELS);
      const [bottom, right] = [Math.min(height, top + CELL_PX), Math.min(width, left + CELL_PX)];
      for (let y = top; y < bottom; y++) {
        for (let x = left; x < right; x++) if (truth[y * width + x] < VOID_LABEL) counts[truth[y * width + x]]++;
      }
      const best = counts.indexOf(Math.max(...counts));
      for (let y = top; y < bottom; y++) out.fill(best, y * width + left, y * width + right);
    }
  }
  return out;
}
