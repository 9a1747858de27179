import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LIFTING_SIZES } from '../../../src/phy/fec/ldpc-code.ts';
import { chooseBaseGraph, liftBlock, segmentTransport, splitCodedBits } from '../../../src/phy/fec/segmentation.ts';

test('base graph, CRC and segmentation at the corners of TS 38.212 §5.2.2 and §6.2', () => {
  assert.deepEqual(
    [
      [292, 0.9],
      [293, 0.9],
      [3824, 0.67],
      [3824, 0.68],
      [3825, 0.5],
      [9000, 0.25],
      [9000, 0.26],
    ].map(([a, r]) => chooseBaseGraph(a, r)),
    [2, 1, 2, 1, 1, 2, 1],
  );
  const largest = segmentTransport(8448 - 24, { codeRate: 0.5 });
  assert.deepEqual(
    [largest.blocks, largest.blockCrc, largest.lifting.infoBits, largest.lifting.code.z],
    [1, null, 8448, 384],
  );
  const over = segmentTransport(8448 - 24 + 8, { codeRate: 0.5 });
  assert.deepEqual([over.blocks, over.blockCrc?.name, over.lifting.infoBits], [2, 'CRC24B', (8456 + 48) / 2]);
  // TS 38.214 table 5.1.3.2-2 holds TBS 3824 as its largest; with CRC16 it just fills one block of base graph 2.
  const table = segmentTransport(3824, { codeRate: 0.5 });
  assert.deepEqual(
    [table.baseGraph, table.transportCrc.name, table.lifting.infoBits, table.blocks],
    [2, 'CRC16', 3840, 1],
  );
  // Kb of base graph 2 steps at B = 192, 560 and 640.
  assert.deepEqual(
    [192, 193, 560, 561, 640, 641].map((b) => liftBlock(2, b).kb),
    [6, 8, 8, 9, 9, 10],
  );
});

test('blocks hold the transport block, and no smaller lifting size would', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 8, max: 300_000 }),
      fc.double({ min: 0.1, max: 0.95, noNaN: true }),
      (bits, codeRate) => {
        const s = segmentTransport(bits, { codeRate });
        const crcs = s.transportCrc.length + (s.blockCrc ? 24 * s.blocks : 0);
        assert.equal(s.blocks * s.lifting.infoBits, bits + crcs + s.padding);
        assert.ok(s.padding < s.blocks);
        const { kb, code, infoBits, fillers } = s.lifting;
        assert.ok(kb * code.z >= infoBits && fillers === code.k - infoBits);
        assert.ok(LIFTING_SIZES.every((z) => z >= code.z || kb * z < infoBits));
      },
    ),
    { seed: 1 },
  );
  assert.throws(() => segmentTransport(0), /allowed 1/);
  assert.throws(() => liftBlock(2, 3841), /allowed 1 to 3840/);
});

test('coded bits are shared in units, short blocks first', () => {
  assert.deepEqual(splitCodedBits(100, 3, 2), [32, 34, 34]);
  assert.deepEqual(splitCodedBits(96, 3, 4), [32, 32, 32]);
  assert.throws(() => splitCodedBits(10, 11, 1), /allowed 1 to 10/);
});
