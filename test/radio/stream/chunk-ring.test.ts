import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UsageError } from '../../../src/common/errors.ts';
import {
  ChunkRingReader,
  ChunkRingWriter,
  createChunkRing,
  MAX_SIDE_BYTES,
  type RingEntry,
} from '../../../src/radio/stream/chunk-ring.ts';

/** A step of the writer; reads happen in between. */
type Step =
  | { readonly kind: 'push'; readonly bytes: number }
  | { readonly kind: 'side'; readonly bytes: number | null };

const CHUNK = 600;
const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant('push' as const), bytes: fc.integer({ min: 1, max: CHUNK }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('side' as const),
        bytes: fc.option(fc.integer({ min: 0, max: MAX_SIDE_BYTES })),
      }),
    },
  ),
  { maxLength: 120 },
);

/** The stream's bytes repeat after a prime number of them. */
const PERIOD = 4093;
const TABLE = Uint8Array.from({ length: 3 * PERIOD }, (_, i) => ((i % PERIOD) * 7 + ((i % PERIOD) >> 8)) & 0xff);
const stretch = (from: number, length: number) => TABLE.slice(from % PERIOD, (from % PERIOD) + length);

/** What the writer was told, against which the reader is held. */
class Account {
  index = 0;
  lost = 0;
  lostSides = 0;
  private sides: { from: number; data: Uint8Array | null }[] = [];
  private readAt = 0;
  private readLost = 0;

  constructor(readonly writer: ChunkRingWriter) {}

  write(step: Step): void {
    if (step.kind === 'push') {
      const kept = this.writer.push(stretch(this.index, step.bytes), BigInt(this.index));
      if (!kept) this.lost += step.bytes;
      this.index += step.bytes;
    } else {
      const data = step.bytes === null ? null : stretch(this.index + 1, step.bytes);
      const side = { tag: 3, data, fromIndex: this.index - 1, toIndex: this.index, askedNs: 1n, timeNs: 2n };
      if (this.writer.pushSide(side)) this.sides.push({ from: this.index, data });
      else this.lostSides++;
    }
  }

  /** Holds one entry against what was written; true at the end. */
  read(entry: RingEntry): boolean {
    if (entry.kind === 'side') {
      const wanted = this.sides.shift()!;
      assert.deepEqual(entry, {
        kind: 'side',
        tag: 3,
        data: wanted.data,
        fromIndex: wanted.from - 1,
        toIndex: wanted.from,
        askedNs: 1n,
        timeNs: 2n,
      });
      // Between the bytes that came before and after it.
      assert.ok(this.readAt <= wanted.from);
      return false;
    }
    assert.equal(entry.index - entry.lostBytes, this.readAt);
    this.readLost += entry.lostBytes;
    this.readAt = entry.index;
    if (entry.kind === 'end') {
      assert.equal(entry.index, this.index);
      assert.equal(this.readLost, this.lost);
      assert.equal(this.writer.lostBytes, this.lost);
      assert.equal(this.writer.lostSides, this.lostSides);
      assert.equal(this.sides.length, 0);
      return true;
    }
    assert.equal(entry.timeNs, BigInt(entry.index));
    assert.ok(Buffer.from(entry.data).equals(stretch(entry.index, entry.data.length)), 'bytes are those of the index');
    this.readAt += entry.data.length;
    return false;
  }
}

test('whatever is written and read in whatever order: every byte arrives or is counted at its place', () => {
  const reads = fc.infiniteStream(fc.integer({ min: 0, max: 3 }));
  fc.assert(
    fc.property(steps, reads, fc.integer({ min: 2 * CHUNK, max: 6 * CHUNK }), (writes, counts, bytes) => {
      const shared = createChunkRing(bytes, CHUNK);
      const account = new Account(new ChunkRingWriter(shared));
      const reader = new ChunkRingReader(shared);
      for (const step of writes) {
        account.write(step);
        for (let left = counts.next().value; left > 0; left--) {
          const entry = reader.tryRead();
          if (entry) assert.equal(account.read(entry), false);
        }
      }
      account.writer.end();
      let entry = reader.tryRead();
      while (entry && !account.read(entry)) entry = reader.tryRead();
      assert.deepEqual(reader.tryRead(), entry);
    }),
    { numRuns: 300, endOnFailure: true },
  );
});

test('both ends at once: the other end may act at every atomic access of either', () => {
  // Every load and store of shared memory that orders the two threads is an Atomics call; between two of them the other thread may do
  // anything. Here the other end's next step is run there, as often as the draw says.
  const names = ['load', 'store', 'add'] as const;
  const originals = names.map((name) => Atomics[name]);
  const draws = fc.infiniteStream(fc.integer({ min: 0, max: 4 }));
  let switches = 0;
  try {
    fc.assert(
      fc.property(steps, draws, (writes, draw) => {
        const shared = createChunkRing(2 * CHUNK, CHUNK);
        const writer = new ChunkRingWriter(shared);
        const reader = new ChunkRingReader(shared);
        const account = new Account(writer);
        let other: (() => void) | null = null;
        const hook = () => {
          if (other && draw.next().value === 0) {
            const run = other;
            other = null; // one level: the step of the other end is not interrupted
            run();
            other = run;
            switches++;
          }
        };
        for (const [i, name] of names.entries()) {
          (Atomics as unknown as Record<string, unknown>)[name] = (...args: unknown[]) => {
            hook();
            const result = (originals[i] as (...values: unknown[]) => unknown)(...args);
            hook();
            return result;
          };
        }
        // Entries are judged after the writer's step, when its account is up to date.
        const heard: RingEntry[] = [];
        const readOne = () => {
          const entry = reader.tryRead();
          if (entry) heard.push(entry);
        };
        const pending = [...writes];
        const writeOne = () => {
          const step = pending.shift();
          if (step) account.write(step);
        };
        while (pending.length > 0) {
          other = readOne;
          writeOne();
          other = null;
          for (const entry of heard.splice(0)) assert.equal(account.read(entry), false);
          other = writeOne;
          readOne();
          other = null;
          for (const entry of heard.splice(0)) assert.equal(account.read(entry), false);
        }
        writer.end();
        for (let entry = reader.tryRead()!; !account.read(entry); entry = reader.tryRead()!);
      }),
      { numRuns: 100, endOnFailure: true },
    );
  } finally {
    for (const [i, name] of names.entries()) (Atomics as unknown as Record<string, unknown>)[name] = originals[i];
  }
  assert.ok(switches > 500, `${switches} switches`);
});

test('a full ring loses whole chunks, exactly where they were, and keeps room for side records', () => {
  const shared = createChunkRing(4096, 1024);
  const writer = new ChunkRingWriter(shared);
  const reader = new ChunkRingReader(shared);
  let kept = 0;
  while (writer.push(new Uint8Array(1024).fill(kept), 0n)) kept++;
  assert.ok(kept >= 4, 'as many bytes as asked for fit');
  writer.push(new Uint8Array(1000), 0n);
  assert.equal(writer.lostBytes, 2024);
  for (let i = 0; i < 16; i++) {
    const side = { tag: i, data: new Uint8Array(MAX_SIDE_BYTES), fromIndex: 1, toIndex: 2, askedNs: 0n, timeNs: 0n };
    assert.ok(writer.pushSide(side));
  }
  for (let i = 0; i < kept; i++) assert.equal(reader.tryRead()?.kind, 'bytes');
  for (let i = 0; i < 16; i++) assert.equal((reader.tryRead() as { tag: number }).tag, i);
  assert.ok(writer.push(new Uint8Array(4).fill(9), 5n));
  const next = reader.tryRead();
  assert.deepEqual(next, {
    kind: 'bytes',
    data: Uint8Array.of(9, 9, 9, 9),
    index: 1024 * kept + 2024,
    lostBytes: 2024,
    timeNs: 5n,
  });
  assert.equal(reader.tryRead(), null);
  writer.end();
  assert.deepEqual(reader.tryRead(), { kind: 'end', index: 1024 * kept + 2028, lostBytes: 0 });
});

test('a reader waits for the writer, and for the end', async () => {
  const shared = createChunkRing(4096, 64);
  const writer = new ChunkRingWriter(shared);
  const reader = new ChunkRingReader(shared);
  for (let i = 0; i < 20; i++) {
    const next = reader.read();
    if (i % 2) await new Promise((resolve) => setTimeout(resolve, 1));
    if (i === 7) await new Promise((resolve) => setTimeout(resolve, 250)); // longer than one wait
    writer.push(Uint8Array.of(i), 0n);
    assert.deepEqual((await next) as unknown, {
      kind: 'bytes',
      data: Uint8Array.of(i),
      index: i,
      lostBytes: 0,
      timeNs: 0n,
    });
  }
  const last = reader.read();
  setTimeout(() => writer.end(), 5);
  assert.equal((await last).kind, 'end');
  assert.equal((await reader.read()).kind, 'end');
});

test('sizes that cannot be are refused', () => {
  for (const [bytes, chunk] of [
    [1023, 512],
    [0, 1],
    [4096.5, 512],
    [2 ** 29 + 1, 512], // twice the capacity has to fit an Int32
    [4096, 0],
    [Number.NaN, 1],
  ]) {
    assert.throws(() => createChunkRing(bytes, chunk), UsageError);
  }
  assert.ok(2 * createChunkRing(2 ** 29, 2 ** 22).byteLength < 2 ** 31);
  const writer = new ChunkRingWriter(createChunkRing(4096, 512));
  const side = { tag: 0, fromIndex: 0, toIndex: 0, askedNs: 0n, timeNs: 0n };
  assert.throws(() => writer.pushSide({ ...side, data: new Uint8Array(MAX_SIDE_BYTES + 1) }), UsageError);
});
