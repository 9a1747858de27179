import assert from 'node:assert/strict';
import test from 'node:test';
import { UsageError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { ClassicalCodec, decodeStream } from '../../../src/sct/codec/classical.ts';
import {
  CLASSICAL_FORMATS,
  CLASSICAL_HEADER_BYTES,
  writeClassicalHeader,
} from '../../../src/sct/codec/classical-header.ts';
import { flatImage } from '../../../src/sct/image/rgb-image.ts';
import { psnrDb } from '../../../src/sct/quality/psnr.ts';
import { fill } from '../quality/synthetic.ts';

/** Waves, edges and texture: hard enough that quality follows the budget. */
const photo = fill(160, 112, (x, y, c) => {
  const wave = 60 * Math.sin(x / (9 + c)) * Math.cos(y / 13);
  const edge = (x - 90) ** 2 + (y - 50) ** 2 < 900 ? 50 : 0;
  const texture = ((x * 7919 + y * 104729) % 31) - 15;
  return Math.max(0, Math.min(255, 110 + wave + edge + texture * (y > 60 ? 1 : 0.1)));
});

test('every format: fits, uses most of the budget, more bytes give more quality', async () => {
  for (const format of CLASSICAL_FORMATS) {
    const codec = new ClassicalCodec({ format, effort: 2 });
    let last = 0;
    for (const budget of [1400, 3000, 8000]) {
      const { bytes } = await codec.encodeToBudget(photo, budget);
      assert.ok(bytes.length <= budget && bytes.length > 0.7 * budget, `${format}: ${bytes.length} of ${budget}`);
      const decoded = await decodeStream(bytes);
      assert.ok(decoded.decodable && decoded.complete);
      const db = psnrDb(photo, decoded.image!);
      assert.ok(db > last + 1, `${format} at ${budget}: ${db} dB after ${last}`);
      last = db;
    }
  }
});

test('best is the best of the three', async () => {
  const budget = 2500;
  const psnrs = [];
  for (const format of [...CLASSICAL_FORMATS, 'best'] as const) {
    const { bytes } = await new ClassicalCodec({ format, effort: 2 }).encodeToBudget(photo, budget);
    psnrs.push(psnrDb(photo, (await decodeStream(bytes)).image!));
  }
  assert.equal(psnrs[3], Math.max(...psnrs.slice(0, 3)));
});

test('through the Codec interface, padded at the end', async () => {
  const codec = new ClassicalCodec({ effort: 2 });
  const plan = await codec.analyse(photo);
  assert.deepEqual(
    plan.streams.map((s) => [s.id, s.kind]),
    [[0, 'bits']],
  );
  const coded = await plan.encode([{ id: 0, size: 3000 }]);
  const [stream] = coded.streams;
  assert.ok(stream.kind === 'bits');
  const padded = new Uint8Array(3000).fill(0xa5);
  padded.set(stream.payload);
  const missing = [{ from: stream.payload.length, to: 3000 }]; // a lost block that held only padding does not matter
  const received = await codec.decode({
    sideInfo: undefined,
    streams: [{ id: 0, kind: 'bits', payload: padded, missing }],
  });
  assert.ok(received.complete);
  assert.deepEqual(received.image, (await decodeStream(stream.payload)).image);
  assert.match(codec.describe(), /classical/);
  await assert.rejects(plan.encode([]), UsageError);
});

test('a budget below the lowest quality is met at a smaller size; below that the message says what would fit', async () => {
  const codec = new ClassicalCodec({ effort: 2 });
  const small = await codec.encodeToBudget(photo, 200);
  assert.ok(small.bytes.length <= 200 && small.scale > 0);
  const { image } = await decodeStream(small.bytes);
  assert.deepEqual([image!.width, image!.height], [160, 112]);
  assert.ok(psnrDb(photo, image!) > psnrDb(photo, flatImage(160, 112)), 'better than grey');
  await assert.rejects(codec.encodeToBudget(photo, 20), (e: UsageError) => {
    assert.ok(e instanceof UsageError);
    const least = Number(/least that fits is (\d+) bytes/.exec(e.hint!)![1]);
    assert.ok(least > 20 && least < 200, e.hint);
    return true;
  });
  await assert.rejects(codec.encodeToBudget(photo, Number.NaN), UsageError);
  assert.throws(() => new ClassicalCodec({ format: 'gif' as never }), UsageError);
  assert.throws(() => new ClassicalCodec({ effort: 10 }), UsageError);
});

test('odd and tiny pictures', async () => {
  for (const [w, h] of [
    [1, 1],
    [17, 3],
    [2, 301],
  ] as const) {
    const image = flatImage(w, h, 200, 100, 50);
    for (const format of CLASSICAL_FORMATS) {
      const { bytes } = await new ClassicalCodec({ format, effort: 0 }).encodeToBudget(image, 3000);
      const decoded = await decodeStream(bytes);
      assert.deepEqual([decoded.image!.width, decoded.image!.height], [w, h]);
      assert.ok(psnrDb(image, decoded.image!) > 30, `${format} ${w}x${h}: ${psnrDb(image, decoded.image!)}`);
    }
  }
});

test('missing ranges: header lost, gap in the middle, tail lost', async () => {
  const { bytes } = await new ClassicalCodec({ format: 'jpeg' }).encodeToBudget(photo, 6000);
  const whole = await decodeStream(bytes);
  const none = await decodeStream(bytes, [{ from: 0, to: 100 }]);
  assert.deepEqual([none.image, none.decodable, none.complete], [undefined, false, false]);
  const cut = Math.floor(bytes.length * 0.6);
  const part = await decodeStream(bytes, [{ from: cut, to: cut + 200 }]);
  assert.deepEqual([part.decodable, part.complete], [true, false]);
  assert.match(part.note!, /only the first/);
  const partDb = psnrDb(photo, part.image!);
  assert.ok(partDb > psnrDb(photo, flatImage(160, 112)) && partDb < psnrDb(photo, whole.image!), `${partDb} dB`);
  const zeros = Uint8Array.from(bytes).fill(0, cut);
  assert.deepEqual(
    (await decodeStream(zeros, [{ from: cut, to: bytes.length }])).image,
    part.image,
    'content of a gap is not used',
  );

  const avif = (await new ClassicalCodec({ effort: 0 }).encodeToBudget(photo, 3000)).bytes;
  const lost = await decodeStream(avif, [{ from: avif.length - 1, to: avif.length }]);
  assert.deepEqual([lost.decodable, lost.complete], [false, false]);
  assert.deepEqual(lost.image, flatImage(160, 112, 128), 'an AVIF in part is shown as mid-grey');
  assert.deepEqual([...lost.mask!.damage], [1]);
});

test('a stream that is not what its header says is not decodable', async () => {
  const { bytes } = await new ClassicalCodec({ format: 'jpeg' }).encodeToBudget(photo, 3000);
  const body = bytes.subarray(CLASSICAL_HEADER_BYTES);
  const as = (format: 'avif' | 'webp' | 'jpeg', width: number, height: number, scale = 0) =>
    Buffer.concat([writeClassicalHeader({ format, scale, width, height, bodyBytes: body.length }), body]);
  assert.ok((await decodeStream(as('jpeg', 160, 112))).decodable);
  for (const wrong of [as('webp', 160, 112), as('avif', 160, 112), as('jpeg', 8192, 8192), as('jpeg', 160, 112, 1)]) {
    const result = await decodeStream(wrong);
    assert.equal(result.decodable, false);
    assert.ok(result.note!.startsWith('not decodable'), result.note);
  }
});

test('1500 mutated streams: never a throw, never a picture of another size', async () => {
  const random = new RandomStream(5);
  const small = fill(24, 16, (x, y) => 9 * x + 3 * y);
  let undecodable = 0;
  for (const format of CLASSICAL_FORMATS) {
    const { bytes } = await new ClassicalCodec({ format, effort: 0 }).encodeToBudget(small, 800);
    for (let i = 0; i < 500; i++) {
      const mutated = Uint8Array.from(bytes);
      const from = i % 3 ? CLASSICAL_HEADER_BYTES : 0;
      for (let k = random.integer(4); k >= 0; k--)
        mutated[from + random.integer(bytes.length - from)] ^= 1 + random.integer(255);
      const cut = i % 5 ? mutated : mutated.subarray(0, random.integer(mutated.length));
      const result = await decodeStream(cut);
      if (!result.decodable) undecodable++;
      if (from > 0 && result.image) assert.deepEqual([result.image.width, result.image.height], [24, 16]);
    }
  }
  assert.ok(undecodable > 50 && undecodable < 1500, `${undecodable} not decodable`);
});
