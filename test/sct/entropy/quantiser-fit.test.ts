import assert from 'node:assert/strict';
import test from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { FeatureCoder } from '../../../src/sct/entropy/feature-code.ts';
import { quantise, quantiserSteps } from '../../../src/sct/entropy/quantise.ts';
import { QuantiserFit } from '../../../src/sct/entropy/quantiser-fit.ts';
import { drawClasses, syntheticTables } from './synthetic-tables.ts';

const ROWS = 9;
const COLUMNS = 11;
const plain = syntheticTables(12, 14, [1]);
/** Channels with unlike steps, so that an error in their weights shows. */
const tables = { ...plain, stepBase: Float32Array.from(plain.stepBase, (_, c) => 0.7 + 0.1 * c) };
const coder = new FeatureCoder(tables);
const { channels } = tables;
const classMap = { rows: ROWS, columns: COLUMNS, data: drawClasses(ROWS, COLUMNS, false, new RandomStream('classes')) };
const random = new RandomStream('features');
const y = {
  channels,
  rows: ROWS,
  columns: COLUMNS,
  widthPx: 16 * COLUMNS,
  heightPx: 16 * ROWS,
  data: Float32Array.from({ length: channels * ROWS * COLUMNS }, () => 0.5 * random.normal()),
};
const cells = Uint32Array.from(classMap.data.keys()).filter((at) => at % 3 > 0);
const layout = (level: number) => ({ cells, level, classMap });
const fitOf = (level: number) => new QuantiserFit(tables, coder, layout(level), y);

/** Squared error in base steps, from the definition. */
function errorOf(symbols: Int16Array, level: number): number {
  const steps = quantiserSteps(tables, level);
  let sum = 0;
  symbols.forEach((s, at) => {
    const c = at % channels;
    const value = y.data[c * ROWS * COLUMNS + cells[Math.floor(at / channels)]];
    sum += ((value - s * steps[c]) / tables.stepBase[c]) ** 2;
  });
  return sum;
}

test('bits and error of a weight are those of its symbols; weight 0 rounds to the nearest', () => {
  for (const level of [0, 5, 9, 13]) {
    const fit = fitOf(level);
    assert.deepEqual(fit.symbolsAt(0), quantise(y, cells, level, tables));
    for (const weight of [0, 0.01, 0.1, 0.4, 3]) {
      const { bits, error } = fit.point(weight);
      const symbols = fit.symbolsAt(weight);
      assert.ok(Math.abs(bits - coder.bits(layout(level), symbols)) < 1e-6 * bits + 1e-6);
      assert.ok(Math.abs(error - errorOf(symbols, level)) < 1e-4 * error + 1e-9);
    }
  }
});

test('every symbol is the best of nearest, next and 0 for its weight', () => {
  const level = 9;
  const fit = fitOf(level);
  const steps = quantiserSteps(tables, level);
  for (const weight of [0.05, 0.3]) {
    fit.symbolsAt(weight).forEach((s, at) => {
      const c = at % channels;
      if (tables.predicted.includes(c)) return; // chosen by what it differs from
      const cell = cells[Math.floor(at / channels)];
      const v = y.data[c * ROWS * COLUMNS + cell] / steps[c];
      const table = tables.tableOf[(level * 16 + classMap.data[cell]) * channels + c];
      const cost = (q: number) => (v - q) ** 2 + weight * coder.tables.bits(table, q);
      const near = Math.round(v);
      const others = Math.abs(near) === 2 ? [near, near - Math.sign(near), 0] : [near, near - Math.sign(near)];
      for (const q of others) assert.ok(cost(s) <= cost(q) + 1e-6, `${v}: ${s} costs more than ${q}`);
    });
  }
});

test('a budget is met to within one symbol, from plain rounding down to what the largest weight gives', () => {
  const fit = fitOf(7);
  const { bits: most } = fit.point(0);
  const { bits: least } = fit.point(2);
  assert.ok(least < 0.8 * most);
  assert.equal(fit.fit(most + 1, 2)!.bitWeight, 0);
  assert.equal(fit.fit(least - 1, 2), undefined);
  let error = -1;
  for (let share = 1; share >= 0; share -= 0.1) {
    const budget = least + share * (most - least);
    const point = fit.fit(budget, 2)!;
    assert.ok(point.bits <= budget && point.bits > budget - 40, `${point.bits} of ${budget}`);
    assert.ok(point.error > error, 'fewer bits, more error');
    error = point.error;
  }
});
