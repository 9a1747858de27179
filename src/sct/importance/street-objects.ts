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
  for (let r = 0, p = 0; r < 4 * rows; r++) {
    for (let c = 0; c < 4 * columns; c++, p++) {
      let peak = maps[p];
      for (let at = p + pixels; at < maps.length; at += pixels) if (maps[at] > peak) peak = maps[at];
      let all = 0;
      let found = 0;
      for (let k = 0, at = p; k < classes; k++, at += pixels) {
        const e = Math.exp(maps[at] - peak);
        all += e;
        if (wanted[k] === 1) found += e;
      }
      data[(r >> 2) * columns + (c >> 2)] += found / all / 16;
    }
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
  const data = new Float32Array(s.length);
  for (let i = 0; i < data.length; i++) data[i] = (s[i] + o[i]) / 2;
  return { ...saliency, data };
}
