import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import { DftSpreader, despreadSnr, dftSpreader, MAX_SPREAD } from '../../../src/phy/modulation/spreading.ts';
import { goldSequence } from '../../../src/phy/sequence.ts';
import '../../fixed-seed.js';

function gaussian(n: number, seed: number): Float32Array {
  const random = new RandomStream(seed);
  return Float32Array.from({ length: 2 * n }, () => Math.SQRT1_2 * random.normal());
}

test('spreading is the formula of air-interface.md, computed another way', () => {
  for (const n of [1, 2, 11, 154]) {
    const x = gaussian(n, n);
    const out = x.slice();
    dftSpreader(n).spread(out);
    const c = goldSequence(0x5000, 2 * n);
    for (let k = 0; k < n; k++) {
      let [re, im] = [0, 0];
      for (let i = 0; i < n; i++) {
        const angle = (Math.PI / 2) * (2 * c[2 * i] + c[2 * i + 1]) - (2 * Math.PI * i * k) / n;
        re += (x[2 * i] * Math.cos(angle) - x[2 * i + 1] * Math.sin(angle)) / Math.sqrt(n);
        im += (x[2 * i] * Math.sin(angle) + x[2 * i + 1] * Math.cos(angle)) / Math.sqrt(n);
      }
      assert.ok(Math.abs(out[2 * k] - re) < 1e-6 && Math.abs(out[2 * k + 1] - im) < 1e-6, `n ${n}, RE ${k}`);
    }
  }
});

test('despreading undoes spreading, and spreading keeps energy and inner products', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: MAX_SPREAD }), fc.integer(), (n, seed) => {
      const a = gaussian(n, seed);
      const b = gaussian(n, seed + 1);
      const [sa, sb] = [a.slice(), b.slice()];
      dftSpreader(n).spread(sa);
      dftSpreader(n).spread(sb);
      // float32 at input and output: 2^-24 of the group's norm, a little more for the sums.
      for (const [p, q] of [
        [a, a],
        [a, b],
      ] as const) {
        const [sp, sq] = p === q ? [sa, sa] : [sa, sb];
        const [before, after] = [inner(p, q), inner(sp, sq)];
        assert.ok(Math.abs(before[0] - after[0]) + Math.abs(before[1] - after[1]) < 2e-6 * n + 1e-6);
      }
      dftSpreader(n).despread(sa);
      for (let i = 0; i < sa.length; i++) assert.ok(Math.abs(sa[i] - a[i]) < 5e-6);
    }),
    { numRuns: 60 },
  );
});

function inner(a: Float32Array, b: Float32Array): [number, number] {
  let [re, im] = [0, 0];
  for (let i = 0; i < a.length; i += 2) {
    re += a[i] * b[i] + a[i + 1] * b[i + 1];
    im += a[i + 1] * b[i] - a[i] * b[i + 1];
  }
  return [re, im];
}

test('one large symbol lies with equal power on every RE, a common mean on no single one', () => {
  const group = new Float32Array(2 * 154);
  group[2 * 37] = Math.sqrt(154);
  dftSpreader(154).spread(group);
  for (let k = 0; k < 154; k++) assert.ok(Math.abs(Math.hypot(group[2 * k], group[2 * k + 1]) - 1) < 1e-5);
  const same = Float32Array.from({ length: 2 * 154 }, (_, i) => (i & 1 ? 0 : 1));
  dftSpreader(154).spread(same);
  // Without the quarter turns RE 0 would have the magnitude sqrt 154 = 12.4; with them all are below the largest of 154 random ones.
  for (let k = 0; k < 154; k++) assert.ok(Math.hypot(same[2 * k], same[2 * k + 1]) < 4);
});

test('SNR after despreading is what MMSE outputs show', () => {
  const random = new RandomStream(3);
  const n = 154;
  const spreader = new DftSpreader(n);
  const snr = Float64Array.from({ length: n }, () => 10 ** (random.between(-5, 25) / 10));
  let [signal, cross, energy] = [0, 0, 0];
  for (let round = 0; round < 400; round++) {
    const x = gaussian(n, 100 + round);
    const y = x.slice();
    spreader.spread(y);
    for (let k = 0; k < n; k++) {
      const b = snr[k] / (1 + snr[k]);
      const sigma = Math.sqrt(1 / (2 * snr[k]));
      y[2 * k] = b * (y[2 * k] + sigma * random.normal());
      y[2 * k + 1] = b * (y[2 * k + 1] + sigma * random.normal());
    }
    spreader.despread(y);
    for (let i = 0; i < x.length; i++) {
      signal += x[i] * x[i];
      cross += x[i] * y[i];
      energy += y[i] * y[i];
    }
  }
  const gain = cross / signal;
  const measured = (gain * gain * signal) / (energy - gain * gain * signal);
  const told = despreadSnr(snr);
  // 61 600 symbols: standard error of the ratio about 0.6 %.
  assert.ok(Math.abs(measured / told - 1) < 0.02, `${measured} measured, ${told} told`);
  assert.ok(Math.abs(gain - told / (1 + told)) < 0.005);
  const capacityEquivalent = 2 ** (snr.reduce((s, v) => s + Math.log2(1 + v), 0) / n) - 1;
  assert.ok(told <= capacityEquivalent);
});

test('equal SNRs stay as they are; lost RE are not infinite harm', () => {
  assert.ok(Math.abs(despreadSnr([4, 4, 4]) - 4) < 1e-12);
  assert.equal(despreadSnr([0, 0]), 0);
  // Half of the RE lost: g = b / 2.
  assert.ok(Math.abs(despreadSnr([0, 9]) - 0.45 / 0.55) < 1e-12);
});

test('group lengths out of range are refused', () => {
  for (const n of [0, -1, 1.5, 155, Number.NaN]) assert.throws(() => dftSpreader(n), /allowed 1 to 154/);
  assert.throws(() => new DftSpreader(0), /allowed whole numbers from 1/);
  assert.throws(() => dftSpreader(11).spread(new Float32Array(20)), /does not fit/);
});
