import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { fftKernel, ReferenceFftKernel } from '../../../src/phy/kernels/fft.ts';

const SIZES = [2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048];

test('the kernel of every size equals fft.js, forward and inverse, from and to any offset', () => {
  for (const size of SIZES) {
    const random = new RandomStream(`fft ${size}`);
    const reference = new ReferenceFftKernel(size);
    const kernel = fftKernel(size);
    const input = new Float32Array(2 * size + 6);
    random.addComplexNoise(input, 1);
    for (const direction of ['forward', 'inverse'] as const) {
      const expected = new Float32Array(2 * size + 10);
      const got = new Float32Array(2 * size + 10);
      reference[direction](input, 6, expected, 4);
      kernel[direction](input, 6, got, 4);
      // Both compute in double precision and round once: values of about sqrt(N) differ by a unit in the last place.
      for (let i = 0; i < got.length; i++)
        assert.ok(Math.abs(got[i] - expected[i]) <= 4e-7 * Math.sqrt(size), `${size}`);
      const place = input.slice();
      kernel[direction](place, 6, place, 6);
      assert.deepEqual(place.subarray(6), got.subarray(4, 4 + 2 * size), 'in place');
    }
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
});
