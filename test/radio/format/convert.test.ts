import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UsageError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { countAtLimit, fromFloat, toFloat } from '../../../src/radio/format/convert.ts';
import { checkFullScale, formatSpec, nativeBytes, nativeView } from '../../../src/radio/format/sample-format.ts';
import { noise } from '../helpers.ts';

const INTEGER_FORMATS = [
  { format: 'ci8', fullScale: 128 },
  { format: 'ci16_le', fullScale: 2048 },
  { format: 'ci16_le', fullScale: 32768 },
] as const;

test('every integer survives the way to float and back, in every format', () => {
  for (const { format, fullScale } of INTEGER_FORMATS) {
    const all = Array.from({ length: 2 * fullScale }, (_, i) => i - fullScale);
    const native = format === 'ci8' ? Int8Array.from(all) : Int16Array.from(all);
    const { reIm, nonFinite } = toFloat(native, fullScale);
    assert.equal(nonFinite, 0);
    assert.equal(reIm[0], -1);
    const back = fromFloat(reIm, format, fullScale);
    assert.deepEqual(back.data, native);
    assert.equal(back.clippedSamples, 0);
  }
});

test('quantising never errs by more than half a step inside the range, and limits outside', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...INTEGER_FORMATS),
      fc.array(fc.tuple(fc.float({ noNaN: true }), fc.float({ noNaN: true })), { maxLength: 50 }),
      ({ format, fullScale }, pairs) => {
        const input = Float32Array.from(pairs.flat());
        const { data, clippedSamples, nonFinite } = fromFloat(input, format, fullScale);
        let expectedClips = 0;
        let expectedNonFinite = 0;
        for (let s = 0; s < pairs.length; s++) {
          let clipped = false;
          for (const k of [2 * s, 2 * s + 1]) {
            const v = input[k] * fullScale;
            if (!Number.isFinite(input[k])) {
              expectedNonFinite++;
              assert.equal(data[k], 0);
            } else if (v > fullScale - 0.5 || v < -fullScale - 0.5) {
              clipped = true;
              assert.equal(data[k], v > 0 ? fullScale - 1 : -fullScale);
            } else if (v !== fullScale - 0.5) assert.ok(Math.abs(data[k] - v) <= 0.5);
          }
          if (clipped) expectedClips++;
        }
        assert.ok(
          Math.abs(clippedSamples - expectedClips) <=
            pairs.filter((p) => p.some((x) => x * fullScale === fullScale - 0.5)).length,
        );
        assert.equal(nonFinite, expectedNonFinite);
      },
    ),
    { seed: 1 },
  );
});

test('full scale clips at the upper end only: the range is [-1, 1)', () => {
  const { data, clippedSamples } = fromFloat(Float32Array.of(1, 0, -1, 0, 0.5, -0.5), 'ci8', 128);
  assert.deepEqual([...data], [127, 0, -128, 0, 64, -64]);
  assert.equal(clippedSamples, 1);
});

test('NaN and infinite samples become zero and are counted, both ways', () => {
  const bad = Float32Array.of(Number.NaN, 0.25, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);
  for (const format of ['ci8', 'ci16_le', 'cf32_le'] as const) {
    const { data, nonFinite, clippedSamples } = fromFloat(bad, format, formatSpec(format).defaultFullScale);
    assert.equal(nonFinite, 3);
    assert.equal(clippedSamples, 0);
    assert.equal(data[0], 0);
    assert.equal(data[2], 0);
    assert.equal(data[3], 0);
  }
  const { reIm, nonFinite } = toFloat(bad, 1);
  assert.deepEqual([...reIm], [0, 0.25, 0, 0]);
  assert.equal(nonFinite, 3);
});

test('floats pass unchanged at full scale 1, beyond full scale too', () => {
  const x = noise(3, 1000, 2);
  const { data, clippedSamples } = fromFloat(x, 'cf32_le', 1);
  assert.deepEqual(data, x);
  assert.equal(clippedSamples, 0);
  assert.notEqual(data.buffer, x.buffer);
});

test('quantisation noise is step^2/12 per component; triangular dither triples it and removes its bias', () => {
  // A constant between two steps: rounding alone errs by the same amount always.
  const n = 200_000;
  const x = new Float32Array(2 * n).fill(0.3 / 128);
  const plain = fromFloat(x, 'ci8', 128).data;
  assert.ok(plain.every((v) => v === 0));
  const dithered = fromFloat(x, 'ci8', 128, undefined, new RandomStream(5)).data;
  let mean = 0;
  for (const v of dithered) mean += v / dithered.length;
  // Standard error of the mean: sqrt(1/4 / 400000) = 8e-4; five of them.
  assert.ok(Math.abs(mean - 0.3) < 4e-3, `mean ${mean}`);

  const signal = noise(7, n, 0.2);
  const variance = (dither?: RandomStream) => {
    const q = toFloat(fromFloat(signal, 'ci8', 128, undefined, dither).data, 128).reIm;
    let sum = 0;
    for (let i = 0; i < q.length; i++) sum += ((q[i] - signal[i]) * 128) ** 2;
    return sum / q.length;
  };
  assert.ok(Math.abs(variance() * 12 - 1) < 0.02);
  assert.ok(Math.abs(variance(new RandomStream(9)) * 4 - 1) < 0.02);
});

test('samples at the converter limit are found', () => {
  assert.equal(countAtLimit(Int8Array.of(127, 0, 0, -128, 126, -127), 128), 2);
  assert.equal(countAtLimit(Int16Array.of(2047, 0, 0, -2048, 2046, -2047), 2048), 2);
  assert.equal(countAtLimit(Float32Array.of(1, 0, 0.999, 0), 1), 1);
  // Every pair of bytes, at every place of a word, and lengths that end inside one.
  const pairs = Int8Array.from({ length: 2 * 65_536 }, (_, i) => (i % 2 ? i >> 9 : i >> 1));
  const plain = (data: Int8Array): number => {
    const isAt = (v: number) => v === 127 || v === -128;
    return data.reduce((sum, im, i) => sum + (i % 2 && (isAt(im) || isAt(data[i - 1])) ? 1 : 0), 0);
  };
  for (const [from, to] of [
    [0, pairs.length],
    [2, pairs.length],
    [4, pairs.length - 2],
    [1000, 1002],
    [254, 254],
  ]) {
    const part = pairs.subarray(from, to);
    assert.equal(countAtLimit(part, 128), plain(part));
  }
  assert.equal(plain(pairs), 65_536 - 254 * 254);
});

test('native views share aligned bytes and copy others, whole samples only', () => {
  const bytes = nativeBytes(Int16Array.of(1, -2, 3, -4));
  assert.deepEqual([...nativeView('ci16_le', bytes)], [1, -2, 3, -4]);
  const shifted = new Uint8Array(12);
  shifted.set(bytes, 1);
  assert.deepEqual([...nativeView('ci16_le', shifted.subarray(1, 11))], [1, -2, 3, -4]);
});

test('absurd formats, full scales and odd lengths are refused', () => {
  assert.throws(() => formatSpec('cu8'), UsageError);
  assert.throws(() => formatSpec('toString'), UsageError);
  for (const fullScale of [0, -1, 129, 1.5, Number.NaN])
    assert.throws(() => checkFullScale('ci8', fullScale), UsageError);
  assert.throws(() => fromFloat(new Float32Array(3), 'ci8', 128), UsageError);
  assert.throws(() => toFloat(new Int8Array(4), 128, new Float32Array(2)), UsageError);
});
