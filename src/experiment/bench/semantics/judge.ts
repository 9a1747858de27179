import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { FormatError } from '../../../common/errors.ts';
import { RandomStream } from '../../../common/random.ts';
import { percentile } from '../../metrics/stats.ts';
import { judgeFigures } from '../models/models-judge.ts';

/** Classes of street scenes. */
const CLASSES = 11;
const RESAMPLES = 1000;

/** What the judge says of the received pictures of one series. */
export interface JudgedSeries {
  /** Mean IoU over the classes, one confusion matrix over the pictures; with a 95 % bootstrap interval over the pictures where the judge printed each. */
  readonly mIoU: number;
  readonly low: number | null;
  readonly high: number | null;
  /** The same judge on the originals of the same names. */
  readonly clean: number | null;
  readonly pictures: number;
}

/**
 * Figures of each folder below `pictures` as `training/judge/score.py --each` printed them into judge.jsonl there. A folder that
 * changed since is left out.
 *
 * @throws FormatError for a line that is not one of score.py
 */
export function judged(pictures: string): Map<string, JudgedSeries> {
  const out = new Map<string, JudgedSeries>();
  const fresh = judgeFigures(pictures);
  const path = join(pictures, 'judge.jsonl');
  if (fresh.size === 0 || !statSync(path, { throwIfNoEntry: false })) return out;
  for (const text of readFileSync(path, 'utf8').split('\n')) {
    if (text.trim() === '') continue;
    const line = JSON.parse(text) as { folder: string; pictures?: unknown; mIoUClean?: unknown; each?: unknown };
    const figures = fresh.get(line.folder);
    if (!figures) continue;
    const matrices = matricesOf(line.each, line.folder);
    const [low, high] = matrices.length > 1 ? bootstrap(matrices, line.folder) : [null, null];
    const { mIoUClean: clean, pictures: count } = line;
    out.set(line.folder, {
      mIoU: figures.mIoU,
      low,
      high,
      clean: typeof clean === 'number' ? clean : null,
      pictures: typeof count === 'number' ? count : matrices.length,
    });
  }
  return out;
}

function matricesOf(each: unknown, folder: string): number[][] {
  if (each === undefined) return [];
  const matrices = typeof each === 'object' && each !== null ? Object.values(each) : [];
  const ok = matrices.every(
    (m) => Array.isArray(m) && m.length === CLASSES ** 2 && m.every((v) => Number.isInteger(v) && v >= 0),
  );
  if (!ok) throw new FormatError('judge.jsonl', `${folder}: each holds no matrices of ${CLASSES} x ${CLASSES} counts`);
  return matrices as number[][];
}

/** Mean IoU of summed confusion matrices, [truth][judged]; classes that neither has count as 0, as score.py counts them. */
export function meanIou(matrices: readonly (readonly number[])[]): number {
  const sum = new Float64Array(CLASSES ** 2);
  for (const m of matrices) for (let i = 0; i < sum.length; i++) sum[i] += m[i];
  let total = 0;
  for (let c = 0; c < CLASSES; c++) {
    let row = 0;
    let column = 0;
    for (let i = 0; i < CLASSES; i++) {
      row += sum[c * CLASSES + i];
      column += sum[i * CLASSES + c];
    }
    const hit = sum[c * CLASSES + c];
    total += hit / Math.max(1, row + column - hit);
  }
  return total / CLASSES;
}

/** Percentile bootstrap over the pictures. */
function bootstrap(matrices: readonly number[][], seed: string): [number, number] {
  const random = new RandomStream(`judge/${seed}`);
  const values = Array.from({ length: RESAMPLES }, () =>
    meanIou(matrices.map(() => matrices[random.integer(matrices.length)])),
  );
  return [percentile(values, 2.5), percentile(values, 97.5)];
}
