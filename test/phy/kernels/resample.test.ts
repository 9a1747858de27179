import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import { designResampler } from '../../../src/phy/frontend/resampler.ts';
import { resampleKernel } from '../../../src/phy/kernels/resample/resample.ts';
import {
  type MomentSink,
  type NativeSamples,
  NO_CORRECTION,
  type ResampleKernel,
  type ResampleSetup,
  type SampleCorrection,
} from '../../../src/phy/kernels/resample/resample-kernel.ts';
import { PlainResampleKernel } from '../../../src/phy/kernels/resample/resample-plain.ts';
import { fitsResampleMemory, WasmResampleKernel } from '../../../src/phy/kernels/resample/resample-wasm.ts';
import { toFloat } from '../../../src/radio/format/convert.ts';

const FULL_SCALE = { 1: 128, 2: 2048, 4: 1 } as const;

function native(bytes: 1 | 2 | 4, samples: number, random: RandomStream): NativeSamples {
  const whole = bytes === 4 ? 1 : FULL_SCALE[bytes];
  const draw = () => Math.max(-whole, Math.min(whole - 1, whole * 0.25 * random.normal()));
  const values = Array.from({ length: 2 * samples }, draw);
  if (bytes === 1) return Int8Array.from(values);
  return bytes === 2 ? Int16Array.from(values) : Float32Array.from(values);
}

class Sums implements MomentSink {
  readonly segment: number;
  readonly sums: number[][] = [];
  private left = 0;
  constructor(segment: number) {
    this.segment = segment;
  }
  get wanted(): number {
    return this.left || this.segment;
  }
  add(moments: Float64Array, samples: number): void {
    assert.ok(samples <= this.wanted);
    if (this.left === 0) {
      this.left = this.segment;
      this.sums.push([0, 0, 0, 0, 0]);
    }
    const last = this.sums[this.sums.length - 1];
    moments.forEach((v, i) => {
      last[i] += v;
    });
    this.left -= samples;
  }
}

function through(
  kernel: ResampleKernel,
  data: NativeSamples,
  sizes: readonly number[],
  scale: number,
  correction: SampleCorrection,
  sink: MomentSink | null,
): Float32Array {
  const parts: number[] = [];
  const n = data.length / 2;
  for (let at = 0, i = 0; at < n; i++) {
    const to = Math.min(n, at + sizes[i % sizes.length]);
    const out = kernel.process(data.subarray(2 * at, 2 * to), scale, correction, sink);
    for (const v of out) parts.push(v);
    at = to;
  }
  return Float32Array.from(parts);
}

const ratios: [number, number][] = [
  [96, 125],
  [125, 96],
  [24, 25],
  [12, 125],
  [125, 12],
  [1, 4],
  [3, 1],
  [2, 3],
];

const setups = fc
  .record({
    ratio: fc.option(fc.constantFrom(...ratios), { nil: null }),
    width: fc.double({ min: 0.06, max: 0.5, noNaN: true }),
    cycles: fc.oneof(fc.constant(0), fc.double({ min: -0.5, max: 0.5, noNaN: true })),
    after: fc.boolean(),
  })
  .map(({ ratio, width, cycles, after }): ResampleSetup => {
    const [up, down] = ratio ?? [1, 1];
    const narrow = Math.min(1, up / down);
    const bands = { passHz: narrow * (0.5 - width / 2), stopHz: narrow * (0.5 + width / 2) };
    const filter = ratio ? designResampler({ inputRateHz: 1, up, down, ...bands, attenuationDb: 70 }) : null;
    return { filter, cyclesBefore: after ? 0 : cycles, cyclesAfter: after ? cycles : 0 };
  });

test('WebAssembly resamples, shifts, corrects and sums like plain TypeScript, whatever the lengths of the blocks', () => {
  fc.assert(
    fc.property(
      setups,
      fc.constantFrom(1 as const, 2 as const, 4 as const),
      fc.integer({ min: 1, max: 6000 }),
      fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      fc.integer(),
      (setup, bytes, samples, sizes, corrected, seed) => {
        const random = new RandomStream(seed);
        const data = native(bytes, samples, random);
        const correction = corrected
          ? { reGain: 1.1, imGain: 0.9, reToIm: -0.1, reOffset: 0.02, imOffset: -0.03 }
          : NO_CORRECTION;
        const scale = 1 / FULL_SCALE[bytes];
        const [expected, got] = [new PlainResampleKernel(setup), new WasmResampleKernel(setup)].map((kernel) => {
          const sink = new Sums(1000);
          const whole = through(kernel, data, sizes, scale, correction, sink);
          kernel.reset();
          assert.deepEqual(through(kernel, data, [997, 1, 64], scale, correction, null), whole, 'block lengths matter');
          return { whole, sums: sink.sums };
        });
        const up = setup.filter?.up ?? 1;
        const down = setup.filter?.down ?? 1;
        assert.equal(expected.whole.length / 2, Math.ceil((samples * up) / down));
        assert.equal(got.whole.length, expected.whole.length);
        expected.whole.forEach((v, i) => {
          assert.ok(Math.abs(v - got.whole[i]) < 1e-5, `${v} ${got.whole[i]} at ${i}`);
        });
        expected.sums.forEach((sums, s) => {
          sums.forEach((v, m) => {
            assert.ok(Math.abs(v - got.sums[s][m]) < 1e-3, `moment ${m} of ${s}: ${v} ${got.sums[s][m]}`);
          });
        });
      },
    ),
    { numRuns: 60 },
  );
});

test('without filter and shift the samples are those of the plain conversion, to the bit, and what is no number is counted', () => {
  const setup = { filter: null, cyclesBefore: 0, cyclesAfter: 0 };
  const random = new RandomStream('native');
  for (const bytes of [1, 2, 4] as const) {
    const data = native(bytes, 5001, random);
    if (data instanceof Float32Array)
      for (const [i, v] of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 1e30].entries())
        data[2001 * (i + 1) - 3 * i] = v;
    const { reIm, nonFinite } = toFloat(data, FULL_SCALE[bytes]);
    for (const kernel of [new PlainResampleKernel(setup), new WasmResampleKernel(setup)]) {
      const got = through(kernel, data, [1, 3000, 77], 1 / FULL_SCALE[bytes], NO_CORRECTION, null);
      // Minus zero plus an offset of zero is zero.
      assert.deepEqual(
        got,
        reIm.map((v) => v + 0),
        kernel.name,
      );
      assert.equal(kernel.nonFinite, nonFinite);
      kernel.reset();
      assert.equal(kernel.nonFinite, nonFinite, 'a stream that starts anew has still had them');
    }
    assert.equal(nonFinite, bytes === 4 ? 3 : 0);
  }
});

test('two streams on one thread do not touch each other', () => {
  const setup = {
    filter: designResampler({ inputRateHz: 1, up: 2, down: 3, passHz: 0.2, stopHz: 0.4, attenuationDb: 70 }),
    cyclesBefore: 0.1,
    cyclesAfter: 0,
  };
  const random = new RandomStream('two');
  const [a, b] = [native(4, 3000, random), native(4, 3000, random)];
  const alone = through(new WasmResampleKernel(setup), a, [100], 1, NO_CORRECTION, null);
  const [first, second] = [new WasmResampleKernel(setup), new WasmResampleKernel(setup)];
  const parts: number[] = [];
  for (let at = 0; at < a.length; at += 200) {
    for (const v of first.process(a.subarray(at, at + 200), 1, NO_CORRECTION, null)) parts.push(v);
    second.process(b.subarray(at, at + 200), 1, NO_CORRECTION, null);
  }
  assert.deepEqual(Float32Array.from(parts), alone);
});

test('the kernel of the product is the fast one where its memory holds the filter', () => {
  const fast = process.env.SCT_KERNELS === 'js' ? PlainResampleKernel : WasmResampleKernel;
  const none = { filter: null, cyclesBefore: 0, cyclesAfter: 0 };
  assert.equal(resampleKernel(none).constructor, fast);
  const spec = { inputRateHz: 1, up: 639, down: 640, passHz: 0.49, stopHz: 0.51, attenuationDb: 70 };
  const long = { filter: designResampler(spec), cyclesBefore: 0, cyclesAfter: 0 };
  assert.ok(!fitsResampleMemory(long));
  assert.equal(resampleKernel(long).constructor, PlainResampleKernel);
});
