import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { leakageOf, SUBBAND_PARTS, sourceNoise } from '../../../src/phy/channel/noise-leakage.ts';
import { TraceNoiseStage } from '../../../src/phy/channel/trace-noise.ts';
import { fftKernel } from '../../../src/phy/kernels/fft/fft.ts';
import { numerology } from '../../../src/phy/numerology.ts';
import { carriersHz, syntheticTrace } from './trace-helpers.ts';

const n = numerology(6);
const still = [{ delayS: 0, gain: 1 }];

/** Noise of a stage as a receiver sees it: mean |FFT|^2 / size of each subband over [fromS, toS). */
function seen(stage: TraceNoiseStage, rateHz: number, centreHz: number, fromS: number, toS: number): Float64Array {
  const samples = stage.process(new Float32Array(2 * Math.round(toS * rateHz)));
  const size = rateHz / 15e3;
  const mean = new Float64Array(6);
  let windows = 0;
  const bins = new Float32Array(2 * size);
  for (let at = Math.round(fromS * rateHz); 2 * (at + size) <= samples.length; at += size, windows++) {
    fftKernel(size).forward(samples, 2 * at, bins, 0);
    n.carriers.forEach((k, c) => {
      const bin = (((k + centreHz / 15e3) % size) + size) % size;
      mean[Math.floor(c / 12)] += (bins[2 * bin] ** 2 + bins[2 * bin + 1] ** 2) / (12 * size);
    });
  }
  return mean.map((v) => v / windows);
}

describe('noise of a trace', () => {
  it('is seen in every subband as recorded, at another rate and beside the LO, where one is 20 dB above the others', () => {
    const levels = [0.02, 0.01, 0.05, 2, 0.06, 0.01];
    const trace = syntheticTrace(n, still, (s) => levels[s], 1);
    for (const [rateHz, centreHz] of [
      [1.92e6, 0],
      [7.68e6, -900e3],
    ]) {
      const stage = new TraceNoiseStage({ trace, rateHz, centreHz, unitVariance: 3 }, new RandomStream('n'));
      const got = seen(stage, rateHz, centreHz, 0, 0.2);
      // 3000 windows of 12 carriers: 0.03 dB standard error; the rest is the synthesis' own leakage.
      levels.forEach((want, s) => {
        const db = 10 * Math.log10(got[s] / (3 * want));
        assert.ok(Math.abs(db) < 0.35, `${rateHz} subband ${s}: ${db} dB off`);
      });
    }
  });

  it('changes from slot to slot', () => {
    const trace = syntheticTrace(n, still, (_, t) => (Math.floor(t / 5e-3 + 1e-6) % 2 ? 1 : 0.01), 20e-3);
    const stage = () =>
      new TraceNoiseStage({ trace, rateHz: 1.92e6, centreHz: 0, unitVariance: 1 }, new RandomStream(1));
    const mean = (from: number, to: number) => seen(stage(), 1.92e6, 0, from, to).reduce((a, b) => a + b) / 6;
    assert.ok(Math.abs(10 * Math.log10(mean(1e-3, 4e-3) / 0.01)) < 0.6);
    assert.ok(Math.abs(10 * Math.log10(mean(6e-3, 9e-3))) < 0.6);
  });

  it('is white where the record is, with the variance asked for', () => {
    const trace = syntheticTrace(n, still, () => 0.5, 5e-3);
    const stage = new TraceNoiseStage({ trace, rateHz: 1.92e6, centreHz: 0, unitVariance: 2 }, new RandomStream(1));
    assert.ok(Math.abs(stage.meanVariance() - 1) < 1e-6);
    const out = stage.process(new Float32Array(2 * 100_000));
    const power = out.reduce((sum, v) => sum + v * v, 0) / 100_000;
    assert.ok(Math.abs(power - 1) < 0.02, `${power}`);
  });
});

describe('leakage of the receiver window', () => {
  it('shares add up to 1, and a neighbour sees what the closed form of the sinc tails says', () => {
    const { matrix, guards } = leakageOf(carriersHz(n), 15e3);
    const parts = 6 * SUBBAND_PARTS;
    for (let i = 0; i < 6; i++) {
      let sum = guards[i];
      for (let j = 0; j < parts; j++) sum += matrix[i * parts + j];
      assert.ok(Math.abs(sum - 1) < 1e-9);
    }
    // Subband 1 from subband 0: mean over its carriers d = 0.5.. 11.5 beyond the edge of int_d^{d+12} sinc^2, by a fine sum.
    let want = 0;
    for (let c = 0; c < 12; c++) {
      for (let x = c + 0.5 + 5e-4; x < c + 12.5; x += 1e-3) want += (Math.sin(Math.PI * x) / (Math.PI * x)) ** 2 * 1e-3;
    }
    let got = 0;
    for (let j = 0; j < SUBBAND_PARTS; j++) got += matrix[1 * parts + j];
    assert.ok(Math.abs(got / (want / 12) - 1) < 0.01, `${got} for ${want / 12}`);
  });

  it('leaves flat noise alone, and finds the source of noise that leaked', () => {
    const flat = sourceNoise(syntheticTrace(n, still, () => 0.3, 1e-3));
    for (const v of flat) assert.ok(Math.abs(v - 0.3) < 1e-6);
    const { matrix, guards } = leakageOf(carriersHz(n), 15e3);
    const parts = 6 * SUBBAND_PARTS;
    const source = Float64Array.from({ length: parts }, (_, j) => (j >= 12 && j < 16 ? 10 : 0.01));
    const leaked = Array.from({ length: 6 }, (_, i) => {
      let sum = guards[i] * 0.01;
      for (let j = 0; j < parts; j++) sum += matrix[i * parts + j] * source[j];
      return sum;
    });
    // Two neighbours of the strong subband see 10 times the quiet noise; the median, the guards' level, is near that.
    const found = sourceNoise(syntheticTrace(n, still, (s) => leaked[s], 1e-3));
    let strong = 0;
    for (let j = 12; j < 16; j++) strong += found[j] / 4;
    assert.ok(Math.abs(strong / 10 - 1) < 0.05, `${strong}`);
    for (let j = 0; j < 4; j++) assert.ok(found[j] < 0.3 * leaked[2], 'the leak is not taken for noise of its own');
  });
});
