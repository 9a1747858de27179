import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream } from '../../src/common/random.ts';
import { FloatStack } from '../../src/link/float-stack.ts';
import { CombinerStore } from '../../src/link/harq/combiner-store.ts';
import { ReceivedPart, type StreamPiece } from '../../src/link/harq/received-part.ts';
import { type ReceivedPicture, recycle, sourceOf } from '../../src/link/received-picture.ts';
import type { Extension } from '../../src/phy/frame/extension.ts';

const random = new RandomStream('picture memory');

/** What a burst brings of analog streams of these lengths. */
function pieces(lengths: readonly number[]): StreamPiece[] {
  return lengths.map((re, id) => ({
    entry: { id, analog: 1, baseGraph: 0, score: 9, re, bytes: 0 },
    qm: new Uint8Array(0),
    symbols: Float32Array.from({ length: 2 * re }, () => random.normal()),
    snr: Float32Array.from({ length: re }, () => (random.uniform() < 0.1 ? 0 : 5 * random.uniform())),
    blocks: null,
  }));
}

function partOf(bursts: readonly (readonly StreamPiece[])[], store: CombinerStore): ReceivedPart {
  const part = new ReceivedPart({} as Extension, store);
  for (const burst of bursts) part.add(burst, part.prepare(burst), 0);
  return part;
}

function pictureOf(part: ReceivedPart): ReceivedPicture {
  return { session: 1, image: 2, codec: 'integrated', modelSet: 0, parts: [part] };
}

test('pictures in memory that others left are the same as in memory of their own', () => {
  const store = new CombinerStore();
  const stack = new FloatStack();
  const buffers = new Set<ArrayBufferLike>();
  for (let round = 0; round < 20; round++) {
    const lengths = Array.from({ length: random.integer(6) + 1 }, () => random.integer(900) + 1);
    const first = pieces(lengths);
    // A repetition brings the beginning of each stream once more.
    const again = pieces(lengths.map((n) => Math.ceil(n / 2)));
    const shared = pictureOf(partOf([first, again], store));
    const alone = pictureOf(partOf([first, again], new CombinerStore()));
    assert.deepEqual(sourceOf(shared, stack), sourceOf(alone));
    stack.clear();
    for (const s of shared.parts[0]!.streams.values()) if (s.kind === 'analog') buffers.add(s.combiner.buffer);
    recycle(shared);
    assert.equal(shared.parts[0]!.streams.size, 0, 'what was given back can no longer be read');
  }
  assert.equal(buffers.size, 1, 'one buffer for all that follow one another');
});

test('two pictures at a time have nothing in common, and a burst that is refused takes nothing with it', () => {
  const store = new CombinerStore();
  const a = partOf([pieces([40, 7])], store);
  const b = partOf([pieces([40, 7])], store);
  const bufferOf = (part: ReceivedPart) => {
    const stream = part.streams.get(0);
    assert.ok(stream?.kind === 'analog');
    return stream.combiner.buffer;
  };
  assert.notEqual(bufferOf(a), bufferOf(b));
  const before = sourceOf(pictureOf(a));
  assert.throws(() => a.prepare(pieces([50, 7, 3])), /differ from those of the burst repeated/);
  assert.deepEqual(sourceOf(pictureOf(a)), before);
});

test('arrays of a stack do not overlap, and its memory grows to what was needed at a time', () => {
  const stack = new FloatStack();
  for (let round = 0; round < 3; round++) {
    const taken = [5, 0, 12, 7].map((n, i) => stack.take(n).fill(i));
    for (const [i, array] of taken.entries()) assert.ok(array.every((v) => v === i));
    assert.equal(new Set(taken.map((array) => array.buffer)).size === 1, round > 0);
    stack.clear();
  }
});
