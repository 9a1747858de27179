import type { GridPlane, GridShape } from '../semantics/feature-map.ts';
import { shares } from './importance-map.ts';

/** Least probability of a cell that shows one of the classes: in a picture without any, shares would be those of noise. */
const LEAST_OBJECT = 0.1;

/**
 * How much of each cell shows what the task looks for, 0..1: the probability of the task's classes by the label head (softmax over
 * the classes), mean over the cell's 4x4 quarter-resolution pixels.
 *
 * @param maps logits, [class][4 x rows][4 x columns]
 * @param taskClasses ids of classes
 */
export function taskClassShare(
  maps: Float32Array,
  { rows, columns }: GridShape,
  taskClasses: readonly number[],
): GridPlane {
  const pixels = 16 * rows * columns;
  const classes = maps.length / pixels;
  if (!Number.isInteger(classes) || classes < 1 || taskClasses.some((c) => !(c >= 0 && c < classes))) {
    throw new Error(`${maps.length} logits do not hold classes ${taskClasses} of ${rows}x${columns} cells`);
  }
  const wanted = Uint8Array.from({ length: classes }, (_, c) => (taskClasses.includes(c) ? 1 : 0));
  const data = new Float32Array(rows * columns);
  for (let p = 0; p < pixels; p++) {
    let peak = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < classes; c++) peak = Math.max(peak, maps[c * pixels + p]);
    let all = 0;
    let found = 0;
    for (let c = 0; c < classes; c++) {
      const e = Math.exp(maps[c * pixels + p] - peak);
      all += e;
      if (wanted[c]) found += e;
    }
    const [row, column] = [Math.floor(p / (4 * columns)) >> 2, (p % (4 * columns)) >> 2];
    data[row * columns + column] += found / all / 16;
  }
  return { rows, columns, data };
}

/**
 * What draws people's eyes in a street: half what is salient, half the road users and signs, each as shares of the picture
 * (docs/adr/0018). Without any object it is saliency alone.
 */
export function streetAttention(saliency: GridPlane, objects: GridPlane): GridPlane {
  const found = objects.data.some((v) => v > LEAST_OBJECT);
  if (!found) return saliency;
  const [s, o] = [shares(saliency.data), shares(objects.data)];
  return { ...saliency, data: Float32Array.from(s, (v, i) => (v + o[i]) / 2) };
}
