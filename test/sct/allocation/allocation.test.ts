import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import fc from 'fast-check';
import { UsageError } from '../../../src/common/errors.ts';
import { type AllocationInput, allocate, allocateRobust, MAPPINGS } from '../../../src/sct/allocation/allocate.ts';
import { CAPACITY_BY_CSI } from '../../../src/sct/allocation/capacity-table.ts';
import { decodeCsi, encodeCsi, encodeCsiReport } from '../../../src/sct/allocation/csi-code.ts';
import { placeSymbols, rbMapCrc16 } from '../../../src/sct/allocation/rb-map.ts';

interface Case {
  csi: number[];
  slots: number;
  rePerRb: number[];
  scores: number[];
  subbandOrder: number[];
  sfvs: [id: number, re: number, capacity: number][];
  dropped: number[];
  totalCapacity: number;
}
const { cases } = JSON.parse(
  readFileSync(new URL('../../vectors/allocation/allocation.json', import.meta.url), 'utf8'),
) as { cases: Case[] };

function inputOf(c: Pick<Case, 'csi' | 'slots' | 'rePerRb' | 'scores'>): Omit<AllocationInput, 'mapping'> {
  return {
    shape: { nSubbands: c.csi.length, nSlots: c.slots, rePerRb: Uint16Array.from(c.rePerRb) },
    csi: Uint8Array.from(c.csi),
    scores: Uint8Array.from(c.scores),
  };
}

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

test('golden vectors: equal to the independent computation with fractions', () => {
  assert.equal(cases.length, 7);
  for (const c of cases) {
    const { map, dropped, totalCapacity, capacities } = allocate({ ...inputOf(c), mapping: 'matched' });
    assert.deepEqual([...map.subbandOrder], c.subbandOrder);
    assert.deepEqual(
      [...map.sfvOrder].map((id, i) => [id, map.reCounts[i], capacities[i]]),
      c.sfvs,
    );
    assert.deepEqual(dropped, c.dropped);
    assert.equal(totalCapacity, c.totalCapacity);
  }
});

const anyInput = fc
  .record({ nSubbands: fc.integer({ min: 1, max: 50 }), nSlots: fc.integer({ min: 1, max: 6 }) })
  .chain(({ nSubbands, nSlots }) =>
    fc.record({
      csi: fc.array(fc.integer({ min: 0, max: 255 }), { minLength: nSubbands, maxLength: nSubbands }),
      slots: fc.constant(nSlots),
      rePerRb: fc.array(fc.integer({ min: 0, max: 168 }), {
        minLength: nSubbands * nSlots,
        maxLength: nSubbands * nSlots,
      }),
      scores: fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 60 }),
    }),
  );

test('property: each RE once, every mapping places the same counts, order kept, shares reached', () => {
  fc.assert(
    fc.property(anyInput, fc.integer({ min: 0, max: 2 ** 32 - 1 }), (raw, seed) => {
      const input = inputOf(raw);
      const totalRe = raw.rePerRb.reduce((s, n) => s + n, 0);
      const someScore = raw.scores.some((s) => s > 0);
      const matched = allocate({ ...input, mapping: 'matched' });
      for (const mapping of MAPPINGS) {
        const { map, dropped } = allocate({ ...input, mapping, seed });
        assert.deepEqual(map.reCounts, matched.map.reCounts);
        assert.deepEqual(map.sfvOrder, matched.map.sfvOrder);
        assert.deepEqual(dropped, matched.dropped);
        assert.deepEqual(
          [...map.subbandOrder].sort((a, b) => a - b),
          [...raw.csi.keys()],
          'a permutation',
        );
        const { rb, re, start } = placeSymbols(map, input.shape);
        assert.equal(rb.length, someScore ? totalRe : 0, 'every RE is used');
        const seen = new Set<number>();
        for (let t = 0; t < rb.length; t++) {
          assert.ok(re[t] < raw.rePerRb[rb[t]]);
          seen.add(rb[t] * 168 + re[t]);
        }
        assert.equal(seen.size, rb.length, 'each RE once');
        assert.equal(start[start.length - 1], rb.length);
      }
      const ids = [...matched.map.sfvOrder, ...matched.dropped].sort((a, b) => a - b);
      assert.deepEqual(ids, [...raw.scores.keys()], 'every SFV is placed or listed as dropped');
      const place = placeSymbols(matched.map, input.shape);
      for (let t = 1; t < place.rb.length; t++) {
        const csiOf = (symbol: number) => raw.csi[place.rb[symbol] % raw.csi.length];
        assert.ok(csiOf(t) <= csiOf(t - 1), 'a more important symbol never has the worse RB');
      }
      const sum = BigInt(raw.scores.reduce((s, v) => s + v, 0));
      matched.map.sfvOrder.forEach((id, i) => {
        if (i === matched.map.sfvOrder.length - 1) return;
        const target = BigInt(raw.scores[id]) * BigInt(matched.totalCapacity);
        const lastRe = CAPACITY_BY_CSI[raw.csi[place.rb[place.start[i + 1] - 1] % raw.csi.length]];
        assert.ok(BigInt(matched.capacities[i]) * sum >= target, 'the share is reached');
        assert.ok(BigInt(matched.capacities[i] - lastRe) * sum < target, 'with not one RE too many');
        assert.ok(i === 0 || raw.scores[matched.map.sfvOrder[i - 1]] >= raw.scores[id], 'importance descends');
      });
    }),
    { numRuns: 150 },
  );
});

test('mappings differ only in placement: worst is matched backwards, uniform spreads, random follows its seed', () => {
  const input = inputOf(cases[3]);
  const of = (mapping: (typeof MAPPINGS)[number], seed = 1) => allocate({ ...input, mapping, seed }).map;
  assert.deepEqual([...of('worst').subbandOrder], [...of('matched').subbandOrder].reverse());
  assert.deepEqual(of('random', 7), of('random', 7));
  assert.notDeepEqual(of('random', 7).subbandOrder, of('random', 8).subbandOrder);
  const { rb, start } = placeSymbols(of('uniform'), input.shape);
  const full = cases[3].rePerRb.filter((n) => n > 60).length;
  for (let i = 0; i + 1 < start.length; i++) {
    const blocks = new Set(rb.subarray(start[i], start[i + 1]));
    assert.ok(blocks.size >= Math.min(full, start[i + 1] - start[i]) * 0.9, 'every SFV sees the whole band');
  }
});

test('robust map: interleaved, RE in proportion to score', () => {
  const shape = { nSubbands: 25, nSlots: 2, rePerRb: new Uint16Array(50).fill(150) };
  const { map, dropped } = allocateRobust(shape, Uint8Array.of(1, 3, 0, 2));
  assert.equal(map.layout, 'interleaved');
  assert.deepEqual([...map.sfvOrder], [1, 3, 0]);
  assert.deepEqual([...map.reCounts], [3750, 2500, 1250]);
  assert.deepEqual(dropped, [2]);
});

test('large bursts stay exact: 2^18 RBs, 255 SFVs', () => {
  const nSubbands = 50;
  const nSlots = Math.floor(2 ** 18 / nSubbands);
  const shape = { nSubbands, nSlots, rePerRb: new Uint16Array(nSubbands * nSlots).fill(168) };
  const scores = Uint8Array.from({ length: 255 }, (_, i) => 255 - i);
  const { map, totalCapacity } = allocate({
    shape,
    csi: new Uint8Array(nSubbands).fill(255),
    scores,
    mapping: 'matched',
  });
  assert.equal(totalCapacity, nSubbands * nSlots * 168 * CAPACITY_BY_CSI[255]);
  assert.equal(
    map.reCounts.reduce((s, n) => s + n, 0),
    nSubbands * nSlots * 168,
  );
  // equal capacity everywhere: RE = ceil(score x RE / sum)
  assert.equal(map.reCounts[0], Number((255n * BigInt(nSubbands * nSlots * 168) + 32639n) / 32640n));
});

test('the CRC of a map changes with every field', () => {
  const map = allocate({ ...inputOf(cases[2]), mapping: 'matched' }).map;
  const crc = rbMapCrc16(map);
  const reversed = { ...map, subbandOrder: Uint8Array.from(map.subbandOrder).reverse() };
  const moved = { ...map, reCounts: Uint32Array.from(map.reCounts, (n, i) => (i === 0 ? n + 1 : i === 1 ? n - 1 : n)) };
  const others = [{ ...map, layout: 'interleaved' as const }, reversed, moved];
  for (const other of others) assert.notEqual(rbMapCrc16(other), crc);
  assert.equal(rbMapCrc16({ ...map }), crc);
});

test('bad input is refused with what is allowed', () => {
  const good = { ...inputOf(cases[0]), mapping: 'matched' as const };
  assert.throws(() => allocate({ ...good, csi: new Uint8Array(5) }), /5 subbands/);
  assert.throws(() => allocate({ ...good, scores: new Uint8Array(0) }), /allowed 1 to 255/);
  assert.throws(() => allocate({ ...good, scores: new Uint8Array(256) }), /allowed 1 to 255/);
  assert.throws(() => allocate({ ...good, mapping: 'best' as never }), /matched, uniform/);
  assert.throws(() => allocate({ ...good, shape: { ...good.shape, nSlots: 0 } }), /allowed 1 to/);
  assert.throws(
    () => allocate({ ...good, shape: { ...good.shape, rePerRb: new Uint16Array(6).fill(169) } }),
    /0 to 168/,
  );
  const { map } = allocate(good);
  assert.throws(() => placeSymbols({ ...map, subbandOrder: new Uint8Array(6) }, good.shape), /permutation/);
  assert.throws(() => placeSymbols({ ...map, reCounts: Uint32Array.of(4e9) }, good.shape), /more than/);
  const zero = allocate({ ...good, scores: Uint8Array.of(0, 0) });
  assert.deepEqual(zero.dropped, [0, 1]);
});
