import '../../fixed-seed.js';
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { cellSaliency, importanceMap } from '../../../src/sct/importance/importance-map.ts';
import { encodeScore, scoreWeight, sfvOrder, sfvSums } from '../../../src/sct/importance/scores.ts';
import { taskClassIds } from '../../../src/sct/importance/task-classes.ts';
import { adoptPartition } from '../../../src/sct/partition/partition.ts';

const plane = (rows: number, columns: number, values: readonly number[]) => ({
  rows,
  columns,
  data: Float32Array.from(values),
});

test('importance = (1 - w) H / sum(H) + w S / sum(S)', () => {
  const map = importanceMap(plane(1, 4, [1, 2, 3, 4]), plane(1, 4, [0, 0, 5, 15]), 0.7);
  [0.03, 0.06, 0.09 + 0.175, 0.12 + 0.525].forEach((v, i) => {
    assert.ok(Math.abs(map.data[i] - v) < 1e-6);
  });
});

test('property: the map sums to 1 and is finite, whatever the maps hold', () => {
  const value = fc.oneof(
    fc.double({ min: 0, max: 1e6, noNaN: true }),
    fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -3, 0),
  );
  const values = fc.array(value, { minLength: 12, maxLength: 12 });
  fc.assert(
    fc.property(values, values, fc.double({ min: 0, max: 1, noNaN: true }), (h, s, w) => {
      const { data } = importanceMap(plane(3, 4, h), plane(3, 4, s), w);
      assert.ok(data.every((v) => v >= 0 && v <= 1));
      assert.ok(Math.abs(data.reduce((a, b) => a + b, 0) - 1) < 1e-5);
    }),
  );
});

test('a map of zeros or NaN says nothing: uniform', () => {
  for (const empty of [0, Number.NaN, -1]) {
    const { data } = importanceMap(plane(1, 2, [1, 3]), plane(1, 2, [empty, empty]), 0.5);
    assert.deepEqual([...data], [0.375, 0.625]);
  }
  assert.throws(() => importanceMap(plane(1, 2, [1, 1]), plane(2, 1, [1, 1]), 0.5), /cells/);
});

test('saliency of a cell: mean of the sigmoid over its 4x4 logits', () => {
  const logits = new Float32Array(2 * 16);
  for (let r = 0; r < 4; r++) for (let c = 0; c < 8; c++) logits[8 * r + c] = c < 4 ? 100 : r < 2 ? 0 : -100;
  const { data } = cellSaliency(logits, 1, 2);
  assert.ok(Math.abs(data[0] - 1) < 1e-6 && Math.abs(data[1] - 0.25) < 1e-6);
  assert.throws(() => cellSaliency(logits, 1, 3), /fit/);
});

test('score codes: 16 steps an octave from 255 = everything; 0 only for nothing', () => {
  assert.deepEqual([1, 0.5, 0.25, 2, 1e-9, 0, -1, Number.NaN].map(encodeScore), [255, 239, 223, 255, 1, 0, 0, 0]);
  for (let code = 1; code < 256; code++) {
    assert.equal(encodeScore(2 ** ((code - 255) / 16)), code);
    const exact = 2 ** 30 * 2 ** ((code - 255) / 16);
    assert.ok(Math.abs(scoreWeight(code) / exact - 1) < 5e-5, `weight of ${code}`);
    assert.ok(Number.isInteger(scoreWeight(code)) && scoreWeight(code) > scoreWeight(code - 1));
  }
  assert.equal(scoreWeight(0), 0);
});

test('sums over SFVs, and their order by sum and by density', () => {
  // SFV 0: 6 cells of label 2, SFV 1: 2 cells of label 5.
  const labels = Uint8Array.of(2, 2, 2, 5, 2, 2, 2, 5);
  const { partition } = adoptPartition({ rows: 2, columns: 4, data: labels }, { agreement: 1, bitsPerCell: 50 });
  const sums = sfvSums(plane(2, 4, [1, 1, 1, 2, 1, 1, 1, 2]), partition);
  assert.deepEqual([...sums], [6, 4]);
  const codes = Uint8Array.from(sums, (v) => encodeScore(v / 10));
  assert.deepEqual(sfvOrder(codes, partition, 'sum'), [0, 1]);
  assert.deepEqual(sfvOrder(codes, partition, 'density'), [1, 0]);
  assert.deepEqual(sfvOrder(Uint8Array.of(9, 9), partition, 'sum'), [0, 1], 'ties: the lower id');
});

test('task classes by name', () => {
  const known = ['sky', 'car', 'sign'];
  assert.deepEqual(taskClassIds(['sign', ' Car', 'sign'], known), [1, 2]);
  assert.throws(() => taskClassIds(['tiger'], known), /"tiger" is not known: allowed sky, car, sign/);
  assert.throws(() => taskClassIds([], known), /no task class/);
});
