import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import fc from 'fast-check';
import { UsageError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import {
  activity,
  choiceForBudget,
  chooseClasses,
  classScale,
  smoothClasses,
} from '../../../src/sct/rate/class-choice.ts';
import { decodePowerScale, encodePowerScale, powerScale } from '../../../src/sct/rate/power-scale.ts';
import { symbolRate, symbolSum } from '../../../src/sct/rate/symbol-rate.ts';
import { chooseThetaLevel, MOST_THETA_SNR_DB, thetaOf } from '../../../src/sct/rate/theta-level.ts';
import type { ModelTables } from '../../../src/sct/semantics/model-tables.ts';
import { drawClasses, syntheticTables } from '../entropy/synthetic-tables.ts';

interface Vectors {
  activityEdges: number[];
  symbolRate: number[][];
  maps: {
    rows: number;
    columns: number;
    activity: number[];
    coarse: boolean;
    smoothing: number;
    classes: number[];
  }[];
  classes: number[];
  budgets: { thetaLevel: number; budget: number; symbols: number[]; symbolsOfExactRates: number[] }[];
  thetaLevels: { budget: number; snrDb: number; thetaLevel: number }[];
}
const vectors = JSON.parse(readFileSync(new URL('../../vectors/rate/rate.json', import.meta.url), 'utf8')) as Vectors;
const tables: ModelTables = {
  ...syntheticTables(),
  activityEdges: Float64Array.from(vectors.activityEdges),
  symbolRate: Int32Array.from(vectors.symbolRate.flat()),
};

test('class choice: the class maps of the Python rule', () => {
  assert.equal(vectors.maps.length, 12);
  for (const m of vectors.maps) {
    const t = classScale(Float64Array.from(m.activity), tables, m.coarse);
    const { data } = smoothClasses(t, m, { coarse: m.coarse, smoothing: m.smoothing });
    assert.deepEqual([...data], m.classes, `${m.rows}x${m.columns} smoothing ${m.smoothing}`);
  }
});

test('class choice: a = 1 + sum 1/2 log2(1 + (y / theta0)^2); more contrast, higher class; smoothing by budget', () => {
  const shape = { channels: 3, rows: 1, columns: 2, widthPx: 32, heightPx: 16 };
  const y = { ...shape, data: Float32Array.of(0, 0.02, 0, 0.02 * Math.sqrt(3), 0, 0.02 * Math.sqrt(15)) };
  const a = activity(y, tables); // 1 + (1 + 2 + 4) / 2
  assert.ok(Math.abs(a[0] - 1) < 1e-12 && Math.abs(a[1] - 4.5) < 1e-6, String(a));
  const large = { ...y, data: y.data.map((v) => v * 1e6) };
  const { data } = chooseClasses(large, tables, { coarse: false, smoothing: 0 });
  assert.deepEqual([data[0], data[1] > 8], [0, true]);
  assert.deepEqual(choiceForBudget(48), { coarse: true, smoothing: 4 });
  assert.deepEqual([choiceForBudget(0).smoothing, choiceForBudget(20).smoothing], [8, 6.4]);
});

test('symbols: those of the Python rule; rates rounded to 1/16 bit move few of them', () => {
  assert.equal(vectors.budgets.length, 28);
  const n = vectors.classes.length;
  for (const { thetaLevel, budget, symbols, symbolsOfExactRates } of vectors.budgets) {
    const k = symbolRate({ classes: vectors.classes, thetaLevel, budget }, tables);
    const differing = (other: number[]) => other.filter((v, i) => v !== k[i]).length;
    // Python's bisection ends at 2^-24 of its start, ours at a whole number: two classes may rise within one step
    assert.ok(differing(symbols) <= 0.01 * n, `theta ${thetaLevel}, ${budget}: ${differing(symbols)} of ${n} differ`);
    assert.ok(
      differing(symbolsOfExactRates) <= 0.05 * n,
      `${thetaLevel}, ${budget}: ${differing(symbolsOfExactRates)}`,
    );
    assert.ok(symbolSum(k) <= budget);
  }
});

const inputs = fc.record({
  classes: fc.array(fc.integer({ min: 0, max: 15 }), { minLength: 1, maxLength: 60 }),
  thetaLevel: fc.integer({ min: 0, max: 35 }),
  budget: fc.oneof(fc.integer({ min: 0, max: 12000 }), fc.integer({ min: 0, max: 40 })),
});
const weighted = inputs.chain((input) =>
  fc
    .option(
      fc.array(fc.integer({ min: 0, max: 255 }), { minLength: input.classes.length, maxLength: input.classes.length }),
    )
    .map((weights) => ({ ...input, weights: weights ?? undefined })),
);

test('symbols: never above the budget, from kSet, growing with the budget for every embedding', () => {
  fc.assert(
    fc.property(weighted, fc.integer({ min: 0, max: 500 }), (input, more) => {
      const k = symbolRate(input, tables);
      assert.ok(symbolSum(k) <= input.budget);
      assert.ok(k.every((v) => tables.kSet.includes(v)));
      const richer = symbolRate({ ...input, budget: input.budget + more }, tables);
      assert.ok(k.every((v, i) => v <= richer[i]));
    }),
  );
});

test('symbols: what is left over would not do for the next embedding in order', () => {
  fc.assert(
    fc.property(weighted, (input) => {
      const k = symbolRate(input, tables);
      const left = input.budget - symbolSum(k);
      const weights = input.weights ?? input.classes.map(() => 16);
      const rates = input.classes.map((c, i) => tables.symbolRate[input.thetaLevel * 16 + c] * weights[i]);
      const open = k.findIndex((v, i) => v < 192 && rates[i] > 0);
      if (open < 0) return;
      // some embedding could still grow: the rise of one step over all of kSet, 64, is the most that may lie idle
      // for one embedding; embeddings that rise together are served one by one
      assert.ok(left < 64, `${left} of ${input.budget} idle`);
    }),
  );
});

test('symbols: zero and huge budgets, one cell, equal classes, weight 0 and equal weights', () => {
  const classes = drawClasses(5, 7, false, new RandomStream('rate'));
  const of = (budget: number, weights?: number[]) => symbolRate({ classes, thetaLevel: 20, budget, weights }, tables);
  assert.ok(of(0).every((k) => k === 0));
  assert.ok(of(1e12).every((k) => k === 192));
  assert.equal(symbolSum(symbolRate({ classes: [9], thetaLevel: 20, budget: 47 }, tables)), 32);
  assert.equal(symbolSum(symbolRate({ classes: [9], thetaLevel: 0, budget: 48 }, tables)), 48);
  assert.deepEqual([...symbolRate({ classes: [4, 4, 4], thetaLevel: 20, budget: 20 }, tables)], [8, 8, 4]);
  assert.deepEqual(
    [...symbolRate({ classes: [4, 4], thetaLevel: 20, budget: 999, weights: [0, 1] }, tables)],
    [0, 192],
  );
  assert.deepEqual(of(900, Array(35).fill(16)), of(900));
  assert.deepEqual(symbolRate({ classes: [], thetaLevel: 0, budget: 9 }, tables).length, 0);
});

test('symbols: an input out of range is refused with the allowed range', () => {
  const rate = (change: object) => () => symbolRate({ classes: [1, 2], thetaLevel: 3, budget: 9, ...change }, tables);
  assert.throws(rate({ thetaLevel: 36 }), /theta level 36 .* 0 to 35/);
  assert.throws(rate({ budget: -1 }), UsageError);
  assert.throws(rate({ budget: 2.5 }), UsageError);
  assert.throws(rate({ budget: Number.NaN }), UsageError);
  assert.throws(rate({ classes: [16, 0] }), /class 16/);
  assert.throws(rate({ weights: [1] }), /1 weights for 2/);
  assert.throws(rate({ weights: [1, 256] }), /weight 256 .* 0 to 255/);
});

test('symbols: noise of 1e-3 on every float of the tables changes none', () => {
  const noisy: ModelTables = {
    ...tables,
    theta0: tables.theta0 - 1e-3,
    activityEdges: tables.activityEdges.map((v) => v + 1e-3),
    variance: tables.variance.map((v) => v - 1e-3),
    stepBase: tables.stepBase.map((v) => v + 1e-3),
  };
  for (const { thetaLevel, budget } of vectors.budgets) {
    const input = { classes: vectors.classes, thetaLevel, budget };
    assert.deepEqual(symbolRate(input, noisy), symbolRate(input, tables));
  }
});

test('theta level: that of the Python rule for budget and SNR; extremes stay within 0..35', () => {
  const unbounded = vectors.thetaLevels.filter((v) => v.snrDb <= MOST_THETA_SNR_DB);
  assert.ok(unbounded.length >= 8);
  for (const { budget, snrDb, thetaLevel } of unbounded) {
    assert.equal(chooseThetaLevel(vectors.classes, budget, snrDb, tables), thetaLevel, `${budget} at ${snrDb} dB`);
  }
  assert.equal(chooseThetaLevel([0, 15], 0, Number.NEGATIVE_INFINITY, tables), 35);
  assert.equal(chooseThetaLevel([0, 15], 1e6, 200, tables), 0);
  const highest = chooseThetaLevel(vectors.classes, 4000, MOST_THETA_SNR_DB, tables);
  for (const snrDb of [13, 20, 200]) assert.equal(chooseThetaLevel(vectors.classes, 4000, snrDb, tables), highest);
  assert.throws(() => chooseThetaLevel([0], 1, Number.NaN, tables), UsageError);
  assert.throws(() => chooseThetaLevel([0], Number.NaN, 1, tables), UsageError);
  assert.ok(Math.abs(thetaOf(0) - 3.1623e-4) < 1e-8 && thetaOf(35) === 1);
});

test('power scale: root mean square over the symbols sent; a code within 2.2 %; ends and NaN', () => {
  const symbols = [2, 0, 1];
  const z = new Float32Array(384 * 3).fill(100); // what is not sent must not count
  z.set([3, 9, 1], 0); // [component][cell]: cells 0 and 2 send
  z.set([4, 9, 1], 3);
  z.set([0, 9, 9], 6);
  z.set([5, 9, 9], 9);
  assert.ok(Math.abs(powerScale(z, symbols) - Math.sqrt((9 + 16 + 25 + 2) / 3)) < 1e-9);
  assert.equal(powerScale(z, [0, 0, 0]), 0);
  for (let code = 0; code < 256; code++) assert.equal(encodePowerScale(decodePowerScale(code)), code);
  for (const scale of [0.01, 0.37, 1, 2.02, 200]) {
    assert.ok(Math.abs(Math.log2(decodePowerScale(encodePowerScale(scale)) / scale)) <= 1 / 32 + 1e-12);
  }
  assert.deepEqual([encodePowerScale(0), encodePowerScale(1), encodePowerScale(1e9)], [0, 128, 255]);
  assert.throws(() => encodePowerScale(Number.NaN), UsageError);
  assert.throws(() => decodePowerScale(256), /0 to 255/);
});
