import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import '../../fixed-seed.js';
import fc from 'fast-check';
import { UsageError } from '../../../src/common/errors.ts';
import { allocate, allocateRobust, burstCapacity, MAPPINGS } from '../../../src/sct/allocation/allocate.ts';
import { CAPACITY_BY_CSI } from '../../../src/sct/allocation/capacity-table.ts';
import { decodeCsi, encodeCsi, encodeCsiReport } from '../../../src/sct/allocation/csi-code.ts';
import { reportedChannels } from '../../../src/sct/allocation/effective-snr.ts';
import { placeSymbols, rbMapCrc16 } from '../../../src/sct/allocation/rb-map.ts';
import { scoreWeight } from '../../../src/sct/importance/scores.ts';
import { allocations, anyInput, evenShape, inputOf } from './vectors.ts';

test('capacity table: round(1024 log2(1 + snr)) of every CSI code', () => {
  assert.equal(CAPACITY_BY_CSI.length, 256);
  for (let code = 0; code < 256; code++) {
    assert.equal(CAPACITY_BY_CSI[code], Math.round(1024 * Math.log2(1 + 10 ** (decodeCsi(code) / 10))), `code ${code}`);
  }
  assert.equal(CAPACITY_BY_CSI[80], 1024, '0 dB carries one bit');
});

test('CSI codes: quarter-dB steps, ends take what lies beyond, NaN is refused', () => {
  for (let code = 0; code < 256; code++) assert.equal(encodeCsi(decodeCsi(code)), code);
  assert.deepEqual([...encodeCsiReport([-99, -20, 0, 0.12, 0.13, 43.75, 99])], [0, 0, 80, 80, 81, 255, 255]);
  assert.deepEqual([encodeCsi(Number.NEGATIVE_INFINITY), encodeCsi(Number.POSITIVE_INFINITY)], [0, 255]);
  assert.throws(() => encodeCsi(Number.NaN), UsageError);
  assert.throws(() => decodeCsi(256), /0 to 255/);
});

test('golden vectors: equal to the independent computation with fractions, symbol by symbol', () => {
  assert.equal(allocations.length, 13);
  for (const [number, c] of allocations.entries()) {
    const input = inputOf(c);
    for (const mapping of ['matched', 'uniform', 'worst'] as const) {
      const { map, dropped, totalCapacity, capacities } = allocate({ ...input, mapping });
      const what = `case ${number}, ${mapping}`;
      if (mapping === 'matched') assert.deepEqual([...map.subbandOrder], c.subbandOrder, what);
      const got = [...map.sfvOrder].map((id, i) => [id, map.reCounts[i], capacities[i]]);
      assert.deepEqual(got, c.sfvs, what);
      assert.deepEqual(dropped, c.dropped, what);
      assert.equal(totalCapacity, c.totalCapacity, what);
      const { sha256, crc16, snrDb } = c.maps[mapping];
      assert.equal(rbMapCrc16(map), crc16, what);
      const placement = placeSymbols(map, input.shape);
      const bytes = new DataView(new ArrayBuffer(4 * placement.rb.length));
      placement.rb.forEach((rb, t) => {
        bytes.setUint32(4 * t, rb * 168 + placement.re[t], true);
      });
      assert.equal(createHash('sha256').update(new Uint8Array(bytes.buffer)).digest('hex'), sha256, what);
      const channels = reportedChannels(placement, input.csi, c.csi.length);
      for (const [i, { snrDb: got }] of channels.entries()) assert.ok(Math.abs(got - snrDb[i]) < 2e-6, what);
    }
  }
});

test('property: each RE once, the same counts in every mapping, order kept, shares reached to within one RE', () => {
  fc.assert(
    fc.property(anyInput, fc.integer({ min: 0, max: 2 ** 32 - 1 }), (raw, seed) => {
      const input = inputOf(raw);
      const ranking = raw.ranking ?? [...raw.scores.keys()].sort((a, b) => raw.scores[b] - raw.scores[a] || a - b);
      const totalRe = raw.rePerRb.reduce((s, n) => s + n, 0);
      const matched = allocate({ ...input, mapping: 'matched' });
      for (const mapping of MAPPINGS) {
        const { map, dropped, matched: budgets } = allocate({ ...input, mapping, seed });
        assert.deepEqual(budgets, matched.map, 'budgets come from the matched rule');
        assert.deepEqual(map.reCounts, matched.map.reCounts);
        assert.deepEqual(map.sfvOrder, matched.map.sfvOrder);
        assert.deepEqual(dropped, matched.dropped);
        const order = [...map.subbandOrder].sort((a, b) => a - b);
        assert.deepEqual(order, [...raw.csi.keys()], 'a permutation');
        const { rb, re, start } = placeSymbols(map, input.shape);
        assert.equal(rb.length, map.sfvOrder.length > 0 ? totalRe : 0, 'every RE is used');
        const seen = new Set<number>();
        for (let t = 0; t < rb.length; t++) {
          assert.ok(re[t] < raw.rePerRb[rb[t]]);
          seen.add(rb[t] * 168 + re[t]);
        }
        assert.equal(seen.size, rb.length, 'each RE once');
        assert.equal(start[start.length - 1], rb.length);
      }
      const placed = new Set(matched.map.sfvOrder);
      assert.deepEqual(
        [...matched.map.sfvOrder],
        ranking.filter((id) => placed.has(id)),
        'order kept',
      );
      const dropped = ranking.filter((id) => !placed.has(id)).sort((a, b) => a - b);
      assert.deepEqual(matched.dropped, dropped, 'every ranked SFV is placed or listed, no other');
      for (const [i, id] of matched.map.sfvOrder.entries()) {
        assert.ok(matched.map.reCounts[i] >= Math.max(1, raw.minRe?.[id] ?? 0), 'nobody stays below the minimum');
      }

      const place = placeSymbols(matched.map, input.shape);
      const perRe = (symbol: number) => CAPACITY_BY_CSI[raw.csi[place.rb[symbol] % raw.csi.length]];
      for (let t = 1; t < place.rb.length; t++) {
        assert.ok(perRe(t) <= perRe(t - 1), 'what comes first never has the worse RB');
      }
      const equal = ranking.every((id) => raw.scores[id] === 0);
      const weight = (id: number) => BigInt(equal ? 1 : scoreWeight(raw.scores[id]));
      const sum = [...placed].reduce((s, id) => s + weight(id), 0n);
      matched.map.sfvOrder.forEach((id, i) => {
        const excess = BigInt(matched.capacities[i]) * sum - weight(id) * BigInt(matched.totalCapacity);
        const first = BigInt(perRe(place.start[i])) * sum; // the best of its own and its neighbours' RE but one
        const before = i === 0 ? first : BigInt(perRe(place.start[i] - 1)) * sum;
        assert.ok(excess < first && excess > -before, 'share reached to within one RE');
      });
    }),
    { numRuns: 150 },
  );
});

test('mappings differ only in placement: worst is matched backwards, random follows its seed', () => {
  const input = inputOf(allocations[3]);
  const of = (mapping: (typeof MAPPINGS)[number], seed = 1) => allocate({ ...input, mapping, seed }).map;
  assert.deepEqual([...of('worst').subbandOrder], [...of('matched').subbandOrder].reverse());
  assert.deepEqual(of('random', 7), of('random', 7));
  assert.notDeepEqual(of('random', 7).subbandOrder, of('random', 8).subbandOrder);
});

test('one stream takes the whole burst, whatever its score and the mapping: the classical codec', () => {
  const shape = evenShape(25, 8);
  const csi = Uint8Array.from({ length: 25 }, (_, s) => 60 + 5 * s);
  for (const score of [255, 1, 0]) {
    for (const mapping of MAPPINGS) {
      const { map, dropped } = allocate({ shape, csi, scores: Uint8Array.of(score), mapping });
      assert.deepEqual([[...map.sfvOrder], [...map.reCounts], dropped], [[0], [25 * 8 * 154], []]);
    }
  }
});

test('robust map: interleaved, RE in proportion to what the scores stand for', () => {
  const shape = evenShape(25, 2, 150);
  const { map, dropped } = allocateRobust(shape, Uint8Array.of(223, 255, 0, 239)); // 1/4, 1, nothing, 1/2
  assert.equal(map.layout, 'interleaved');
  assert.deepEqual([...map.sfvOrder], [1, 3, 0]);
  assert.deepEqual([...map.reCounts], [4286, 2143, 1071]); // 7500 x 4/7, 2/7, 1/7
  assert.deepEqual(dropped, [2]);
  const some = allocateRobust(shape, Uint8Array.of(223, 255, 0, 239), { ranking: [0, 3], minRe: [2600, 0, 0, 0] });
  assert.deepEqual([[...some.map.sfvOrder], some.dropped], [[3], [0]], 'a third of 7500 is less than 2600');
});

test('large bursts stay exact: 2^18 RBs, 255 SFVs', () => {
  const nSubbands = 50;
  const nSlots = Math.floor(2 ** 18 / nSubbands);
  const shape = evenShape(nSubbands, nSlots, 168);
  const csi = new Uint8Array(nSubbands).fill(255);
  const scores = Uint8Array.from({ length: 255 }, (_, i) => 255 - i);
  const { map, totalCapacity, dropped } = allocate({ shape, csi, scores, mapping: 'matched' });
  const re = nSubbands * nSlots * 168;
  assert.equal(totalCapacity, re * CAPACITY_BY_CSI[255]);
  assert.equal(burstCapacity(shape, csi), totalCapacity);
  assert.equal(
    map.reCounts.reduce((s, n) => s + n, 0),
    re,
  );
  // equal capacity everywhere: RE = ceil(weight x RE / sum)
  const sum = scores.reduce((s, code) => s + BigInt(scoreWeight(code)), 0n);
  assert.deepEqual(dropped, []);
  assert.equal(map.reCounts[0], Number((2n ** 30n * BigInt(re) + sum - 1n) / sum));
});

test('bad input is refused with what is allowed', () => {
  const good = { ...inputOf(allocations[1]), mapping: 'matched' as const };
  const refused = (change: object, message: RegExp) =>
    assert.throws(
      () => allocate({ ...good, ...change }),
      (e) => e instanceof UsageError && message.test(e.message),
    );
  refused({ csi: new Uint8Array(5) }, /5 subbands/);
  refused({ scores: new Uint8Array(0) }, /allowed 1 to 255/);
  refused({ scores: new Uint8Array(256) }, /allowed 1 to 255/);
  refused({ ranking: [] }, /ranking of 0 SFVs.*1 to 5/);
  refused({ ranking: [0, 1, 2, 3, 4, 0] }, /ranking of 6 SFVs/);
  refused({ ranking: [0, 5] }, /SFV 5.*0 to 4/);
  refused({ ranking: [0, 0.5] }, /SFV 0.5/);
  refused({ ranking: [2, 2] }, /SFV 2 stands twice/);
  refused({ minRe: [1, 2] }, /2 values of minimum RE for 5 SFVs/);
  refused({ minRe: [0, 0, 0, 0, -1] }, /minimum RE -1 of SFV 4.*0 to 67108864/);
  refused({ minRe: [0, 0, Number.NaN, 0, 0] }, /minimum RE NaN of SFV 2/);
  refused({ weights: [0, 0, 0, 0, 2 ** 30 + 1] }, /weight 1073741825 of SFV 4.*0 to 1073741824/);
  refused({ mapping: 'best' }, /matched, uniform/);
  refused({ mapping: 'random', seed: 2 ** 32 }, /seed 4294967296.*0 to 4294967295/);
  refused({ shape: { ...good.shape, nSlots: 0 } }, /allowed 1 to/);
  refused({ shape: { ...good.shape, rePerRb: new Uint16Array(12).fill(169) } }, /0 to 168/);
});
