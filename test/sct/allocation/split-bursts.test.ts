import assert from 'node:assert/strict';
import test from 'node:test';
import '../../fixed-seed.js';
import fc from 'fast-check';
import { UsageError } from '../../../src/common/errors.ts';
import { allocate, burstCapacity } from '../../../src/sct/allocation/allocate.ts';
import { splitOverBursts } from '../../../src/sct/allocation/split-bursts.ts';
import { scoreWeight } from '../../../src/sct/importance/scores.ts';
import { evenShape, splits } from './vectors.ts';

test('golden vectors: equal to the independent computation with fractions', () => {
  assert.equal(splits.length, 8);
  for (const [number, { scores, ranking, minRe, capacities, bursts }] of splits.entries()) {
    const got = splitOverBursts({ scores: Uint8Array.from(scores), ranking, minRe }, capacities);
    assert.deepEqual(
      got.map((b) => ({ parts: b.ranking.map((id) => [id, b.weights[id], b.minRe[id]]), continues: b.continues })),
      bursts,
      `case ${number}`,
    );
  }
});

const anyPicture = fc.record({
  scores: fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 60 }),
  capacities: fc.array(fc.integer({ min: 1000, max: 96_000 }), { minLength: 1, maxLength: 12 }),
});

test('property: the parts of every SFV add up; order kept; only the last of a burst goes on', () => {
  fc.assert(
    fc.property(anyPicture, ({ scores, capacities }) => {
      const codes = Uint8Array.from(scores);
      const bursts = splitOverBursts({ scores: codes }, capacities);
      const all = scores.every((s) => s === 0);
      const sums = new Array<number>(scores.length).fill(0);
      let sequence: number[] = [];
      for (const [b, { ranking, weights, continues }] of bursts.entries()) {
        for (const [id, w] of weights.entries()) {
          sums[id] += w;
          if (w > 0) assert.ok(ranking.includes(id));
        }
        if (b > 0 && bursts[b - 1].continues) assert.equal(ranking[0], sequence.pop(), 'goes on as the first');
        assert.equal(continues && b === bursts.length - 1, false, 'nothing goes on after the last');
        sequence = [...sequence, ...ranking];
      }
      assert.deepEqual(
        sums,
        scores.map((s) => (all ? 2 ** 15 : scoreWeight(s))),
      );
      const order = scores.map((_, id) => id).sort((a, b) => scores[b] - scores[a] || a - b);
      assert.deepEqual(sequence, order);
    }),
    { numRuns: 200 },
  );
});

test('property: equally large bursts carry half to 3/2 of their part, and whole what the next could hold', () => {
  fc.assert(
    fc.property(anyPicture, fc.integer({ min: 2, max: 8 }), ({ scores }, count) => {
      const ranked = Uint8Array.from(scores, (s) => Math.max(1, s));
      const bursts = splitOverBursts({ scores: ranked }, new Array(count).fill(50_000));
      let left = ranked.reduce((sum, code) => sum + scoreWeight(code), 0);
      for (const [b, { weights, ranking, continues }] of bursts.entries()) {
        const part = left / (count - b);
        const taken = weights.reduce((a, w) => a + w, 0);
        assert.ok(taken >= part / 2 - 1 && taken <= 1.5 * part + 1, `burst ${b} of ${count}`);
        if (continues) {
          const id = ranking[ranking.length - 1];
          const rest = bursts.slice(b).reduce((sum, burst) => sum + burst.weights[id], 0);
          assert.ok(rest > part - 1, 'only what is larger than a burst is divided');
        }
        left -= taken;
      }
      assert.equal(left, 0);
    }),
    { numRuns: 200 },
  );
});

test('a picture of three bursts: each SFV gets its share as far as whole SFVs allow, every RE is used', () => {
  const shapes = [96, 96, 48].map((slots) => evenShape(6, slots));
  const csi = Uint8Array.of(90, 120, 60, 100, 80, 110);
  const scores = Uint8Array.from({ length: 32 }, (_, id) => 170 + ((29 * id) % 64));
  const minRe = new Array(32).fill(40);
  const bursts = splitOverBursts(
    { scores, minRe },
    shapes.map((shape) => burstCapacity(shape, csi)),
  );
  const got = new Array<number>(32).fill(0);
  let total = 0;
  for (const [b, demand] of bursts.entries()) {
    const { map, capacities, totalCapacity, dropped } = allocate({
      ...demand,
      shape: shapes[b],
      csi,
      mapping: 'matched',
    });
    assert.deepEqual(dropped, []);
    assert.equal(
      map.reCounts.reduce((a, n) => a + n, 0),
      shapes[b].rePerRb.reduce((a, n) => a + n, 0),
    );
    total += totalCapacity;
    for (const [i, id] of map.sfvOrder.entries()) got[id] += capacities[i];
  }
  const sum = scores.reduce((s, code) => s + scoreWeight(code), 0);
  for (const [id, code] of scores.entries()) {
    const ratio = got[id] / ((scoreWeight(code) / sum) * total);
    assert.ok(ratio > 0.9 && ratio < 1.1, `SFV ${id}: ${ratio}`);
  }
});

test('one SFV goes over all bursts: the classical codec', () => {
  const bursts = splitOverBursts({ scores: Uint8Array.of(255), minRe: [1001] }, [10, 20, 10]);
  assert.deepEqual(
    bursts.map((b) => [b.ranking, b.weights, b.minRe, b.continues]),
    [
      [[0], [2 ** 28], [251], true],
      [[0], [2 ** 29], [501], true],
      [[0], [2 ** 28], [251], false],
    ],
  );
});

test('bad input is refused with what is allowed', () => {
  const scores = Uint8Array.of(200, 210);
  const refused = (capacities: number[], message: RegExp, demand: object = {}) =>
    assert.throws(
      () => splitOverBursts({ scores, ...demand }, capacities),
      (e) => e instanceof UsageError && message.test(e.message),
    );
  refused([], /0 bursts.*1 to 256/);
  refused(new Array(257).fill(5), /257 bursts/);
  for (const c of [0, -1, 1.5, Number.NaN, 2 ** 53]) refused([5, c], /capacity .* allowed whole numbers from 1/);
  refused([2 ** 52, 2 ** 52], /sum below 2\^53/);
  refused([5], /SFV 2 of the ranking/, { ranking: [2] });
  refused([5], /1 values of minimum RE/, { minRe: [1] });
});
