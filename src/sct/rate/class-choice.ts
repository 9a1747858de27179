import type { ClassMap, FeatureMap, GridShape } from '../semantics/feature-map.ts';
import { CLASSES, type ModelTables } from '../semantics/model-tables.ts';

/** How the encoder makes the class map cheap: even classes only, and how much neighbours draw a class to theirs. */
export interface ClassChoice {
  readonly coarse: boolean;
  /** Weight of the mean class difference to the four neighbours against the squared distance from the own activity. */
  readonly smoothing: number;
}

/** Factors 1 + t^2 that are multiplied before a logarithm is taken: t stays below 1e12, the product below 1e193. */
const FACTORS = 8;

/**
 * Activity of each embedding: a = 1 + sum over channels of 1/2 log2(1 + (y / theta0)^2), bit-like; [row][column]. The encoder's
 * business only: the classes it leads to are sent.
 */
export function activity(y: FeatureMap, tables: ModelTables): Float64Array {
  const { channels, data } = y;
  const area = y.rows * y.columns;
  const out = new Float64Array(area).fill(1);
  const product = new Float64Array(area).fill(1);
  const scale = 1 / tables.theta0;
  for (let c = 0; c < channels; c++) {
    const from = c * area;
    for (let i = 0; i < area; i++) {
      const t = data[from + i] * scale;
      product[i] *= 1 + t * t;
    }
    if ((c + 1) % FACTORS !== 0 && c + 1 < channels) continue;
    for (let i = 0; i < area; i++) out[i] += 0.5 * Math.log2(product[i]);
    product.fill(1);
  }
  return out;
}

/**
 * The choice by rate. Measured on training photographs with the bytes of the map counted: coarse beats fine by 0.2 to 0.5 dB at
 * CBR 1/48 and is within 0.05 dB of it at 1/12; smoothing more than 1 is worth 0.03 to 0.18 dB at 1/48 and nothing at 1/12,
 * so the cheaper map is taken: 4, and up to 8 below CBR 1/24 (some 180 bytes at 512x768).
 *
 * @param symbolsPerEmbedding budget in complex symbols of a cell, 768 CBR
 */
export function choiceForBudget(symbolsPerEmbedding: number): ClassChoice {
  return { coarse: true, smoothing: Math.min(8, Math.max(4, 128 / Math.max(1, symbolsPerEmbedding))) };
}

/**
 * The class map that an encoder sends. With t = the cell's place on the logarithmic scale of activity, in steps of a class, each
 * cell takes the class c that minimises (c - t)^2 + smoothing x mean |c - c'| over its four neighbours c' (the edge's are
 * repeated): 3 rounds over the two colours of a chessboard from the nearest class. O(cells x classes).
 */
export function chooseClasses(y: FeatureMap, tables: ModelTables, choice: ClassChoice): ClassMap {
  const a = activity(y, tables);
  return smoothClasses(classScale(a, tables, choice.coarse), y, choice);
}

/** Place of each activity on the scale of classes: class c lies around c, from c - 1/2 to c + 1/2; kept to -1/2..n - 1/2. */
export function classScale(a: Float64Array, tables: ModelTables, coarse: boolean): Float64Array {
  const n = coarse ? CLASSES / 2 : CLASSES;
  const edges = tables.activityEdges; // equal steps of log a
  const first = Math.log(edges[0]);
  const step = (Math.log(edges[edges.length - 1]) - first) / (edges.length - 1);
  const low = first - step;
  return a.map((v) => Math.min(n - 0.5, Math.max(-0.5, (Math.log(v) - low) / (step * (CLASSES / n)) - 0.5)));
}

/** @param t place of each cell on the scale of classes, [row][column] */
export function smoothClasses(t: Float64Array, { rows, columns }: GridShape, choice: ClassChoice): ClassMap {
  const n = choice.coarse ? CLASSES / 2 : CLASSES;
  const data = new Uint8Array(t.length);
  for (let i = 0; i < t.length; i++) data[i] = Math.min(n - 1, Math.max(0, Math.round(t[i])));
  const quarter = choice.smoothing / 4;
  for (let round = 0; round < 6; round++) {
    for (let row = 0; row < rows; row++) {
      for (let column = (row + round) % 2; column < columns; column += 2) {
        const i = row * columns + column;
        const up = data[row > 0 ? i - columns : i];
        const down = data[row + 1 < rows ? i + columns : i];
        const left = data[column > 0 ? i - 1 : i];
        const right = data[column + 1 < columns ? i + 1 : i];
        let best = 0;
        let least = Number.POSITIVE_INFINITY;
        for (let c = 0; c < n; c++) {
          const steps = Math.abs(c - up) + Math.abs(c - down) + Math.abs(c - left) + Math.abs(c - right);
          const cost = (c - t[i]) * (c - t[i]) + quarter * steps;
          if (cost < least) {
            best = c;
            least = cost;
          }
        }
        data[i] = best;
      }
    }
  }
  return { rows, columns, data: choice.coarse ? data.map((c) => 2 * c) : data };
}
