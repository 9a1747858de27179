import type { FeatureMap } from '../semantics/feature-map.ts';
import { CLASSES, type ModelTables } from '../semantics/model-tables.ts';
import type { FeatureLayout } from './feature-code.ts';
import type { FrequencyTables } from './frequency-tables.ts';
import { quantise, quantiserSteps } from './quantise.ts';

/** What cells cost at a level for one weight of bits. */
export interface FitPoint {
  /** Squared steps given for a bit. */
  readonly bitWeight: number;
  readonly bits: number;
  /** Squared error of all numbers, in squared base steps (stepBase[c] of channel c), so that levels can be compared. */
  readonly error: number;
}

/**
 * Rounding of some cells' embeddings at one level, bits weighed against error: every number takes the symbol that minimises
 * (y / step - s)^2 + w x bits(s) among the nearest, the next towards 0, and 0 if that is the one after. Static tables make the symbols
 * independent of each other, so this is the best for each w; with w bits fall and error grows, by one symbol at a time. All choices are found
 * once, then any budget is met by bisection. O(cells x channels) once, O(numbers that do not round to 0) for each weight tried.
 */
export class QuantiserFit {
  private readonly rounded: Int16Array; // [position in cells][channel]
  private readonly plain: FitPoint;
  // One entry for each step towards 0, in the order of the numbers:
  private readonly count: number;
  private readonly at: Uint32Array; // index in `rounded`
  private readonly to: Int16Array; // symbol after the step
  private readonly weight: Float64Array; // the step is taken from this weight on
  private readonly saved: Float64Array; // bits
  private readonly added: Float64Array; // error

  /** @throws UsageError for NaN or a value beyond 32767 steps */
  constructor(tables: ModelTables, frequencies: FrequencyTables, layout: FeatureLayout, y: FeatureMap) {
    const { cells, level, classMap } = layout;
    const { channels, tableOf, stepBase } = tables;
    const steps = quantiserSteps(tables, level);
    const units = Float64Array.from(steps, (step, c) => (step / stepBase[c]) ** 2);
    const area = y.rows * y.columns;
    const zeroBits = new Float64Array(CLASSES).fill(-1);
    this.rounded = quantise(y, cells, level, tables);
    const most = 2 * this.rounded.reduce((n, s) => n + (s === 0 ? 0 : 1), 0);
    this.at = new Uint32Array(most);
    this.to = new Int16Array(most);
    this.weight = new Float64Array(most);
    this.saved = new Float64Array(most);
    this.added = new Float64Array(most);
    let bits = 0;
    let error = 0;
    let n = 0;
    const step = (at: number, table: number, v: number, from: number, to: number) => {
      const saved = frequencies.bits(table, from) - frequencies.bits(table, to);
      const added = (v - to) ** 2 - (v - from) ** 2;
      if (saved <= 0) return false;
      this.at[n] = at;
      this.to[n] = to;
      this.weight[n] = Math.max(0, added / saved);
      this.saved[n] = saved;
      this.added[n++] = added * units[at % channels];
      return true;
    };
    for (let i = 0; i < cells.length; i++) {
      const k = classMap.data[cells[i]];
      const row = (level * CLASSES + k) * channels;
      if (zeroBits[k] < 0) {
        zeroBits[k] = 0;
        for (let c = 0; c < channels; c++) zeroBits[k] += frequencies.bits(tableOf[row + c], 0);
      }
      bits += zeroBits[k];
      for (let c = 0, at = i * channels; c < channels; c++, at++) {
        const near = this.rounded[at];
        const v = y.data[c * area + cells[i]] / steps[c];
        error += units[c] * (v - near) ** 2;
        if (near === 0) continue;
        const table = tableOf[row + c];
        bits += frequencies.bits(table, near) - frequencies.bits(table, 0);
        const less = near - Math.sign(near);
        const first = step(at, table, v, near, less);
        if (Math.abs(near) !== 2) continue;
        const second = step(at, table, v, less, 0);
        // Where the second step would be taken before the first, both are one.
        if (second && (!first || this.weight[n - 1] < this.weight[n - 2])) {
          n -= first ? 2 : 1;
          step(at, table, v, near, 0);
        }
      }
    }
    this.count = n;
    this.plain = { bitWeight: 0, bits, error };
  }

  /** Bits and error at a weight; weight 0 rounds to the nearest. */
  point(bitWeight: number): FitPoint {
    if (bitWeight === 0) return this.plain;
    let { bits, error } = this.plain;
    for (let i = 0; i < this.count; i++) {
      if (this.weight[i] > bitWeight) continue;
      bits -= this.saved[i];
      error += this.added[i];
    }
    return { bitWeight, bits, error };
  }

  /** The smallest weight (within 1e-4 of it) up to `mostWeight` whose bits are no more than the budget; undefined if there is none. */
  fit(budgetBits: number, mostWeight: number): FitPoint | undefined {
    if (this.plain.bits <= budgetBits) return this.plain;
    let fits = this.point(mostWeight);
    if (fits.bits > budgetBits) return undefined;
    let low = 0;
    while (fits.bitWeight - low > 1e-4 * fits.bitWeight && fits.bitWeight > 1e-6) {
      const middle = this.point((low + fits.bitWeight) / 2);
      if (middle.bits <= budgetBits) fits = middle;
      else low = middle.bitWeight;
    }
    return fits;
  }

  /** The symbols of a weight, [position in cells][channel]. */
  symbolsAt(bitWeight: number): Int16Array {
    const out = this.rounded.slice();
    if (bitWeight === 0) return out;
    for (let i = 0; i < this.count; i++) {
      if (this.weight[i] <= bitWeight) out[this.at[i]] = this.to[i];
    }
    return out;
  }
}
