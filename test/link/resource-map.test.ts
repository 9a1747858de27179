import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { packBits, unpackBits } from '../../src/common/bits.ts';
import { bitsAt, burstShape, mapOfExtension, placeExtension, positionsOf } from '../../src/link/resource-map.ts';
import type { Extension } from '../../src/phy/frame/extension.ts';
import { NUMEROLOGIES, RB_DATA_RE } from '../../src/phy/numerology.ts';
import { placeSymbols, rbMapCrc16 } from '../../src/sct/allocation/rb-map.ts';

test('positions made at once are those of the map, symbol by symbol', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...NUMEROLOGIES),
      fc.integer({ min: 1, max: 9 }),
      fc.boolean(),
      fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 1, maxLength: 5 }),
      (n, slots, interleaved, shares) => {
        const room = slots * RB_DATA_RE * n.nSubbands;
        const sum = shares.reduce((a, b) => a + b, 0);
        const streams = shares.map((share, id) => ({ id, re: Math.floor((share / sum) * room * 0.9) }));
        const e = { interleaved: interleaved ? 1 : 0, order: null, streams, sideBytes: 0, sideRate: 0 };
        const map = mapOfExtension(n, e as unknown as Extension);
        const extension = { ...e, mapCrc: rbMapCrc16(map) } as unknown as Extension;
        const { positions, start } = placeExtension(n, slots, extension);
        const placed = placeSymbols(map, burstShape(n, slots));
        assert.deepEqual(positions, positionsOf(placed));
        assert.deepEqual(start, placed.start);
        // The same in memory that holds something else.
        const used = new Uint32Array(slots * RB_DATA_RE * n.nSubbands).fill(7);
        assert.deepEqual(placeExtension(n, slots, extension, used).positions, positions);
      },
    ),
    { numRuns: 40 },
  );
});

test('bits of each RE are those of its subband, alike or not', () => {
  const n = NUMEROLOGIES[1];
  const positions = Uint32Array.from({ length: 3000 }, (_, i) => (i * 37) % (4 * n.nSubbands * RB_DATA_RE));
  for (const modulation of [new Array(n.nSubbands).fill(2), Array.from({ length: n.nSubbands }, (_, s) => s % 5)]) {
    const bits = bitsAt(n, modulation, positions);
    positions.forEach((p, i) => {
      const code = modulation[Math.floor(p / RB_DATA_RE) % n.nSubbands];
      assert.equal(bits[i], [0, 2, 4, 6, 8][code]);
    });
  }
});

test('packed bits are unpacked again, from any place', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(12), (bytes, from) => {
      const bits = new Uint8Array(from + 8 * bytes.length);
      unpackBits(bytes, bits.subarray(from));
      assert.deepEqual(packBits(bits, from), bytes);
    }),
  );
});
