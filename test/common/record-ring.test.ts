import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { FormatError, UsageError } from '../../src/common/errors.ts';
import { createRecordRing, RecordRingReader, RecordRingWriter } from '../../src/common/record-ring.ts';

function ends(bytes: number) {
  const shared = createRecordRing(bytes);
  return { shared, writer: new RecordRingWriter(shared), reader: new RecordRingReader(shared) };
}

function put(writer: RecordRingWriter, type: number, bytes: Uint8Array, keep = 0): boolean {
  const room = writer.reserve(bytes.length, keep);
  if (!room) return false;
  room.set(bytes);
  writer.commit(type, bytes.length);
  return true;
}

test('what goes in comes out, in order, whatever the lengths and however often it wraps', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1024, max: 4000 }),
      fc.array(fc.oneof(fc.uint8Array({ maxLength: 480 }), fc.constant(null)), { maxLength: 200 }),
      (capacity, steps) => {
        const { writer, reader } = ends(capacity);
        const inside: { type: number; bytes: Uint8Array }[] = [];
        let type = 0;
        for (const bytes of steps) {
          if (bytes && bytes.length <= writer.maxRecordBytes) {
            if (put(writer, ++type, bytes)) inside.push({ type, bytes });
            else assert.ok(inside.length > 0, 'an empty ring takes any record');
          } else {
            const record = reader.peek();
            const expected = inside.shift();
            assert.equal(record === null, expected === undefined);
            if (!record || !expected) continue;
            assert.equal(record.type, expected.type);
            assert.deepEqual(Uint8Array.from(record.bytes), expected.bytes);
            reader.release();
          }
          assert.equal(reader.records, inside.length);
          assert.equal(
            writer.weight,
            inside.reduce((sum, r) => sum + r.bytes.length, 0),
          );
          assert.ok(reader.used <= reader.capacity);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('the longest record fits an empty ring wherever it stands; a longer one is refused', () => {
  const { writer, reader } = ends(1024);
  for (let i = 0; i < 100; i++) {
    assert.ok(put(writer, 1, new Uint8Array((i * 7) % 100)));
    reader.peek();
    reader.release();
    assert.ok(put(writer, 2, new Uint8Array(writer.maxRecordBytes).fill(i)), `at ${i}`);
    assert.equal(reader.peek()?.bytes[writer.maxRecordBytes - 1], i);
    reader.release();
  }
  assert.throws(() => writer.reserve(writer.maxRecordBytes + 1), UsageError);
  assert.throws(() => writer.reserve(-1), UsageError);
  assert.throws(() => writer.commit(1), UsageError);
  assert.throws(() => reader.release(), UsageError);
  assert.throws(() => createRecordRing(100), UsageError);
});

test('room kept for what matters more is left', () => {
  const { writer } = ends(2048);
  let records = 0;
  while (put(writer, 1, new Uint8Array(100), 500)) records++;
  assert.ok(records > 5);
  let more = 0;
  while (put(writer, 2, new Uint8Array(100))) more++;
  assert.ok(more >= 3, `${more} records went into the room that was kept`);
});

test('lengths that cannot be are refused before anything is read', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 1, max: 9 }), (length, type) => {
      const { shared, writer, reader } = ends(1024);
      put(writer, type, new Uint8Array(40));
      new Uint32Array(shared, 64)[1] = length;
      if (length <= reader.used - 16) assert.equal(reader.peek()?.bytes.length, length);
      else {
        assert.throws(() => reader.peek(), FormatError);
        assert.throws(() => reader.release(), FormatError);
      }
    }),
  );
  const { shared, writer, reader } = ends(1024);
  put(writer, 1, new Uint8Array(40));
  new Uint32Array(shared, 64)[0] = 0; // a skip to the end, behind which nothing was written
  assert.throws(() => reader.peek(), FormatError);
});

test('waiting ends where something comes, at the end, and where the ring is closed', async () => {
  const { writer, reader } = ends(1024);
  const first = reader.peekSoon();
  put(writer, 7, Uint8Array.of(1));
  assert.equal((await first)?.type, 7);
  reader.release();
  while (put(writer, 1, new Uint8Array(200)));
  const room = writer.reserveSoon(200);
  reader.peek();
  reader.release();
  assert.equal((await room)?.length, 200);
  writer.end();
  while (await reader.peekSoon()) reader.release();
  assert.equal(await reader.peekSoon(), null);
  const other = ends(1024);
  const waiting = other.reader.peekSoon();
  while (put(other.writer, 1, new Uint8Array(200)));
  await waiting;
  const never = other.writer.reserveSoon(400);
  other.reader.close();
  assert.equal(await never, null);
  assert.equal(await other.reader.peekSoon(), null);
  assert.equal(other.reader.peekBlocking(), null);
  assert.equal(other.writer.reserveBlocking(400), null);
});

test('two threads: every record arrives once, whole and in order', async () => {
  const { shared, reader } = ends(8192);
  const records = 20_000;
  const module = JSON.stringify(new URL('../../src/common/record-ring.ts', import.meta.url).href);
  const code = `
    import(${JSON.stringify(import.meta.resolve('tsx/esm/api'))}).then(async ({ register }) => {
      register();
      const { RecordRingWriter } = await import(${module});
      const writer = new RecordRingWriter(require('node:worker_threads').workerData);
      for (let i = 0; i < ${records}; i++) {
        const room = writer.reserveBlocking(4 + (i * 7919) % 900);
        room.fill(i & 255);
        new DataView(room.buffer, room.byteOffset).setUint32(0, i);
        writer.commit(1 + (i % 3));
      }
      writer.end();
    });`;
  const worker = new Worker(code, { eval: true, workerData: shared });
  let next = 0;
  for (let record = await reader.peekSoon(); record; record = await reader.peekSoon()) {
    const { bytes, type } = record;
    assert.equal(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0), next);
    assert.equal(type, 1 + (next % 3));
    assert.equal(bytes.length, 4 + ((next * 7919) % 900));
    assert.ok(bytes.length < 5 || bytes.subarray(4).every((b) => b === (next & 255)));
    reader.release();
    next++;
  }
  assert.equal(next, records);
  await worker.terminate();
});
