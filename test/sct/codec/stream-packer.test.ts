import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../../fixed-seed.js';
import fc from 'fast-check';
import { StreamPacker } from '../../../src/sct/codec/stream-packer.ts';
import { symbolOrder } from '../../../src/sct/codec/symbol-order.ts';

test('a packed stream has at each place the symbol that symbolOrder names, picture after picture', () => {
  const packer = new StreamPacker();
  const area = 40;
  const z = Float32Array.from({ length: 2 * 6 * area }, (_, i) => i);
  const cell = fc.record({ k: fc.nat({ max: 6 }), c: fc.nat({ max: 15 }), at: fc.nat({ max: area - 1 }) });
  const sfv = fc.record({ cells: fc.array(cell, { minLength: 1, maxLength: 30 }), more: fc.nat({ max: 300 }) });
  fc.assert(
    fc.property(fc.array(sfv, { minLength: 1, maxLength: 4 }), (sfvs) => {
      const streams = sfvs
        .map(({ cells, more }) => {
          const k = Uint8Array.from(cells, (x) => x.k);
          const places = k.reduce((a, b) => a + b, 0) + more;
          return { k, places, classes: cells.map((x) => x.c), cells: Uint32Array.from(cells, (x) => x.at) };
        })
        .filter(({ k }) => k.some((v) => v > 0));
      packer.begin(streams.reduce((sum, s) => sum + s.places, 0));
      streams.forEach(({ k, places, classes, cells }, id) => {
        packer.order(id, k, classes, places, { stride: 2 * area, cellOf: cells });
      });
      assert.equal(packer.symbolsOf(streams.length), 0);
      streams.forEach(({ k, places, classes, cells }, id) => {
        const order = symbolOrder(k, classes, places);
        assert.equal(packer.symbolsOf(id), order.symbols);
        const out = new Float32Array(2 * places).fill(-1);
        packer.pack(id, z, area, out);
        for (let p = 0; p < places; p++) {
          const at = 2 * order.index[p] * area + cells[order.cell[p]];
          assert.deepEqual([out[2 * p], out[2 * p + 1]], [z[at], z[at + area]]);
        }
      });
    }),
    { numRuns: 60 },
  );
});
