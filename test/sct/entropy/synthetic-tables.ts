import type { RandomStream } from '../../../src/common/random.ts';
import { nearCells, predicted } from '../../../src/sct/entropy/near-embeddings.ts';
import {
  type CdfTable,
  CLASSES,
  CONTEXT_STEPS,
  type ModelTables,
  THETA_LEVELS,
} from '../../../src/sct/semantics/model-tables.ts';

/** Small tables with the shape of a model set's: Laplace distributions that widen with the class and narrow with level and channel; differences have narrower ones. */
export function syntheticTables(channels = 12, levels = 14, predicts: readonly number[] = []): ModelTables {
  const widths = Array.from({ length: 24 }, (_, i) => 0.08 * 1.5 ** i);
  const variance = new Float32Array(CLASSES * channels);
  const tableOf = new Uint8Array(levels * CLASSES * channels);
  const bitsOf = new Int32Array(levels * CLASSES);
  const symbolRate = new Int32Array(THETA_LEVELS * CLASSES);
  for (let k = 0; k < CLASSES; k++) {
    for (let c = 0; c < channels; c++) variance[k * channels + c] = (4 * 1.5 ** k) / (1 + c) ** 2 / 100;
  }
  for (let i = 0; i < tableOf.length; i++) {
    const level = Math.floor(i / (CLASSES * channels));
    const steps = Math.sqrt(variance[i % (CLASSES * channels)]) / (0.03 * 2 ** (level / 3));
    tableOf[i] = Math.min(23, Math.max(0, Math.round(Math.log(steps / 0.08) / Math.log(1.5))));
    bitsOf[Math.floor(i / channels)] += Math.round(16 * Math.max(0.1, Math.log2(2 * widths[tableOf[i]] * Math.E)));
  }
  for (let i = 0; i < symbolRate.length; i++) {
    const theta = 10 ** (-3.5 + (3.5 * Math.floor(i / CLASSES)) / (THETA_LEVELS - 1));
    let rate = 0;
    for (let c = 0; c < channels; c++) {
      rate += 0.5 * Math.log2(1 + variance[(i % CLASSES) * channels + c] / theta ** 2);
    }
    symbolRate[i] = Math.round(16 * rate);
  }
  return {
    channels,
    levels,
    classes: CLASSES,
    kMax: 192,
    kSet: [0, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192],
    theta0: 0.02,
    activityEdges: Float64Array.from({ length: CLASSES - 1 }, (_, i) => 4 * 1.3 ** i),
    variance,
    stepBase: new Float32Array(channels).fill(1),
    cdfTables: widths.map(laplaceTable),
    tableOf,
    predicted: Uint16Array.from(predicts),
    differenceOf: Uint8Array.from({ length: levels * CLASSES * predicts.length }, (_, i) => {
      const context = Math.floor(i / predicts.length);
      return Math.max(0, tableOf[context * channels + predicts[i % predicts.length]] - 2);
    }),
    bitsOf,
    symbolRate,
    classContext: { fine: contextCounts(CLASSES), coarse: contextCounts(CLASSES / 2) },
    labels: {
      names: Array.from({ length: 11 }, (_, i) => `class ${i}`),
      clusterColours: new Uint8Array(32 * 3),
      palette: new Uint8Array(43 * 3),
    },
  };
}

/**
 * Symbols drawn from the tables, a few of them escapes, predicted channels as differences; [position in cells][channel].
 *
 * @param columns of the grid; only read where channels are predicted
 */
export function drawSymbols(
  tables: ModelTables,
  classes: ArrayLike<number>,
  cells: ArrayLike<number>,
  level: number,
  random: RandomStream,
  columns = 1,
): Int16Array {
  const { channels } = tables;
  const near = nearCells(cells, columns, new Int32Array(classes.length).fill(-1));
  const out = new Int16Array(cells.length * channels);
  for (let at = 0; at < out.length; at++) {
    const i = Math.floor(at / channels);
    const c = at % channels;
    const context = level * CLASSES + classes[cells[i]];
    const p = tables.predicted.indexOf(c);
    const expected = p < 0 ? undefined : predicted(near, out, channels, i, c);
    const index =
      expected === undefined
        ? tables.tableOf[context * channels + c]
        : tables.differenceOf[context * tables.predicted.length + p];
    out[at] = drawn(tables.cdfTables[index], random) + (expected ?? 0);
  }
  return out;
}

function drawn(table: CdfTable, random: RandomStream): number {
  let rest = random.integer(65536);
  let i = 0;
  while (rest >= table.frequencies[i]) rest -= table.frequencies[i++];
  const inside = i < table.frequencies.length - 1;
  return inside ? table.low + i : (random.integer(2) ? 1 : -1) * (-table.low + 1 + random.integer(40));
}

/** A class map that drifts from cell to cell, as pictures do. */
export function drawClasses(rows: number, columns: number, coarse: boolean, random: RandomStream): Uint8Array {
  const out = new Uint8Array(rows * columns);
  for (let i = 0; i < out.length; i++) {
    const west = i % columns ? out[i - 1] : 7;
    const north = i >= columns ? out[i - columns] : west;
    const drawn = Math.round((west + north) / 2 + 1.2 * random.normal());
    const kept = Math.min(15, Math.max(0, drawn));
    out[i] = coarse ? kept & ~1 : kept;
  }
  return out;
}

function laplaceTable(width: number) {
  const reach = Math.ceil(width * 9);
  const p = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-Math.abs(i - reach) / width));
  const sum = p.reduce((a, b) => a + b, 0);
  const frequencies = Uint32Array.from([...p.map((v) => 1 + Math.floor((v / sum) * (65536 - p.length - 20))), 1]);
  frequencies[reach] += 65536 - frequencies.reduce((a, b) => a + b, 0) - 9;
  frequencies[frequencies.length - 1] += 9;
  return { low: -reach, frequencies };
}

function contextCounts(n: number): Int32Array {
  const out = new Int32Array((n + 1) ** 2 * CONTEXT_STEPS * n);
  for (let context = 0; context < out.length / n; context++) {
    const north = (Math.floor(context / CONTEXT_STEPS) % (n + 1)) - 1;
    const west = Math.floor(context / CONTEXT_STEPS / (n + 1)) - 1;
    const middle = west < 0 ? north : north < 0 ? west : (west + north) / 2;
    let sum = 0;
    for (let s = 0; s < n; s++) {
      sum += out[context * n + s] = 1 + Math.floor((middle < 0 ? 1 : Math.exp(-Math.abs(s - middle))) * 900);
    }
    out[context * n + Math.max(0, Math.round(middle))] += 4096 - Math.min(sum, 4095);
  }
  return out;
}
