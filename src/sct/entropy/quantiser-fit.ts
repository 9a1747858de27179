import type { FeatureMap } from '../semantics/feature-map.ts';
import { CLASSES, type ModelTables } from '../semantics/model-tables.ts';
import type { FeatureCoder, FeatureLayout } from './feature-code.ts';
import { type NearCells, predicted } from './near-embeddings.ts';
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
 * (y / step - s)^2 + w x bits(s) among the nearest, the next towards 0, and 0 if that is the one after. Static tables make these symbols
 * independent of each other, so this is the best for each w; with w bits fall and error grows, by one symbol at a time. Predicted
 * channels choose between the nearest and the next towards what is predicted, cell after cell, which is not the best of all but near it.
 * The choices of the first kind are found once, then any budget is met by bisection. O(cells x channels) once,
 * O(numbers that do not round to 0 + cells x predicted channels) for each weight tried.
 */
export class QuantiserFit {
  private readonly rounded: Int16Array; // [position in cells][channel]
  private readonly work: Int16Array; // a copy, for trying predicted channels
  private readonly plain: FitPoint; // without predicted channels
  // One entry for each step towards 0, in the order of the numbers:
  private count = 0;
  private readonly at: Uint32Array; // index in `rounded`
  private readonly to: Int16Array; // symbol after the step
  private readonly weight: Float64Array; // the step is taken from this weight on
  private readonly saved: Float64Array; // bits
  private readonly added: Float64Array; // error
  /** Predicted channels, and their numbers in steps. */
  private readonly differences: {
    readonly channels: readonly number[];
    readonly values: Float64Array; // [position in cells][index in channels]
  };
  private readonly units: Float64Array; // squared base steps of a squared step, [channel]
  private readonly near: NearCells | undefined;
  private readonly tables: ModelTables;
  private readonly coder: FeatureCoder;
  private readonly layout: FeatureLayout;

  /** @throws UsageError for NaN or a value beyond 32767 steps */
  constructor(tables: ModelTables, coder: FeatureCoder, layout: FeatureLayout, y: FeatureMap) {
    const { cells, level, classMap } = layout;
    const { channels, tableOf, stepBase } = tables;
    const { tables: frequencies } = coder;
    this.tables = tables;
    this.coder = coder;
    this.layout = layout;
    this.near = coder.near(layout);
    const steps = quantiserSteps(tables, level);
    this.units = Float64Array.from(steps, (step, c) => (step / stepBase[c]) ** 2);
    const area = y.rows * y.columns;
    const own = [...tables.predicted];
    const values = new Float64Array(cells.length * own.length);
    this.differences = { channels: own, values };
    const plainChannels = Uint16Array.from({ length: channels }, (_, c) => c).filter((c) => !own.includes(c));
    const zeroBits = new Float64Array(CLASSES).fill(-1);
    this.rounded = quantise(y, cells, level, tables);
    this.work = this.rounded.slice();
    const most = 2 * this.rounded.reduce((n, s) => n + (s === 0 ? 0 : 1), 0);
    this.at = new Uint32Array(most);
    this.to = new Int16Array(most);
    this.weight = new Float64Array(most);
    this.saved = new Float64Array(most);
    this.added = new Float64Array(most);
    let bits = coder.classBits(layout, this.near);
    let error = 0;
    for (let i = 0; i < cells.length; i++) {
      const k = classMap.data[cells[i]];
      const row = (level * CLASSES + k) * channels;
      if (zeroBits[k] < 0) {
        zeroBits[k] = 0;
        for (const c of plainChannels) zeroBits[k] += frequencies.bits(tableOf[row + c], 0);
      }
      bits += zeroBits[k];
      own.forEach((c, p) => {
        values[i * own.length + p] = y.data[c * area + cells[i]] / steps[c];
      });
      for (const c of plainChannels) {
        const at = i * channels + c;
        const near = this.rounded[at];
        const v = y.data[c * area + cells[i]] / steps[c];
        error += this.units[c] * (v - near) ** 2;
        if (near === 0) continue;
        bits += frequencies.bits(tableOf[row + c], near) - frequencies.bits(tableOf[row + c], 0);
        this.descend(at, tableOf[row + c], v);
      }
    }
    this.plain = { bitWeight: 0, bits, error };
  }

  /** Notes the steps of one number towards 0, by the weight from which they are taken. */
  private descend(at: number, table: number, v: number): void {
    const near = this.rounded[at];
    const less = near - Math.sign(near);
    const first = this.step(at, table, v, near, less);
    if (Math.abs(near) !== 2) return;
    const second = this.step(at, table, v, less, 0);
    // Where the second step would be taken before the first, both are one.
    if (second && (!first || this.weight[this.count - 1] < this.weight[this.count - 2])) {
      this.count -= first ? 2 : 1;
      this.step(at, table, v, near, 0);
    }
  }

  private step(at: number, table: number, v: number, from: number, to: number): boolean {
    const saved = this.coder.tables.bits(table, from) - this.coder.tables.bits(table, to);
    const added = (v - to) ** 2 - (v - from) ** 2;
    if (saved <= 0) return false;
    const n = this.count++;
    this.at[n] = at;
    this.to[n] = to;
    this.weight[n] = Math.max(0, added / saved);
    this.saved[n] = saved;
    this.added[n] = added * this.units[at % this.tables.channels];
    return true;
  }

  /** Bits and error at a weight; weight 0 rounds to the nearest. */
  point(bitWeight: number): FitPoint {
    let { bits, error } = this.plain;
    for (let i = 0; bitWeight > 0 && i < this.count; i++) {
      if (this.weight[i] > bitWeight) continue;
      bits -= this.saved[i];
      error += this.added[i];
    }
    const others = this.predictedAt(bitWeight, this.work);
    return { bitWeight, bits: bits + others.bits, error: error + others.error };
  }

  /** The smallest weight (within 1e-4 of it) up to `mostWeight` whose bits are no more than the budget; undefined if there is none. */
  fit(budgetBits: number, mostWeight: number): FitPoint | undefined {
    const plain = this.point(0);
    if (plain.bits <= budgetBits) return plain;
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
    for (let i = 0; bitWeight > 0 && i < this.count; i++) {
      if (this.weight[i] <= bitWeight) out[this.at[i]] = this.to[i];
    }
    this.predictedAt(bitWeight, out);
    return out;
  }

  /** Chooses the predicted channels' symbols, writes them, and says what they cost. */
  private predictedAt(bitWeight: number, out: Int16Array): { bits: number; error: number } {
    const { cells, level, classMap } = this.layout;
    const { channels, tableOf } = this.tables;
    const { channels: own, values } = this.differences;
    const { tables: frequencies } = this.coder;
    let bits = 0;
    let error = 0;
    for (let i = 0; i < cells.length; i++) {
      const k = classMap.data[cells[i]];
      for (let p = 0; p < own.length; p++) {
        const c = own[p];
        const v = values[i * own.length + p];
        const expected = this.near && predicted(this.near, out, channels, i, c);
        const table =
          expected === undefined
            ? tableOf[(level * CLASSES + k) * channels + c]
            : this.coder.differenceTable(level, k, c);
        const from = expected ?? 0;
        let best = this.rounded[i * channels + c];
        let cost = frequencies.bits(table, best - from);
        const other = best - Math.sign(best - from);
        const less = frequencies.bits(table, other - from);
        if (bitWeight > 0 && (v - other) ** 2 + bitWeight * less < (v - best) ** 2 + bitWeight * cost) {
          best = other;
          cost = less;
        }
        out[i * channels + c] = best;
        bits += cost;
        error += this.units[c] * (v - best) ** 2;
      }
    }
    return { bits, error };
  }
}
