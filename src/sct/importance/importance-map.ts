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
  return { rows, columns, data: Float32Array.from(h, (v, i) => (1 - weight) * v + weight * s[i]) };
}

/** Values over their sum; uniform where there is no sum. */
export function shares(values: Float32Array): Float64Array {
  const clean = Float64Array.from(values, (v) => (v > 0 && Number.isFinite(v) ? v : 0));
  const sum = clean.reduce((a, b) => a + b, 0);
  if (!(sum > 0)) return clean.fill(1 / clean.length);
  return clean.map((v) => v / sum);
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
