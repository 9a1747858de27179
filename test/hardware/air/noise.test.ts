import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GaussianNoise } from '../../../hardware/emulated/noise.ts';
import { quantise } from '../../../hardware/emulated/quantiser.ts';
import { RandomStream } from '../../../src/common/random.ts';

test('noise is normal, white and added', () => {
  const n = 1 << 20;
  const x = new Float32Array(n).fill(1);
  new GaussianNoise(new RandomStream(3)).addTo(x, 2);
  const moments = [0, 0, 0, 0];
  const beyond = [0, 0, 0];
  const lags = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const v = (x[i] - 1) / 2;
    for (let k = 0; k < 4; k++) moments[k] += v ** (k + 1) / n;
    for (let k = 0; k < 3; k++) {
      if (v > k + 1) beyond[k] += 1 / n;
      if (i >= 3) lags[k] += (v * (x[i - k - 1] - 1)) / 2 / n;
    }
  }
  // Standard deviations of the estimates: 0.001 of the mean, 0.0014 of the power, 0.0038 and 0.01 of the higher moments.
  [0, 1, 0, 3].forEach((wanted, k) => {
    assert.ok(Math.abs(moments[k] - wanted) < [0.004, 0.006, 0.016, 0.04][k], `moment ${k + 1}: ${moments[k]}`);
  });
  [0.158655, 0.02275, 0.00135].forEach((wanted, k) => {
    assert.ok(Math.abs(beyond[k] - wanted) < 4 * Math.sqrt(wanted / n), `beyond ${k + 1}: ${beyond[k]}`);
  });
  for (const lag of lags) assert.ok(Math.abs(lag) < 0.004, `${lag}`);
});

test('the converter rounds to even, limits and counts samples, and makes nothing of what is no number', () => {
  const x = Float32Array.of(
    0.5,
    1.5,
    -0.5,
    -2.5,
    126.4,
    127.6,
    -128.4,
    -128.6,
    Number.NaN,
    3,
    Number.POSITIVE_INFINITY,
    0,
  );
  const out = new Int8Array(x.length);
  const count = { clippedSamples: 0 };
  quantise(x, 1, 128, out, count);
  assert.deepEqual([...out], [0, 2, 0, -2, 126, 127, -128, -128, 0, 3, 127, 0]);
  assert.equal(count.clippedSamples, 4);
  const wide = new Int16Array(2);
  quantise(Float32Array.of(1, -1.5), 2048, 2048, wide, count);
  assert.deepEqual([...wide], [2047, -2048]);
});
