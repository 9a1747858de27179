import assert from 'node:assert/strict';
import test from 'node:test';
import '../../fixed-seed.js';
import fc from 'fast-check';
import { UsageError } from '../../../src/common/errors.ts';
import { allocate, MAPPINGS } from '../../../src/sct/allocation/allocate.ts';
import { type BurstShape, checkShape, reserveLeading } from '../../../src/sct/allocation/burst-shape.ts';
import { countBySubband, placeInto, placeSymbols, type RbMap, rbMapCrc16 } from '../../../src/sct/allocation/rb-map.ts';
import { allocations, evenShape, inputOf } from './vectors.ts';

/** Largest deviation of an SFV's RE from an even spread over the subbands, relative. */
function unevenness(map: RbMap, shape: BurstShape, position: number): number {
  const { rb, start } = placeSymbols(map, shape);
  const counts = new Array<number>(shape.nSubbands).fill(0);
  for (let t = start[position]; t < start[position + 1]; t++) counts[rb[t] % shape.nSubbands]++;
  const mean = (start[position + 1] - start[position]) / shape.nSubbands;
  return Math.max(...counts.map((c) => Math.abs(c / mean - 1)));
}

test('uniform: an SFV of 10 RE a subband has them in all subbands within 20 %, whatever its count', () => {
  const subbands = fc.constantFrom(4, 6, 15, 25, 50);
  const shapes = fc.record({ n: subbands, slots: fc.integer({ min: 1, max: 24 }), symbols: fc.nat({ max: 13 }) });
  fc.assert(
    fc.property(
      shapes,
      fc.array(fc.nat({ max: 60 }), { minLength: 1, maxLength: 12 }),
      ({ n, slots, symbols }, sizes) => {
        const shape = reserveLeading(evenShape(n, slots), 11 * symbols);
        const room = checkShape(shape);
        // Multiples of the numbers of subbands and RBs among them, and counts beside these.
        const wanted = sizes.map((s, i) => [10 * n + s, n * (10 + s), n * slots * (1 + (s % 9))][i % 3]);
        const counts: number[] = [];
        for (const c of wanted) if (c + counts.reduce((a, b) => a + b, 0) <= room) counts.push(c);
        const map: RbMap = {
          layout: 'interleaved',
          subbandOrder: Uint8Array.from({ length: n }, (_, s) => s),
          sfvOrder: Uint8Array.from(counts.keys()),
          reCounts: Uint32Array.from(counts),
        };
        for (const [i, c] of counts.entries()) {
          if (c < 10 * n) continue;
          const worst = unevenness(map, shape, i);
          assert.ok(worst <= 0.2, `${c} RE over ${n} subbands: ${worst}`);
          assert.ok(worst * (c / n) < 1 + 1e-9, 'to within one RE');
        }
      },
    ),
    { numRuns: 150 },
  );
});

test('an uneven spread is seen: the ordered layout keeps an SFV to few subbands', () => {
  const input = { shape: evenShape(25, 4), csi: new Uint8Array(25).fill(100), scores: new Uint8Array(10).fill(200) };
  assert.ok(unevenness(allocate({ ...input, mapping: 'matched' }).map, input.shape, 0) > 5);
  assert.ok(unevenness(allocate({ ...input, mapping: 'uniform' }).map, input.shape, 0) < 0.02);
});

test('reserved leading symbols: the first RE of every subband stay free, in all mappings, and no other', () => {
  const shape = reserveLeading(evenShape(6, 3), 11 * 16); // a slot of 14 OFDM symbols and two more
  assert.deepEqual([...shape.rePerRb], [...new Array(6).fill(0), ...new Array(6).fill(132), ...new Array(6).fill(154)]);
  assert.deepEqual([...shape.firstRe!], [...new Array(6).fill(154), ...new Array(6).fill(22), ...new Array(6).fill(0)]);
  const csi = Uint8Array.from([90, 120, 60, 100, 80, 110]);
  for (const mapping of MAPPINGS) {
    const { map } = allocate({ shape, csi, scores: Uint8Array.of(200, 240, 225), mapping });
    const { rb, re } = placeSymbols(map, shape);
    const used = new Set(Array.from(rb, (block, t) => block * 154 + re[t]));
    const expected: number[] = [];
    for (let block = 6; block < 18; block++)
      for (let k = block < 12 ? 22 : 0; k < 154; k++) expected.push(block * 154 + k);
    assert.deepEqual(
      [...used].sort((a, b) => a - b),
      expected,
    );
    assert.equal(rb.length, expected.length);
  }
});

test('reserving: in two steps as in one, nothing changes nothing, all leaves nothing; more is refused', () => {
  const shape = evenShape(4, 2);
  assert.deepEqual(reserveLeading(reserveLeading(shape, 100), 120), reserveLeading(shape, 220));
  const none = reserveLeading(shape, 0);
  const map = allocate({ ...inputOf(allocations[6]), shape, mapping: 'uniform' }).map;
  assert.deepEqual(placeSymbols(map, none), placeSymbols(map, shape));
  assert.equal(checkShape(reserveLeading(shape, 308)), 0);
  for (const count of [309, -1, 0.5]) {
    assert.throws(
      () => reserveLeading(shape, count),
      (e) => e instanceof UsageError && /allowed 0 to 308/.test(e.message),
    );
  }
  const uneven = { ...shape, rePerRb: Uint16Array.of(9, 154, 154, 154, 9, 154, 154, 154) };
  assert.throws(() => reserveLeading(uneven, 20), /allowed 0 to 18/);
});

test('shapes and maps that contradict themselves are refused', () => {
  const shape = evenShape(4, 2);
  assert.throws(() => checkShape({ ...shape, firstRe: new Uint16Array(7) }), /first RE of 7 RBs/);
  assert.throws(() => checkShape({ ...shape, firstRe: new Uint16Array(8).fill(15) }), /154 resource.*allowed 0 to 153/);
  assert.throws(() => checkShape({ ...shape, firstRe: new Uint16Array(8).fill(169) }), /first RE 169/);
  const { map } = allocate({ ...inputOf(allocations[6]), shape, mapping: 'matched' });
  assert.throws(() => placeSymbols({ ...map, subbandOrder: new Uint8Array(4) }, shape), /permutation/);
  assert.throws(() => placeSymbols({ ...map, subbandOrder: Uint8Array.of(0, 1, 2) }, shape), /orders 3 subbands/);
  assert.throws(() => placeSymbols({ ...map, reCounts: Uint32Array.of(4e9, 1, 1) }, shape), /more than/);
  assert.throws(() => placeSymbols({ ...map, sfvOrder: Uint8Array.of(1, 2, 1) }, shape), /placed twice/);
  assert.throws(() => placeSymbols({ ...map, sfvOrder: Uint8Array.of(1) }, shape), /one count/);
});

test('the CRC of a map changes with every field', () => {
  const map = allocate({ ...inputOf(allocations[2]), mapping: 'matched' }).map;
  const crc = rbMapCrc16(map);
  const reversed = { ...map, subbandOrder: Uint8Array.from(map.subbandOrder).reverse() };
  const moved = { ...map, reCounts: Uint32Array.from(map.reCounts, (n, i) => (i === 0 ? n + 1 : i === 1 ? n - 1 : n)) };
  const others = [{ ...map, layout: 'interleaved' as const }, reversed, moved];
  for (const other of others) assert.notEqual(rbMapCrc16(other), crc);
  assert.equal(rbMapCrc16({ ...map }), crc);
});

test('symbols counted by subband, and as one number each, are those placed one by one', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(1, 4, 15),
      fc.integer({ min: 1, max: 5 }),
      fc.nat({ max: 60 }),
      fc.array(fc.nat({ max: 400 }), { minLength: 1, maxLength: 8 }),
      fc.nat(),
      (n, slots, reserved, sizes, seed) => {
        const even = reserveLeading(evenShape(n, slots), reserved);
        // One RB less than the others of its slot.
        const rePerRb = even.rePerRb.map((re, rb) => (rb === seed % even.rePerRb.length ? re >> 1 : re));
        for (const shape of [even, { ...even, rePerRb }]) {
          const counts: number[] = [];
          for (const c of sizes) if (c + counts.reduce((a, b) => a + b, 0) <= checkShape(shape)) counts.push(c);
          const order = Uint8Array.from({ length: n }, (_, s) => s);
          for (const layout of ['interleaved', 'ordered'] as const) {
            const map: RbMap = {
              layout,
              subbandOrder: layout === 'ordered' ? order.toReversed() : order,
              sfvOrder: Uint8Array.from(counts.keys()),
              reCounts: Uint32Array.from(counts),
            };
            const { rb, re, start } = placeSymbols(map, shape);
            const counted = countBySubband(map, shape);
            for (let i = 0; i < counts.length; i++) {
              const own = new Array<number>(n).fill(0);
              for (let t = start[i]; t < start[i + 1]; t++) own[rb[t] % n]++;
              assert.deepEqual([...counted[i]], own);
            }
            const places = placeInto(map, shape, 154, new Uint32Array(checkShape(shape)).fill(9));
            assert.deepEqual(
              [...places],
              Array.from(rb, (block, i) => 154 * block + re[i]),
            );
          }
        }
      },
    ),
    { numRuns: 60 },
  );
});
