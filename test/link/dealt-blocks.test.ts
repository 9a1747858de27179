import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DealtBlocks } from '../../src/link/dealt-blocks.ts';
import { turnsOf } from '../../src/link/turns.ts';

test('each block gets the RE of its turns, in order, stream after stream', () => {
  const dealt = new DealtBlocks();
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 255 }), fc.integer({ min: 1, max: 9000 }), (blocks, count) => {
      const snr = Float32Array.from({ length: count }, (_, i) => i + 0.5);
      const symbols = Float32Array.from({ length: 2 * count }, (_, i) => -i);
      const qm = Uint8Array.from({ length: count }, (_, i) => 2 * ((i * 7) % 5));
      dealt.deal(blocks, qm, symbols, snr);
      for (let b = 0; b < blocks; b++) {
        const own = dealt.of(b);
        const places = [...turnsOf(b, blocks, count)];
        assert.deepEqual(
          [...own.snr],
          places.map((i) => snr[i]),
        );
        assert.deepEqual(
          [...own.qm],
          places.map((i) => qm[i]),
        );
        assert.deepEqual(
          [...own.symbols],
          places.flatMap((i) => [symbols[2 * i], symbols[2 * i + 1]]),
        );
      }
    }),
    { numRuns: 60 },
  );
});
