import { UsageError } from '../../common/errors.ts';
import { type LabelSpace, latticeScale, SPACES } from '../partition/label-map-code.ts';
import type { ClassMap, GridShape } from './feature-map.ts';
import type { LabelOutput } from './models.ts';

export const LABEL_SPACES = ['auto', 'street', 'codebook'] as const;
/** Which labels a picture gets: the network's own choice, street classes, or clusters. */
export type LabelSpaceChoice = (typeof LABEL_SPACES)[number];

/** A pixel of a favoured class counts this often: it takes a cell from 2 of its 16 quarter-resolution pixels on, or 3 nearby; */
const FAVOUR = 8;
/** pixels so many quarter-resolution pixels around a cell count too. */
const FAVOUR_MARGIN = 4;

/** The labels that a label head gives a picture's cells. */
export interface RawLabels {
  readonly space: LabelSpace;
  /** 0..1: how sure the head is that this is a street scene. */
  readonly streetProbability: number;
  readonly map: ClassMap; // 0..10 or 11..42
}

/**
 * One label for each cell. `auto` takes the street classes when the street logit is positive.
 *
 * Street: every quarter-resolution pixel votes for the class of its largest logit; the cell takes the majority of its
 * 4x4 (ties: the lower class). Codebook: the largest cluster score. Scores, and votes on grids whose partition is sent on a
 * coarser lattice, are first averaged over the neighbourhood with a triangular window of half width 3s - 2 (street) or
 * 2s + 2 (codebook) cells at lattice scale s: labels then have the detail that can be sent, whatever the picture's size.
 * (Scores are negative squared distances: their average is the score of the average feature, but for a constant. The
 * nearest cluster of single cells changes at a third of the borders between cells and costs 2.8 times the bytes.)
 *
 * @param favoured street classes whose pixels count eight times: what is looked for takes every cell that it reaches into, so that
 *   SFVs of it hold nearly all of it (a majority of 16 x 16 pixels leaves out half of the signs and people in a street)
 * @throws UsageError when the arrays do not fit the grid
 */
export function labelCells(
  output: LabelOutput,
  grid: GridShape,
  choice: LabelSpaceChoice = 'auto',
  favoured: readonly number[] = [],
): RawLabels {
  const { rows, columns } = grid;
  const cells = rows * columns;
  if (
    output.maps.length !== SPACES.street.count * 16 * cells ||
    output.clusters.length !== SPACES.codebook.count * cells
  ) {
    throw new UsageError(`label maps do not fit a grid of ${rows}x${columns} cells`);
  }
  const streetProbability = 1 / (1 + Math.exp(-output.street));
  const space: LabelSpace = choice === 'auto' ? (output.street > 0 ? 'street' : 'codebook') : choice;
  const { first, count } = SPACES[space];
  const scale = latticeScale(rows, columns);
  const scores = space === 'street' ? streetVotes(output.maps, grid, favoured) : output.clusters.slice();
  const halfWidth = space === 'street' ? 3 * scale - 2 : 2 * scale + 2;
  for (let l = 0; l < count; l++) smooth(scores.subarray(l * cells, (l + 1) * cells), grid, halfWidth);
  const data = new Uint8Array(cells);
  for (let at = 0; at < cells; at++) {
    let best = 0;
    for (let l = 1; l < count; l++) if (scores[l * cells + at] > scores[best * cells + at]) best = l;
    data[at] = best + first;
  }
  return { space, streetProbability, map: { rows, columns, data } };
}

/** Class of the largest logit (ties: the lower) of every quarter-resolution pixel; [4 x rows][4 x columns], 0..10. */
export function quarterClasses(maps: Float32Array, { rows, columns }: GridShape): Uint8Array {
  const pixels = 16 * rows * columns;
  const out = new Uint8Array(pixels);
  const best = maps.slice(0, pixels);
  for (let l = 1, at = pixels; l < SPACES.street.count; l++) {
    for (let p = 0; p < pixels; p++, at++) {
      if (maps[at] <= best[p]) continue;
      best[p] = maps[at];
      out[p] = l;
    }
  }
  return out;
}

/** How many of a cell's 16 quarter-resolution pixels vote for each class; favoured ones as above. [class][row][column] */
function streetVotes(maps: Float32Array, grid: GridShape, favoured: readonly number[]): Float32Array {
  const { rows, columns } = grid;
  const classes = quarterClasses(maps, grid);
  const votes = new Float32Array(SPACES.street.count * rows * columns);
  for (let r = 0; r < 4 * rows; r++) {
    for (let c = 0; c < 4 * columns; c++) {
      const label = classes[r * 4 * columns + c];
      const favour = favoured.includes(label);
      const margin = favour ? FAVOUR_MARGIN : 0;
      const bottom = Math.min(rows - 1, (r + margin) >> 2);
      const right = Math.min(columns - 1, (c + margin) >> 2);
      for (let row = Math.max(0, r - margin) >> 2; row <= bottom; row++) {
        for (let column = Math.max(0, c - margin) >> 2; column <= right; column++) {
          votes[(label * rows + row) * columns + column] += favour ? FAVOUR : 1;
        }
      }
    }
  }
  return votes;
}

/** Triangular average in place, edges replicated: two running sums of `halfWidth` cells along rows, then columns. */
function smooth(plane: Float32Array, { rows, columns }: GridShape, halfWidth: number): void {
  if (halfWidth <= 1) return;
  const line = new Float64Array(Math.max(rows, columns) + 2 * (halfWidth - 1));
  for (let r = 0; r < rows; r++) smoothLine(plane, r * columns, 1, columns, halfWidth, line);
  for (let c = 0; c < columns; c++) smoothLine(plane, c, columns, rows, halfWidth, line);
}

function smoothLine(
  plane: Float32Array,
  from: number,
  stride: number,
  n: number,
  halfWidth: number,
  line: Float64Array,
): void {
  const pad = halfWidth - 1;
  for (let i = 0; i < n + 2 * pad; i++) {
    line[i] = plane[from + stride * Math.max(0, Math.min(n - 1, i - pad))];
  }
  runningSums(line, n + 2 * pad, halfWidth);
  runningSums(line, n + pad, halfWidth);
  for (let i = 0; i < n; i++) plane[from + stride * i] = line[i] / (halfWidth * halfWidth);
}

/** line[i] = sum of line[i .. i + width - 1]; the first n - width + 1 of n entries are valid afterwards. */
function runningSums(line: Float64Array, n: number, width: number): void {
  let sum = 0;
  for (let i = 0; i < width; i++) sum += line[i];
  for (let i = 0; i + width <= n; i++) {
    const first = line[i];
    line[i] = sum;
    sum += (i + width < n ? line[i + width] : 0) - first;
  }
}
