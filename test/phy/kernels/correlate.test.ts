import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import { correlateKernel } from '../../../src/phy/kernels/correlate/correlate.ts';
import {
  type CorrelateKernel,
  SearchPast,
  type SearchPattern,
} from '../../../src/phy/kernels/correlate/correlate-kernel.ts';
import { PlainCorrelateKernel } from '../../../src/phy/kernels/correlate/correlate-plain.ts';
import { WasmCorrelateKernel } from '../../../src/phy/kernels/correlate/correlate-wasm.ts';
import { NUMEROLOGIES } from '../../../src/phy/numerology.ts';
import { preamble } from '../../../src/phy/sync/preamble.ts';

const kernels = () => [new PlainCorrelateKernel(), new WasmCorrelateKernel()];

function patternOf(lag: number, products: ArrayLike<number>): SearchPattern {
  return { lag, hop: lag / 4, products: Int8Array.from(products) };
}

/** The metric of `count` hops, in calls of at most `most`. */
function searched(
  kernel: CorrelateKernel,
  pattern: SearchPattern,
  samples: Float32Array,
  count: number,
  most = count,
  past = new SearchPast(pattern),
) {
  const metric = { re: new Float32Array(count), im: new Float32Array(count), plain: new Float32Array(count) };
  for (let done = 0; done < count; done += most) {
    kernel.search(pattern, past, samples, done * pattern.hop, Math.min(most, count - done), metric, done);
  }
  return metric;
}

test('WebAssembly searches like plain TypeScript, any signs, levels, cutting into calls', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(16, 32, 64, 128, 256),
      fc.integer({ min: 2, max: 32 }),
      fc.integer({ min: 1, max: 900 }),
      fc.integer({ min: 1, max: 700 }),
      fc.double({ min: -6, max: 4, noNaN: true }),
      fc.integer(),
      (lag, pairs, hops, most, levelLog, seed) => {
        const random = new RandomStream(seed);
        const pattern = patternOf(
          lag,
          Array.from({ length: pairs }, () => 2 * random.integer(2) - 1),
        );
        const count = Math.min(hops, Math.floor(40_000 / pattern.hop));
        const samples = new Float32Array(2 * (count * pattern.hop + lag));
        random.addComplexNoise(samples, 10 ** (2 * levelLog));
        // Silence in it, and a strong carrier.
        const half = samples.length >> 1;
        samples.fill(0, half >> 1, half);
        for (let i = half; i < samples.length; i += 2) samples[i] += 3 * 10 ** levelLog;
        const [plain, wasm] = kernels();
        const of = searched(plain, pattern, samples, count);
        const on = searched(wasm, pattern, samples, count, most);
        const whole = searched(wasm, pattern, samples, count);
        for (let h = 0; h < count; h++) {
          // Sums of up to 32 numbers of at most 1.
          assert.ok(Math.abs(of.re[h] - on.re[h]) <= 1e-5 * pairs, `re ${h}: ${of.re[h]} ${on.re[h]}`);
          assert.ok(Math.abs(of.im[h] - on.im[h]) <= 1e-5 * pairs, `im ${h}: ${of.im[h]} ${on.im[h]}`);
          assert.ok(Math.abs(of.plain[h] - on.plain[h]) <= 2e-5 * pairs ** 2, `plain ${h}`);
        }
        assert.deepEqual(on, whole, 'the cutting shows');
      },
    ),
    { numRuns: 80 },
  );
});

test('two searches in turns on one kernel do not disturb each other, and a reset forgets', () => {
  const random = new RandomStream('turns');
  const patterns = [
    patternOf(16, preamble(NUMEROLOGIES[0]).products),
    patternOf(256, preamble(NUMEROLOGIES[4]).products),
  ];
  const samples = new Float32Array(2 * 12_000);
  random.addComplexNoise(samples, 1);
  for (const kernel of kernels()) {
    const alone = patterns.map((p) => searched(kernel, p, samples, 160));
    const pasts = patterns.map((p) => new SearchPast(p));
    const metrics = patterns.map(() => ({
      re: new Float32Array(160),
      im: new Float32Array(160),
      plain: new Float32Array(160),
    }));
    for (let done = 0; done < 160; done += 20) {
      patterns.forEach((p, i) => {
        kernel.search(p, pasts[i], samples, done * p.hop, 20, metrics[i], done);
      });
    }
    assert.deepEqual(metrics, alone);
    for (const [i, p] of patterns.entries()) {
      pasts[i].reset();
      assert.deepEqual(searched(kernel, p, samples, 160, 160, pasts[i]), alone[i]);
    }
  }
});

test('a preamble gives the number of pairs, turned by its frequency offset; a carrier the same without signs', () => {
  for (const n of NUMEROLOGIES) {
    const { products, samples } = preamble(n);
    const pattern = patternOf(n.segmentLength, products);
    const count = 4 * n.nSegments;
    const last = count - 1;
    const cfo = 0.3 / n.segmentLength;
    const turned = samples.slice();
    const carrier = new Float32Array(samples.length);
    for (let i = 0; i < samples.length / 2; i++) {
      const cos = Math.cos(2 * Math.PI * cfo * i);
      const sin = Math.sin(2 * Math.PI * cfo * i);
      turned[2 * i] = samples[2 * i] * cos - samples[2 * i + 1] * sin;
      turned[2 * i + 1] = samples[2 * i] * sin + samples[2 * i + 1] * cos;
      carrier[2 * i] = cos;
      carrier[2 * i + 1] = sin;
    }
    for (const kernel of kernels()) {
      const { re, im, plain } = searched(kernel, pattern, turned, count);
      assert.ok(Math.abs(re[last] - products.length * Math.cos(0.6 * Math.PI)) < 1e-4 * products.length);
      assert.ok(Math.abs(im[last] - products.length * Math.sin(0.6 * Math.PI)) < 1e-4 * products.length);
      assert.ok(plain[last] < 1e-6 * products.length ** 2);
      const line = searched(kernel, pattern, carrier, count);
      assert.ok(Math.abs(line.plain[last] / products.length ** 2 - 1) < 1e-4);
      assert.ok(Math.hypot(line.re[last], line.im[last]) < 1e-3 * products.length);
    }
  }
});

test('segments that repeat: alike in both, length and turn of their sum, silence before the array', () => {
  const random = new RandomStream('repeated');
  for (const [length, segments] of [
    [16, 33],
    [64, 17],
    [256, 9],
    [4, 5],
  ]) {
    const signs = Int8Array.from({ length: segments }, () => 2 * random.integer(2) - 1);
    const segment = new Float32Array(2 * length);
    random.addComplexNoise(segment, 1);
    const energy = segment.reduce((sum, v) => sum + v * v, 0);
    // Each sample turned by 0.01 more than the one before.
    const samples = new Float32Array(2 * (length * segments + 10));
    for (let i = 0; i < length * segments; i++) {
      const sign = signs[Math.floor(i / length)];
      const [re, im] = [sign * segment[2 * (i % length)], sign * segment[2 * (i % length) + 1]];
      samples[20 + 2 * i] = re * Math.cos(0.01 * i) - im * Math.sin(0.01 * i);
      samples[21 + 2 * i] = re * Math.sin(0.01 * i) + im * Math.cos(0.01 * i);
    }
    const lags = [1, 4, segments >> 1];
    const [of, on] = kernels().map((kernel) =>
      [10, -3].map((at) => {
        const out = new Float64Array(9).fill(7);
        kernel.repeated(samples.subarray(at < 0 ? 20 : 0), at, length, signs, lags, out);
        return out;
      }),
    );
    for (const [l, lag] of lags.entries()) {
      const pairs = segments - lag;
      const turn = 0.01 * lag * length;
      assert.ok(Math.abs(on[0][3 * l] - pairs * energy * Math.cos(turn)) < 1e-4 * pairs * energy);
      assert.ok(Math.abs(on[0][3 * l + 1] - pairs * energy * Math.sin(turn)) < 1e-4 * pairs * energy);
      assert.ok(Math.abs(on[0][3 * l + 2] - pairs * energy) < 1e-4 * pairs * energy);
      for (const i of [0, 1])
        for (let k = 3 * l; k < 3 * l + 3; k++) assert.ok(Math.abs(of[i][k] - on[i][k]) < 1e-5 * pairs * energy);
    }
  }
  for (const [length, segments] of [
    [128, 33],
    [4, 53],
    [6, 8],
  ])
    assert.throws(
      () =>
        new WasmCorrelateKernel().repeated(
          new Float32Array(9),
          0,
          length,
          new Int8Array(segments),
          [1],
          new Float64Array(3),
        ),
      RangeError,
    );
});

test('a pattern that the memory of the kernel does not hold is refused', () => {
  const metric = { re: new Float32Array(1), im: new Float32Array(1), plain: new Float32Array(1) };
  const samples = new Float32Array(10_000);
  for (const pattern of [
    patternOf(16, new Array(33).fill(1)),
    patternOf(4096, [1, -1]),
    { lag: 16, hop: 8, products: Int8Array.of(1, -1) },
  ]) {
    const past = new SearchPast(pattern);
    assert.throws(() => new WasmCorrelateKernel().search(pattern, past, samples, 0, 1, metric, 0), RangeError);
  }
});

test('the kernel of the product is the fast one', () => {
  const expected = process.env.SCT_KERNELS === 'js' ? PlainCorrelateKernel : WasmCorrelateKernel;
  assert.equal(correlateKernel().constructor, expected);
});
