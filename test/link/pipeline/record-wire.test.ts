import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FormatError } from '../../../src/common/errors.ts';
import type { FrontRecord } from '../../../src/link/front-record.ts';
import { decodeRecord, encodeRecord, PayloadPool } from '../../../src/link/pipeline/record-wire.ts';
import { readLoss, readSamples, writeLoss, writeSamples } from '../../../src/link/pipeline/sample-wire.ts';

/** A record's bytes in shared memory, as they lie in a ring. */
function shared(bytes: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(bytes + 16), 16, bytes);
}

function bytesOf(record: FrontRecord): Uint8Array {
  const encoded = encodeRecord(record);
  const bytes = shared(encoded.bytes);
  encoded.writeTo(bytes);
  return bytes;
}

const RECORD = {
  type: 'burst',
  startSample: 123456789012,
  suspect: null,
  dcDb: Number.NEGATIVE_INFINITY,
  detectionRho: Number.NaN,
  header: { kind: 1, burst: 1023 },
  extension: Uint8Array.of(1, 2, 255),
  payload: Float32Array.from({ length: 77 }, (_, i) => i / 7),
  phase: Float64Array.of(Math.PI, -0),
  channelDetail: new Float32Array(0),
} as unknown as FrontRecord;

test('a record comes out as it went in: odd numbers, empty arrays, no array', () => {
  assert.deepEqual(decodeRecord(bytesOf(RECORD)), RECORD);
  const loss: FrontRecord = { type: 'loss', loss: { min: 1, max: 2, exact: false, from: 3, to: 4 } };
  assert.deepEqual(decodeRecord(bytesOf(loss)), loss);
});

test('what comes out owns its arrays: the ring may be written over', () => {
  const bytes = bytesOf(RECORD);
  const record = decodeRecord(bytes);
  bytes.fill(0);
  assert.deepEqual(record, RECORD);
});

test('with memory that is used again a record is the same until the next one', () => {
  const pool = new PayloadPool();
  const record = decodeRecord(bytesOf(RECORD), pool);
  assert.deepEqual(record, RECORD);
  const shorter = { ...RECORD, payload: Float32Array.of(7, 8) } as unknown as FrontRecord;
  assert.deepEqual(decodeRecord(bytesOf(shorter), pool), shorter);
  assert.equal((record as unknown as { payload: Float32Array }).payload[1], 8);
  assert.deepEqual(decodeRecord(bytesOf(RECORD), pool), RECORD);
});

test('lengths that do not fit are refused; no byte makes the reader do anything else', () => {
  const good = bytesOf(RECORD);
  for (let length = 0; length < good.length; length += 5) {
    const cut = shared(length);
    cut.set(good.subarray(0, length));
    assert.throws(() => decodeRecord(cut), FormatError);
  }
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), (at, value) => {
      const bytes = shared(good.length);
      bytes.set(good);
      bytes[at] = value;
      try {
        decodeRecord(bytes);
      } catch (error) {
        assert.ok(error instanceof FormatError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

test('samples and losses come out as they went in, in every format', () => {
  const loss = { min: 5, max: 9, exact: false, from: 100, to: 2 ** 50 };
  for (const [format, data] of [
    ['ci8', Int8Array.of(1, -2, 127, -128)],
    ['ci16_le', Int16Array.of(1, -2, 32767, -32768)],
    ['cf32_le', Float32Array.of(0.5, -2, 1e-9, -0)],
  ] as const) {
    for (const before of [null, loss, { ...loss, deaf: true }]) {
      const bytes = shared(64 + data.byteLength);
      writeSamples(bytes, data, 2 ** 50, before);
      const block = readSamples(bytes, format, 128);
      assert.deepEqual([...block.data], [...data]);
      assert.deepEqual(block, { ...block, index: 2 ** 50, lostBefore: before, format, fullScale: 128 });
    }
  }
  const alone = shared(64);
  writeLoss(alone, loss);
  assert.deepEqual(readLoss(alone), { index: loss.to, loss });
  assert.throws(() => readLoss(shared(63)), FormatError);
  assert.throws(() => readSamples(shared(67), 'ci16_le', 1), FormatError);
});
