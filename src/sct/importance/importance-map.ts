import type { GridPlane } from '../semantics/feature-map.ts';

export const TASKS = ['human', 'machine'] as const;
/** Who looks at the received picture: people (saliency, and in streets what is on the road) or a program that looks for things (class activation). */
export type Task = (typeof TASKS)[number];

/** Weight of saliency or activation against entropy by task. */
export const DEFAULT_WEIGHTS: Readonly<Record<Task, number>> = { human: 0.5, machine: 0.7 };

/**
 * Importance of each cell: (1 - w) H / sum(H) + w S / sum(S), the sum over the grid is 1 [Dai22].
 *
 * H is the entropy map (bits of a cell), S saliency or class activation. Negative and non-finite numbers count as 0; a map
 * that then sums to 0 says nothing and counts as uniform.
 *
 * @param weight w, 0..1
 */
export function importanceMap(entropy: GridPlane, attention: GridPlane, weight: number): GridPlane {
  const { rows, columns } = entropy;
  if (attention.rows !== rows || attention.columns !== columns || !(weight >= 0 && weight <= 1)) {
    throw new Error(
      `importance of ${rows}x${columns} and ${attention.rows}x${attention.columns} cells, weight ${weight}`,
    );
  }
  const h = shares(entropy.data);
  const s = shares(attention.data);
  const data = new Float32Array(h.length);
  for (let i = 0; i < data.length; i++) data[i] = (1 - weight) * h[i] + weight * s[i];
  return { rows, columns, data };
}

/** Values over their sum; uniform where there is no sum. */
export function shares(values: Float32Array): Float64Array {
  const out = new Float64Array(values.length);
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    const v = values[i];
    if (!(v > 0 && Number.isFinite(v))) continue;
    out[i] = v;
    sum += v;
  }
  if (!(sum > 0)) return out.fill(1 / out.length);
  for (let i = 0; i < out.length; i++) out[i] /= sum;
  return out;
}

/** Saliency of each cell, 0..1: the mean of the sigmoid over its 4x4 quarter-resolution logits. */
export function cellSaliency(logits: Float32Array, rows: number, columns: number): GridPlane {
  const data = new Float32Array(rows * columns);
  if (logits.length !== 16 * data.length)
    throw new Error(`${logits.length} logits do not fit ${rows}x${columns} cells`);
  for (let r = 0; r < 4 * rows; r++) {
    for (let c = 0; c < 4 * columns; c++) {
      data[(r >> 2) * columns + (c >> 2)] += 1 / 16 / (1 + Math.exp(-logits[r * 4 * columns + c]));
    }
  }
  return { rows, columns, data };
}
