import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { type FftKernel, fftKernel } from '../../../src/phy/kernels/fft/fft.ts';
import { PlainFftKernel } from '../../../src/phy/kernels/fft/fft-plain.ts';
import { ReferenceFftKernel } from '../../../src/phy/kernels/fft/fft-reference.ts';
import { MAX_WASM_SIZE, MIN_WASM_SIZE, WasmFftKernel } from '../../../src/phy/kernels/fft/fft-wasm.ts';

const SIZES = [2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192];

/**
 * Largest error of both directions against fft.js, from and to odd places, relative to the RMS of the result, sqrt(N) for
 * noise of power 1; and that the same comes out where the result takes its input's place.
 */
function largestError(kernel: FftKernel, random: RandomStream): number {
  const { size } = kernel;
  const reference = new ReferenceFftKernel(size);
  const input = new Float32Array(2 * size + 6);
  random.addComplexNoise(input, 1);
  let largest = 0;
  for (const direction of ['forward', 'inverse'] as const) {
    const expected = new Float32Array(2 * size + 10);
    const got = new Float32Array(2 * size + 10);
    reference[direction](input, 6, expected, 4);
    kernel[direction](input, 6, got, 4);
    for (let i = 0; i < got.length; i++) largest = Math.max(largest, Math.abs(got[i] - expected[i]) / Math.sqrt(size));
    const place = input.slice();
    kernel[direction](place, 6, place, 6);
    assert.deepEqual(place.subarray(6), got.subarray(4, 4 + 2 * size), 'in place');
  }
  return largest;
}

test('the kernel of every size equals fft.js, forward and inverse, from and to any offset', () => {
  for (const size of SIZES) {
    const error = largestError(fftKernel(size), new RandomStream(`fft ${size}`));
    assert.ok(error < 2e-6, `${size}: ${error}`);
  }
});

test('plain TypeScript computes in double precision and rounds once', () => {
  for (const size of SIZES.filter((n) => n >= 16)) {
    const error = largestError(new PlainFftKernel(size), new RandomStream(`plain ${size}`));
    assert.ok(error < 4e-7, `${size}: ${error}`);
  }
});

test('WebAssembly stays within the rounding of single precision, whatever sizes took turns before', () => {
  for (const size of [...SIZES, ...SIZES.toReversed()]) {
    if (size < MIN_WASM_SIZE || size > MAX_WASM_SIZE) continue;
    const kernel = new WasmFftKernel(size);
    const error = largestError(kernel, new RandomStream(`wasm ${size}`));
    assert.ok(error < 2e-6, `${size}: ${error}`);
  }
});

test('a shifted impulse transforms to its phase ramp, sign and scale as declared', () => {
  const size = 128;
  const x = new Float32Array(2 * size);
  x[2 * 3] = 1;
  const y = new Float32Array(2 * size);
  fftKernel(size).forward(x, 0, y, 0);
  for (let k = 0; k < size; k++) {
    const angle = (-2 * Math.PI * 3 * k) / size;
    assert.ok(Math.abs(y[2 * k] - Math.cos(angle)) < 1e-6 && Math.abs(y[2 * k + 1] - Math.sin(angle)) < 1e-6);
  }
  fftKernel(size).inverse(y, 0, y, 0);
  for (let i = 0; i < 2 * size; i++) assert.ok(Math.abs(y[i] - size * x[i]) < 1e-4);
});

test('a size that is no power of two is refused', () => {
  for (const size of [0, 1, 3, 48, 1000]) assert.throws(() => fftKernel(size), RangeError);
  for (const size of [0, 8, 48, 8192]) assert.throws(() => new WasmFftKernel(size), RangeError);
});

test('the kernel of the product is the fast one, and fft.js where that has no size', () => {
  const plain = process.env.SCT_KERNELS === 'js';
  for (const size of [16, 64, 2048, 4096])
    assert.equal(fftKernel(size).constructor, plain ? PlainFftKernel : WasmFftKernel);
  assert.ok(fftKernel(8) instanceof ReferenceFftKernel);
  assert.ok(fftKernel(8192) instanceof PlainFftKernel);
});
