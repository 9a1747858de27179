import assert from 'node:assert/strict';
import test from 'node:test';
import '../../fixed-seed.js';
import fc from 'fast-check';
import { allocate, burstCapacity } from '../../../src/sct/allocation/allocate.ts';
import { CAPACITY_BY_CSI } from '../../../src/sct/allocation/capacity-table.ts';
import { scoreWeight } from '../../../src/sct/importance/scores.ts';
import { anyInput, evenShape, inputOf } from './vectors.ts';

const flat = (nSubbands: number) => new Uint8Array(nSubbands).fill(80);
/** 1000 RE of equal capacity. */
const thousand = { shape: evenShape(10, 1, 100), csi: flat(10), mapping: 'matched' as const };

test('shares follow what the logarithmic codes stand for: 16 steps are a factor of two', () => {
  const { map, capacities, totalCapacity } = allocate({ ...thousand, scores: Uint8Array.of(200, 216, 232) });
  assert.deepEqual(
    [[...map.sfvOrder], [...map.reCounts]],
    [
      [2, 1, 0],
      [572, 286, 142],
    ],
  );
  assert.equal(totalCapacity, 1024 * 1000);
  assert.deepEqual(capacities, [572 * 1024, 286 * 1024, 142 * 1024]);
});

test('the ranking sets the order of placement and who takes part, the scores the amounts', () => {
  const csi = Uint8Array.from({ length: 10 }, (_, s) => 60 + 4 * s); // the last subband is the best
  const scores = Uint8Array.of(200, 232, 216);
  const bySum = allocate({ ...thousand, csi, scores });
  assert.deepEqual([...bySum.map.sfvOrder], [1, 2, 0]);
  const byDensity = allocate({ ...thousand, csi, scores, ranking: [0, 2, 1] });
  assert.deepEqual([...byDensity.map.sfvOrder], [0, 2, 1]);
  const capacityOf = (a: typeof bySum, id: number) => a.capacities[a.map.sfvOrder.indexOf(id)];
  const largest = CAPACITY_BY_CSI[csi[9]];
  for (const id of [0, 1, 2]) assert.ok(Math.abs(capacityOf(bySum, id) - capacityOf(byDensity, id)) < 2 * largest);
  assert.ok(
    byDensity.map.reCounts[0] < bySum.map.reCounts[2],
    'the same capacity takes fewer RE where they are better',
  );
  const chosen = allocate({ ...thousand, csi, scores, ranking: [2] });
  assert.deepEqual([[...chosen.map.sfvOrder], [...chosen.map.reCounts], chosen.dropped], [[2], [1000], []]);
});

test('scores that are all 0 share equally: what was chosen is sent; one score above 0 takes it all', () => {
  assert.deepEqual([...allocate({ ...thousand, scores: new Uint8Array(4) }).map.reCounts], [250, 250, 250, 250]);
  const one = allocate({ ...thousand, scores: Uint8Array.of(0, 1, 0) });
  assert.deepEqual([[...one.map.sfvOrder], [...one.map.reCounts], one.dropped], [[1], [1000], [0, 2]]);
  const outside = allocate({ ...thousand, scores: Uint8Array.of(0, 255, 0), ranking: [2, 0] });
  assert.deepEqual(
    [[...outside.map.sfvOrder], [...outside.map.reCounts]],
    [
      [2, 0],
      [500, 500],
    ],
  );
});

test('below the minimum: dropped, listed, and the others share its room by the same rule', () => {
  const scores = Uint8Array.of(200, 216, 232); // 142, 286, 572 RE
  const of = (...minRe: number[]) => {
    const { map, dropped } = allocate({ ...thousand, scores, minRe });
    return { re: [...map.sfvOrder].map((id, i) => [id, map.reCounts[i]]), dropped };
  };
  assert.deepEqual(of(142, 286, 572).dropped, []);
  assert.deepEqual(of(143, 0, 0), {
    re: [
      [2, 667],
      [1, 333],
    ],
    dropped: [0],
  });
  assert.deepEqual(of(143, 300, 0).dropped, [0], 'the last goes first: its room is enough for the one before');
  assert.deepEqual(of(201, 334, 0), { re: [[2, 1000]], dropped: [0, 1] });
  assert.deepEqual(
    of(200, 334, 0),
    {
      re: [
        [2, 800],
        [0, 200],
      ],
      dropped: [1],
    },
    'comes back once the other is gone',
  );
  assert.deepEqual(
    of(150, 0, 5000),
    {
      re: [
        [1, 667],
        [0, 333],
      ],
      dropped: [2],
    },
    'a minimum nobody can meet takes no one along',
  );
  assert.deepEqual(of(1001, 1001, 1001), { re: [], dropped: [0, 1, 2] });
});

test('more SFVs than RE: one each at most, the others are listed', () => {
  const shape = evenShape(5, 1, 2);
  const { map, dropped } = allocate({ shape, csi: flat(5), scores: new Uint8Array(30).fill(9), mapping: 'uniform' });
  assert.deepEqual([...map.reCounts], new Array(10).fill(1));
  assert.equal(dropped.length, 20);
  const empty = allocate({
    shape: evenShape(5, 1, 0),
    csi: flat(5),
    scores: Uint8Array.of(255, 3),
    mapping: 'matched',
  });
  assert.deepEqual([empty.map.sfvOrder.length, empty.dropped, empty.totalCapacity], [0, [0, 1], 0]);
});

test('few SFVs are lost to rounding: of 255 in 3000 RE only those of less than two RE', () => {
  const input = { shape: evenShape(25, 1, 120), csi: flat(25), mapping: 'matched' as const };
  const scores = Uint8Array.from({ length: 255 }, (_, id) => 150 + ((37 * id) % 100));
  const { dropped } = allocate({ ...input, scores });
  const sum = scores.reduce((s, code) => s + scoreWeight(code), 0);
  for (const id of dropped) assert.ok((scoreWeight(scores[id]) / sum) * 3000 < 2);
  assert.ok(dropped.length < 50, `${dropped.length} dropped`);
});

test('property: who is dropped was below its minimum, or found less than one RE', () => {
  fc.assert(
    fc.property(anyInput, (raw) => {
      const input = { ...inputOf(raw), mapping: 'matched' as const };
      const { map, dropped } = allocate(input);
      const weights = raw.ranking?.every((id) => raw.scores[id] === 0) ? raw.scores.map(() => 1) : null;
      const ranking = raw.ranking ?? raw.scores.map((_, id) => id);
      if (map.sfvOrder.length === 0) {
        const re = raw.rePerRb.reduce((a, b) => a + b, 0);
        for (const id of ranking) assert.ok(re < Math.max(1, raw.minRe?.[id] ?? 1), 'nobody would fit alone');
      }
      if (raw.minRe) return;
      const weight = (id: number) => weights?.[id] ?? scoreWeight(raw.scores[id]);
      const sum = [...map.sfvOrder].reduce((s, id) => s + weight(id), 0);
      const capacity = burstCapacity(input.shape, input.csi);
      const largest = CAPACITY_BY_CSI[Math.max(...raw.csi)];
      if (sum > 0) for (const id of dropped) assert.ok((weight(id) / (sum + weight(id))) * capacity < largest);
    }),
    { numRuns: 200 },
  );
});

test('property: a higher score never means less capacity, to within two RE', () => {
  const scores = fc.array(fc.integer({ min: 180, max: 250 }), { minLength: 2, maxLength: 32 });
  const csi = fc.array(fc.integer({ min: 60, max: 200 }), { minLength: 25, maxLength: 25 });
  fc.assert(
    fc.property(scores, csi, fc.nat(), fc.integer({ min: 1, max: 5 }), (codes, report, which, up) => {
      const input = { shape: evenShape(25, 4), csi: Uint8Array.from(report), mapping: 'matched' as const };
      const id = which % codes.length;
      const ranking = codes.map((_, i) => i);
      const before = allocate({ ...input, scores: Uint8Array.from(codes), ranking });
      const raised = Uint8Array.from(codes, (c, i) => (i === id ? c + up : c));
      const after = allocate({ ...input, scores: raised, ranking });
      assert.deepEqual([before.dropped, after.dropped], [[], []]);
      const two = 2 * CAPACITY_BY_CSI[Math.max(...report)];
      assert.ok(after.capacities[id] > before.capacities[id] - two);
      for (const a of ranking) {
        for (const b of ranking) if (raised[a] >= raised[b]) assert.ok(after.capacities[a] > after.capacities[b] - two);
      }
    }),
    { numRuns: 100 },
  );
});

test('property: ids are only names: the same SFVs under other ids get the same', () => {
  const scores = fc.uniqueArray(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(anyInput, scores, fc.nat(), (raw, codes, turn) => {
      const n = codes.length;
      const minRe = codes.map((c) => (c * 7) % 60);
      const renamed = codes.map((_, id) => (id + turn) % n);
      const shuffled = new Uint8Array(n);
      const shuffledMin = new Array<number>(n);
      for (let id = 0; id < n; id++) {
        shuffled[renamed[id]] = codes[id];
        shuffledMin[renamed[id]] = minRe[id];
      }
      const input = { ...inputOf({ ...raw, ranking: null, minRe: null }), mapping: 'matched' as const };
      const a = allocate({ ...input, scores: Uint8Array.from(codes), minRe });
      const b = allocate({ ...input, scores: shuffled, minRe: shuffledMin });
      assert.deepEqual(
        [...a.map.sfvOrder].map((id) => renamed[id]),
        [...b.map.sfvOrder],
      );
      assert.deepEqual(a.map.reCounts, b.map.reCounts);
      assert.deepEqual(
        a.dropped.map((id) => renamed[id]).sort((x, y) => x - y),
        b.dropped,
      );
    }),
    { numRuns: 100 },
  );
});
