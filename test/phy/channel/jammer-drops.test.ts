import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { DropStage } from '../../../src/phy/channel/drops.ts';
import { JammerStage } from '../../../src/phy/channel/jammer.ts';
import { fftKernel } from '../../../src/phy/kernels/fft/fft.ts';
import { power, throughBlocks, toneAmplitude, toneDb } from './helpers.ts';

const RATE = 7.68e6;
const random = new RandomStream('impairments');

describe('jammer', () => {
  const silence = new Float32Array(2 * 400_000);

  it('has the stated power while on, and its duty cycle', () => {
    for (const kind of ['tone', 'noise', 'subband'] as const) {
      const stage = new JammerStage(
        { kind, powerDb: 6, centreHz: -1e6, widthHz: 1e6, dutyCycle: 0.25, periodS: 1e-3, startS: 2e-3 },
        0.5,
        RATE,
        random,
      );
      const out = stage.process(silence);
      assert.equal(power(out, 0, 15360), 0);
      let on = 0;
      let sum = 0;
      for (let i = 15360; i < 400_000 - (400_000 % 7680); i++) {
        const p = out[2 * i] ** 2 + out[2 * i + 1] ** 2;
        if (p > 0) on++;
        sum += p;
      }
      const total = 400_000 - (400_000 % 7680) - 15360;
      assert.ok(Math.abs(on / total - 0.25) < 1e-3);
      // Subband noise of 1 MHz has about 12 000 independent values here: standard error 1 %.
      assert.ok(Math.abs(sum / on / (0.5 * 10 ** 0.6) - 1) < 0.05, `${kind}: ${sum / on}`);
    }
  });

  it('stays in its subband', () => {
    const stage = new JammerStage({ kind: 'subband', powerDb: 0, centreHz: 1e6, widthHz: 720e3 }, 1, RATE, random);
    const out = stage.process(silence).slice();
    const size = 4096;
    const spectrum = new Float64Array(size);
    const x = new Float32Array(2 * size);
    const runs = 90;
    for (let r = 0; r < runs; r++) {
      for (let i = 0; i < size; i++) {
        const u = (2 * Math.PI * (i + 0.5)) / size;
        const w = 0.35875 - 0.48829 * Math.cos(u) + 0.14128 * Math.cos(2 * u) - 0.01168 * Math.cos(3 * u);
        x[2 * i] = w * out[2 * (r * size + i)];
        x[2 * i + 1] = w * out[2 * (r * size + i) + 1];
      }
      fftKernel(size).forward(x, 0, x, 0);
      // Window energy 0.258 N: the density integrates to the power.
      for (let k = 0; k < size; k++) {
        spectrum[k] += (x[2 * k] ** 2 + x[2 * k + 1] ** 2) / (runs * 0.25796 * size);
      }
    }
    let inside = 0;
    let worstOutside = 0;
    let flat = 0;
    let flatBins = 0;
    for (let k = 0; k < size; k++) {
      const hz = (((k + size / 2) % size) - size / 2) * (RATE / size);
      const from = Math.abs(hz - 1e6) - 360e3;
      if (from < 30e3) inside += spectrum[k] / size;
      if (from > 8 * (RATE / 1024)) worstOutside = Math.max(worstOutside, spectrum[k]);
      if (from < -30e3) {
        flat += spectrum[k];
        flatBins++;
      }
    }
    assert.ok(Math.abs(inside - 1) < 0.05, `power inside ${inside}`);
    const level = flat / flatBins;
    assert.ok(Math.abs(level / (RATE / 720e3) - 1) < 0.05, `density ${level}`);
    assert.ok(10 * Math.log10(worstOutside / level) < -50, `${10 * Math.log10(worstOutside / level)} dB outside`);
  });

  it('puts a tone where it is asked', () => {
    const out = new JammerStage({ kind: 'tone', powerDb: -10, centreHz: 1.5e6 }, 1, RATE, random).process(silence);
    assert.ok(Math.abs(toneDb(out, 1.5e6 / RATE, 0, 8192) + 10) < 0.01);
    const [re, im] = toneAmplitude(out, 1.4e6 / RATE, 0, 8192);
    assert.ok(Math.hypot(re, im) < 1e-4);
  });

  it('refuses unknown kinds and values', () => {
    assert.throws(
      () => new JammerStage({ kind: 'chirp' as 'tone', powerDb: 0 }, 1, RATE, random),
      /tone, subband, noise/,
    );
    assert.throws(() => new JammerStage({ kind: 'tone', powerDb: 0, dutyCycle: 2 }, 1, RATE, random), /allowed 0 to 1/);
  });
});

describe('drops', () => {
  /** Sample i has re = i. */
  const ramp = new Float32Array(2 * 100_000).map((_, i) => (i % 2 === 0 ? i / 2 : 0));

  it('removes the listed stretches and says so; overlapping ones merge', () => {
    const stage = new DropStage(
      {
        at: [
          { index: 500, length: 10 },
          { index: 100, length: 5 },
          { index: 505, length: 20 },
          { index: 99_990, length: 50 },
        ],
      },
      RATE,
      random,
    );
    const out = throughBlocks(stage, ramp, [777]);
    assert.deepEqual(stage.drops, [
      { index: 100, length: 5 },
      { index: 500, length: 25 },
      { index: 99_990, length: 10 },
    ]);
    assert.equal(stage.droppedSamples, 40);
    assert.equal(out.length / 2, 100_000 - 40);
    assert.deepEqual([out[198], out[200], out[2 * 494], out[2 * 495]], [99, 105, 499, 525]);
  });

  it('drops at random at the stated rate, located exactly', () => {
    const stage = new DropStage({ perSecond: 10_000, meanLength: 20 }, RATE, random);
    const out = throughBlocks(stage, ramp, [1000]);
    const expected = (100_000 / RATE) * 10_000;
    // Poisson with mean 130: standard deviation 11.4.
    assert.ok(Math.abs(stage.drops.length - expected) < 50, `${stage.drops.length} for ${expected}`);
    const kept: number[] = [];
    let d = 0;
    for (let i = 0; i < 100_000; i++) {
      while (d < stage.drops.length && i >= stage.drops[d].index + stage.drops[d].length) d++;
      if (d >= stage.drops.length || i < stage.drops[d].index) kept.push(i);
    }
    assert.equal(kept.length, out.length / 2);
    kept.forEach((v, i) => {
      if (out[2 * i] !== v) assert.fail(`sample ${i} is ${out[2 * i]}, not ${v}`);
    });
    assert.throws(() => new DropStage({ at: [{ index: 0.5, length: 1 }] }, RATE, random), /whole/);
  });
});
