import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BlockAssembler } from '../../../src/radio/hackrf/block-assembler.ts';
import { blockLength, type SampleBlock } from '../../../src/radio/radio.ts';
import type { RingBytes } from '../../../src/radio/stream/chunk-ring.ts';
import '../../fixed-seed.js';

const RATE_HZ = 2e6;

function entry(index: number, length: number, lostBytes = 0): RingBytes {
  const data = Uint8Array.from({ length }, (_, i) => (index + i) % 251);
  return { kind: 'bytes', data, index, lostBytes, timeNs: 10_000_000_000n };
}

test('a block is cut where a loss of the board ends, and the record stands behind it', () => {
  const assembler = new BlockAssembler(RATE_HZ);
  assert.equal(assembler.bytes(entry(0, 1024)).length, 1);
  assembler.lost({ minBytes: 64, maxBytes: 320, fromByte: 960, toByte: 1280 });
  const [first, second] = assembler.bytes(entry(1024, 1024));
  assert.deepEqual([first.index, blockLength(first), first.lostBefore], [512, 128, null]);
  assert.equal(second.index, 640 + 32);
  assert.deepEqual(second.lostBefore, { min: 32, max: 160, exact: false, from: 480, to: 672 });
  // The chunk was complete at timeNs: its first sample came 512 samples earlier.
  assert.equal(first.timestampNs, 10_000_000_000n - 256_000n);
  assert.equal(second.timestampNs, 10_000_000_000n - 192_000n);
});

test('what the host dropped is exact; with a loss of the board inside it is not', () => {
  const assembler = new BlockAssembler(RATE_HZ);
  assembler.bytes(entry(0, 512));
  const [dropped] = assembler.bytes(entry(1536, 512, 1024));
  assert.deepEqual(dropped.lostBefore, { min: 512, max: 512, exact: true, from: 256, to: 768 });
  assembler.lost({ minBytes: 0, maxBytes: 32, fromByte: 2048, toByte: 2560 });
  const [both] = assembler.bytes(entry(3072, 512, 1024));
  assert.deepEqual(both.lostBefore, { min: 512, max: 528, exact: false, from: 1024, to: 1536 });
});

test('whatever is lost where: indices follow the rule of radio.ts, and every loss is told once', () => {
  const step = fc.record({
    chunk: fc.integer({ min: 1, max: 64 }),
    dropped: fc.constantFrom(0, 0, 0, 1, 5),
    loss: fc.option(fc.record({ behind: fc.integer({ min: 0, max: 200 }), min: fc.nat(20), more: fc.nat(20) })),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const assembler = new BlockAssembler(RATE_HZ);
      let position = 0;
      let told = 0;
      let [end, low, high, host] = [0, 0, 0, 0];
      const seen: SampleBlock[] = [];
      for (const { chunk, dropped, loss } of steps) {
        if (loss) {
          const toByte = Math.max(told, position + 32 * loss.behind);
          assembler.lost({ minBytes: 32 * loss.min, maxBytes: 32 * (loss.min + loss.more), fromByte: told, toByte });
          told = toByte;
        }
        const lostBytes = 32 * dropped;
        position += lostBytes;
        host += lostBytes / 2;
        seen.push(...assembler.bytes(entry(position, 32 * chunk, lostBytes)));
        position += 32 * chunk;
      }
      for (const block of seen) {
        const { lostBefore, index } = block;
        assert.equal(index, end + (lostBefore?.min ?? 0));
        if (lostBefore) {
          assert.ok(lostBefore.from <= end && lostBefore.to === index && lostBefore.min <= lostBefore.max);
          low += lostBefore.min;
          high += lostBefore.max;
        }
        end = index + blockLength(block);
      }
      const pending = assembler.pending.reduce((sum, { minBytes }) => sum + minBytes / 2, 0);
      const all = steps.reduce((sum, { loss }) => sum + (loss ? 16 * loss.min : 0), 0);
      if (seen.length > 0) assert.equal(low, all - pending + host);
      assert.ok(high >= low);
    }),
  );
});
