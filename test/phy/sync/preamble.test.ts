import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { BurstReceiver } from '../../../src/phy/burst/burst-receiver.ts';
import { dcKernel } from '../../../src/phy/kernels/dc/dc.ts';
import { NUMEROLOGIES } from '../../../src/phy/numerology.ts';
import { goldSequence } from '../../../src/phy/sequence.ts';
import { DcBlocker } from '../../../src/phy/sync/dc.ts';
import { preamble } from '../../../src/phy/sync/preamble.ts';

test('sign products are balanced, both parts have mean square 1, the detection part a low crest', () => {
  for (const n of NUMEROLOGIES) {
    const p = preamble(n);
    assert.equal(
      p.products.reduce((a, b) => a + b, 0),
      0,
    );
    for (let i = 0; i < p.products.length; i++) assert.equal(p.products[i], p.signs[i] * p.signs[i + 1]);
    const power = (from: number, to: number) => {
      let sum = 0;
      for (let i = 2 * from; i < 2 * to; i++) sum += p.samples[i] ** 2;
      return sum / (to - from);
    };
    const detection = n.nSegments * n.segmentLength;
    assert.ok(Math.abs(power(0, detection) - 1) < 1e-5, 'detection part');
    const whole = power(n.preambleLength - n.fftSize, n.preambleLength);
    assert.ok(Math.abs(whole - 1) < 1e-5, 'training part');
    let peak = 0;
    for (let i = 0; i < detection; i++) peak = Math.max(peak, p.samples[2 * i] ** 2 + p.samples[2 * i + 1] ** 2);
    // Newman phases: within 4 dB of the mean (random phases reach 8 to 10 dB).
    assert.ok(peak < 10 ** 0.4, `PAPR ${(10 * Math.log10(peak)).toFixed(2)} dB`);
  }
});

test('the Gold sequence obeys both recursions of TS 38.211 and is balanced', () => {
  const c = goldSequence(0x1234, 20000);
  // c obeys the product of both feedback polynomials: D^62+..., checked as a linear recursion on x1 + x2.
  const taps1 = [0, 3, 31];
  const taps2 = [0, 1, 2, 3, 31];
  for (let n = 0; n < 1000; n++) {
    let sum = 0;
    for (const a of taps1) for (const b of taps2) sum ^= c[n + a + b];
    assert.equal(sum, 0);
  }
  const ones = c.reduce((a, b) => a + b, 0);
  // 3 sigma of 20000 fair bits is 212.
  assert.ok(Math.abs(ones - 10000) < 300);
});

test('noise, silence, a constant and tones of any frequency give no header and do not stop the receiver', () => {
  for (const n of NUMEROLOGIES.slice(1)) {
    const length = 60_000;
    const inputs: [string, (i: number) => [number, number]][] = [
      ['silence', () => [0, 0]],
      ['constant', () => [0.5, -0.2]],
      ['tone', (i) => [0.7 * Math.cos(0.1234 * i), 0.7 * Math.sin(0.1234 * i)]],
      [
        'tone on a carrier',
        (i) => [0.7 * Math.cos((Math.PI / n.fftSize) * 16 * i), 0.7 * Math.sin((Math.PI / n.fftSize) * 16 * i)],
      ],
    ];
    for (const [name, wave] of inputs) {
      const samples = new Float32Array(2 * length);
      for (let i = 0; i < length; i++) [samples[2 * i], samples[2 * i + 1]] = wave(i);
      const receiver = new BurstReceiver(n);
      const records = [...receiver.push(samples), ...receiver.flush()];
      assert.equal(records.filter((r) => r.type === 'burst').length, 0, name);
    }
    const noise = new Float32Array(2 * 400_000);
    new RandomStream(`noise ${n.id}`).addComplexNoise(noise, 0.01);
    const receiver = new BurstReceiver(n);
    const records = [...receiver.push(noise), ...receiver.flush()];
    assert.equal(records.filter((r) => r.type === 'burst').length, 0, 'noise');
    assert.ok(records.length <= 3, `${records.length} false detections in 400 000 samples of noise`);
  }
});

test('the DC blocker takes a constant out and turns samples that are not finite into zeros', () => {
  const blocker = new DcBlocker();
  const random = new RandomStream(1);
  const input = new Float32Array(2 * 50_000);
  random.addComplexNoise(input, 0.01);
  for (let i = 0; i < input.length; i += 2) input[i] += 0.25;
  input[200] = Number.NaN;
  input[301] = Number.POSITIVE_INFINITY;
  const kernel = dcKernel();
  kernel.reserve(50_000);
  blocker.process(input, kernel, 0);
  const out = kernel.samples;
  assert.equal(blocker.nonFinite, 2);
  let mean = 0;
  for (let i = 60_000; i < 100_000; i += 2) {
    assert.ok(Number.isFinite(out[i]));
    mean += out[i] / 20_000;
  }
  // Standard error of the running mean over some 30000 samples of sigma 0.07: 4e-4; start-up error 64/25000 x 0.25.
  assert.ok(Math.abs(mean) < 0.008, `mean ${mean}`);
});
