import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { invertFactor, invertSymmetric, solveWithFactor } from '../../../src/phy/channel-est/cholesky.ts';
import { DelayTransform, WindowPoints } from '../../../src/phy/channel-est/delay-transform.ts';
import { delayWindows } from '../../../src/phy/channel-est/delay-window.ts';
import { SLOT_POLYNOMIALS } from '../../../src/phy/channel-est/time-basis.ts';
import { makeLmmse } from '../../../src/phy/kernels/lmmse/lmmse.ts';
import { NUMEROLOGIES } from '../../../src/phy/numerology.ts';
import { resourceGrid } from '../../../src/phy/resource-grid.ts';

/** sum_k v_k exp(+2 pi i k tau / N) A_ki, straight from the definition. */
function direct(carriers: Int32Array, fftSize: number, v: Float64Array, centre: number, values: Float32Array) {
  const size = values.length / carriers.length;
  const out = new Float64Array(2 * size);
  for (let c = 0; c < carriers.length; c++) {
    const angle = (2 * Math.PI * carriers[c] * centre) / fftSize;
    const re = v[2 * c] * Math.cos(angle) - v[2 * c + 1] * Math.sin(angle);
    const im = v[2 * c] * Math.sin(angle) + v[2 * c + 1] * Math.cos(angle);
    for (let i = 0; i < size; i++) {
      out[2 * i] += values[c * size + i] * re;
      out[2 * i + 1] += values[c * size + i] * im;
    }
  }
  return out;
}

test('projection through the fast transform equals the sum over carriers, to single precision', () => {
  for (const n of NUMEROLOGIES) {
    const random = new RandomStream(`delay ${n.id}`);
    const windows = delayWindows(n, 3);
    const transform = new DelayTransform(n, -0.4 * n.cpLength - 4, 1.8 * n.cpLength + 8);
    const v = Float64Array.from({ length: 2 * n.nCarriers }, () => random.normal());
    const grid = new Float64Array(2 * transform.length);
    transform.run(v, grid, 0);
    const scale = Math.sqrt(2 * n.nCarriers);
    const kernel = makeLmmse({ ...resourceGrid(n).slotPattern, polynomials: SLOT_POLYNOMIALS });
    for (const window of windows) {
      const { size } = window.basis;
      const { starts, weights } = new WindowPoints(transform, window);
      // A system that leaves the right-hand side as it is.
      const unit = { size, order: 1, factor: new Float64Array(size * size), penalty: Float64Array.of(0) };
      const system = kernel.addSystem({ ...unit, slots: 1, perSlot: Float64Array.of(1) });
      kernel.loadGrid(grid, transform.length);
      kernel.solvePoints(system, kernel.addPoints(starts, weights, size));
      const z = kernel.z.slice(0, 2 * size);
      const truth = direct(n.carriers, n.fftSize, v, window.centre, window.basis.values);
      // float32 tables and transform: 2^-24 an operation, some ten of them.
      for (let i = 0; i < z.length; i++) assert.ok(Math.abs(z[i] - truth[i]) < 2e-6 * scale, `${n.id} ${i}`);
    }
  }
});

test('a system solved with the inverted factor equals the one solved with the inverse', () => {
  const random = new RandomStream('factor');
  const n = 7;
  const b = Float64Array.from({ length: n * n }, () => random.normal());
  const a = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) for (let k = 0; k < n; k++) a[i * n + j] += b[i * n + k] * b[j * n + k];
    a[i * n + i] += 1;
  }
  const z = Float64Array.from({ length: 2 * n }, () => random.normal());
  const theta = new Float64Array(2 * n);
  const form = solveWithFactor(invertFactor(a.slice(), n), n, z, new Float64Array(2 * n), theta);
  const inverse = invertSymmetric(a.slice(), n);
  let expectedForm = 0;
  for (let i = 0; i < n; i++) {
    for (const part of [0, 1]) {
      let sum = 0;
      for (let j = 0; j < n; j++) sum += inverse[i * n + j] * z[2 * j + part];
      assert.ok(Math.abs(sum - theta[2 * i + part]) < 1e-10);
      expectedForm += sum * z[2 * i + part];
      // And back: A theta = z.
      let back = 0;
      for (let j = 0; j < n; j++) back += a[i * n + j] * theta[2 * j + part];
      assert.ok(Math.abs(back - z[2 * i + part]) < 1e-10);
    }
  }
  assert.ok(Math.abs(form - expectedForm) < 1e-10);
  assert.throws(() => invertFactor(Float64Array.of(1, 2, 2, 1), 2), RangeError);
});
