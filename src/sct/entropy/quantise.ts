import { UsageError } from '../../common/errors.ts';
import type { FeatureMap } from '../semantics/feature-map.ts';
import { type ModelTables, stepFactor } from '../semantics/model-tables.ts';
import { SYMBOL_MAX } from './frequency-tables.ts';

/** Coarsest level whose error g_s is told. */
const COARSEST_TOLD = 12;

/** Quantiser step of each channel at a level: stepBase[c] x factor(level); [channel]. */
export function quantiserSteps(tables: ModelTables, level: number): Float32Array {
  const factor = stepFactor(level);
  return Float32Array.from(tables.stepBase, (base) => base * factor);
}

/**
 * Embeddings of the given cells as integers round(y / step), [position in cells][channel].
 *
 * @param cells indices row x columns + column
 * @throws UsageError for NaN or a value beyond 32767 steps
 */
export function quantise(y: FeatureMap, cells: ArrayLike<number>, level: number, tables: ModelTables): Int16Array {
  const { channels, data } = y;
  const area = y.rows * y.columns;
  const steps = quantiserSteps(tables, level);
  const out = new Int16Array(cells.length * channels);
  for (let c = 0; c < channels; c++) {
    const plane = c * area;
    for (let i = 0; i < cells.length; i++) {
      const q = Math.round(data[plane + cells[i]] / steps[c]);
      if (!(Math.abs(q) <= SYMBOL_MAX)) {
        throw new UsageError(
          `embedding value ${data[plane + cells[i]]} is out of range: allowed 32767 steps of ${steps[c]}`,
        );
      }
      out[i * channels + c] = q;
    }
  }
  return out;
}

/** Writes symbols x step into the cells of a feature map's data, [channel][row][column]; the inverse of `quantise`. */
export function dequantise(
  symbols: Int16Array,
  cells: ArrayLike<number>,
  level: number,
  tables: ModelTables,
  out: FeatureMap,
): void {
  const { channels, data } = out;
  const area = out.rows * out.columns;
  const steps = quantiserSteps(tables, level);
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < cells.length; i++) data[c * area + cells[i]] = symbols[i * channels + c] * steps[c];
  }
}

/**
 * Quality plane entry of a quantised embedding: log10 of sum over channels of min(variance, step^2 / 12), plus 1e-4 inside
 * the logarithm, as g_s was trained with; one number for each class of a level, [class]. Above level 12 it stays: g_s was trained up to
 * level 13, and told of larger errors it smooths too much (0.14 dB at level 17, 0.26 at 19, set base).
 */
export function quantisedQuality(tables: ModelTables, level: number): Float32Array {
  const steps = quantiserSteps(tables, Math.min(level, COARSEST_TOLD));
  return Float32Array.from({ length: tables.classes }, (_, k) => {
    let error = 0;
    for (let c = 0; c < tables.channels; c++) {
      error += Math.min(tables.variance[k * tables.channels + c], steps[c] ** 2 / 12);
    }
    return Math.log10(error + 1e-4);
  });
}
