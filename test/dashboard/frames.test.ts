import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  decodeFrame,
  encodeFrame,
  type Frame,
  type FrameArray,
  FrameError,
  frameLength,
  MAX_FRAME_BYTES,
  TOPICS,
} from '../../src/dashboard/frames.ts';

const number = fc.double({ noNaN: true });
const array: fc.Arbitrary<FrameArray> = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.int16Array({ maxLength: 20 }),
  fc.float32Array({ maxLength: 20, noNaN: true }),
  fc.float64Array({ maxLength: 9, noNaN: true }),
);
const frame: fc.Arbitrary<Frame> = fc.record(
  {
    topic: fc.constantFrom(...TOPICS),
    sequence: fc.nat(2 ** 32 - 1),
    timeS: number,
    data: fc
      .dictionary(
        fc.string().filter((key) => key !== '$arrays' && key !== '__proto__'),
        fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer(), fc.boolean(), fc.constant(null)),
      )
      .map((entries) => ({ ...entries })),
    arrays: fc
      .dictionary(
        fc.string({ minLength: 1, maxLength: 9 }).filter((k) => k !== '__proto__'),
        array,
      )
      .map((a) => ({ ...a })),
  },
  { noNullPrototype: true },
);

test('a frame comes back as it was, at any offset of a buffer', () => {
  fc.assert(
    fc.property(frame, fc.nat(9), (given, offset) => {
      const bytes = encodeFrame(given);
      assert.equal(frameLength(bytes), bytes.length);
      const moved = new Uint8Array(bytes.length + offset);
      moved.set(bytes, offset);
      assert.deepEqual(decodeFrame(moved.subarray(offset)), given);
    }),
  );
});

test('arrays are views of what came, so that the page copies nothing', () => {
  const bytes = encodeFrame({
    topic: 'status',
    sequence: 1,
    timeS: 0,
    data: {},
    arrays: { a: new Float32Array([1, 2]) },
  });
  assert.equal(decodeFrame(bytes).arrays.a.buffer, bytes.buffer);
});

test('the layout is what the page of a later version must still know', () => {
  const bytes = encodeFrame({
    topic: 'spectrum',
    sequence: 7,
    timeS: 1.5,
    data: { a: 1 },
    arrays: { b: new Uint8Array([9]) },
  });
  const text = '{"a":1,"$arrays":[["b","u8",1]]}';
  assert.equal(Buffer.from(bytes.subarray(0, 8)).toString('hex'), '4353010207000000');
  assert.equal(Buffer.from(bytes.subarray(24, 24 + text.length)).toString(), text);
  assert.equal(new DataView(bytes.buffer).getFloat64(8, true), 1.5);
  assert.equal(bytes[56], 9);
  assert.equal(bytes.length, 64);
});

test('whatever bytes come: a frame or a FrameError, and no array longer than they are', () => {
  const mutated = fc.tuple(
    frame,
    fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }),
    fc.nat(30),
  );
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), (given) => {
      let bytes: Uint8Array;
      if (given instanceof Uint8Array) bytes = given;
      else {
        bytes = encodeFrame(given[0]);
        for (const [at, value] of given[1]) bytes[at % bytes.length] = value;
        bytes = bytes.subarray(0, Math.max(0, bytes.length - (given[2] > 24 ? given[2] : 0)));
      }
      try {
        const { arrays } = decodeFrame(bytes);
        assert.ok(Object.values(arrays).reduce((sum, a) => sum + a.byteLength, 0) <= bytes.length);
      } catch (error) {
        assert.ok(error instanceof FrameError, String(error));
      }
    }),
    { numRuns: Number(process.env.SCT_FUZZ ?? 3000) },
  );
});

test('a length that no frame has is refused before anything is kept for it', () => {
  const bytes = encodeFrame({ topic: 'log', sequence: 0, timeS: 0, data: {}, arrays: {} });
  new DataView(bytes.buffer).setUint32(20, MAX_FRAME_BYTES, true);
  assert.throws(() => frameLength(bytes), /frame of \d+ bytes: at most/);
  assert.throws(
    () =>
      encodeFrame({
        topic: 'picture',
        sequence: 0,
        timeS: 0,
        data: {},
        arrays: { bytes: new Uint8Array(MAX_FRAME_BYTES) },
      }),
    /at most/,
  );
  assert.equal(frameLength(bytes.subarray(0, 23)), null);
});
