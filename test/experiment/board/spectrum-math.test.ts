// Power spectrum, noise floor, occupancy and tones against closed forms.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { noiseFloor, occupancy, strongestTone, usableBins } from '../../../src/experiment/board/occupancy.ts';
import { binHz, PowerSpectrum } from '../../../src/experiment/board/power-spectrum.ts';

const RATE_HZ = 1e6;

function tone(
  samples: number,
  offsetHz: number,
  amplitude: number,
  out: Float32Array = new Float32Array(2 * samples),
  cycles = 0,
): Float32Array {
  for (let n = 0; n < samples; n++) {
    const angle = 2 * Math.PI * ((offsetHz / RATE_HZ) * n + cycles);
    out[2 * n] += amplitude * Math.cos(angle);
    out[2 * n + 1] += amplitude * Math.sin(angle);
  }
  return out;
}

/** Circular white noise of this mean power. */
function noise(samples: number, power: number, seed: number): Float32Array {
  const random = new RandomStream(seed);
  const sigma = Math.sqrt(power / 2);
  return Float32Array.from({ length: 2 * samples }, () => sigma * random.normal());
}

function near(actual: number, wanted: number, tolerance: number, what: string): void {
  assert.ok(Math.abs(actual - wanted) <= tolerance, `${what}: ${actual}, wanted ${wanted} within ${tolerance}`);
}

test('a tone on a bin: 2/3 of its power there, 1/6 in each neighbour, nothing elsewhere', () => {
  const spectrum = new PowerSpectrum(64);
  spectrum.add(tone(640, (10 * RATE_HZ) / 64, 0.5));
  assert.equal(spectrum.windows, 19);
  const mean = spectrum.mean();
  near(mean[32 + 10], (2 / 3) * 0.25, 1e-6, 'the bin');
  near(mean[32 + 9], 0.25 / 6, 1e-6, 'below');
  near(mean[32 + 11], 0.25 / 6, 1e-6, 'above');
  near(mean[32 - 10], 0, 1e-9, 'the mirror');
  near(spectrum.max()[42], mean[42], 1e-6, 'every window is the same');
  assert.equal(binHz(42, 64, RATE_HZ), (10 * RATE_HZ) / 64);
});

test('white noise: the bins add up to its power, and the floor is 1/N of it', () => {
  const size = 256;
  const spectrum = new PowerSpectrum(size);
  spectrum.add(noise(size * 200, 0.01, 3));
  const mean = spectrum.mean();
  const total = mean.reduce((a, b) => a + b, 0);
  // 51 200 samples: standard error of the power 0.45 %.
  near(total / 0.01, 1, 0.02, 'total');
  const usable = usableBins(size, RATE_HZ, RATE_HZ);
  near((noiseFloor(mean, usable, spectrum.independentWindows) * size) / 0.01, 1, 0.03, 'floor');
});

test('the noise floor of few windows is not biased', () => {
  for (const windows of [1, 3, 10]) {
    let sum = 0;
    const tries = 40;
    for (let seed = 1; seed <= tries; seed++) {
      const spectrum = new PowerSpectrum(512);
      for (let w = 0; w < windows; w++) spectrum.add(noise(512, 1, 100 * seed + w), false);
      sum += 512 * noiseFloor(spectrum.mean(), usableBins(512, RATE_HZ, RATE_HZ), windows);
    }
    // Wilson-Hilferty is off by 1.8 % at one window; the rest is chance.
    near(sum / tries, 1, 0.05, `${windows} windows`);
  }
});

test('what is cut into blocks gives the same; nothing reaches over a gap', () => {
  const samples = noise(5000, 1, 9);
  const whole = new PowerSpectrum(128);
  whole.add(samples);
  const cut = new PowerSpectrum(128);
  for (let at = 0; at < 5000; at += 137) cut.add(samples.subarray(2 * at, 2 * Math.min(5000, at + 137)));
  assert.deepEqual(cut.mean(), whole.mean());
  const gap = new PowerSpectrum(128);
  gap.add(samples.subarray(0, 200), false);
  gap.add(samples.subarray(200, 400), false);
  assert.equal(gap.windows, 0, 'two halves of a window with a gap between make none');
});

test('occupancy: a fifth of the band at half the time, and noise that is not occupied', () => {
  const size = 512;
  const all = new PowerSpectrum(size);
  const quiet = new PowerSpectrum(size);
  const usable = usableBins(size, RATE_HZ, RATE_HZ);
  const phases = new RandomStream('phases');
  for (let w = 0; w < 100; w++) {
    const block = noise(size * 4, 1e-6, w + 1);
    quiet.add(block, false);
    if (w % 20 === 0) {
      // 100 tones of 20 dB over the noise of a bin, one a bin, of random phases.
      const more = block.slice();
      for (let k = 60; k < 160; k++) {
        tone(size * 4, (k * RATE_HZ) / size, Math.sqrt(1e-6 / size) * 10, more, phases.uniform());
      }
      all.add(more, false);
    } else all.add(block, false);
  }
  const of = (s: PowerSpectrum, marginDb: number) => {
    const { windows, independentWindows } = s;
    const mean = s.mean();
    const floor = noiseFloor(mean, usable, independentWindows);
    return occupancy({ mean, max: s.max(), windows, independentWindows }, usable, floor, marginDb);
  };
  const busy = of(all, 3);
  near(busy.meanShare, 102 / 507, 0.02, 'mean: 1/20 of 20 dB is 7.8 dB over the floor');
  near(busy.maxShare, 102 / 507, 0.02, 'max');
  const rare = of(all, 13);
  near(rare.meanShare, 0, 0.01, 'not above 13 dB in the mean');
  assert.ok(rare.maxShare > 0.1, 'but at times');
  const none = of(quiet, 3);
  assert.ok(none.meanShare <= 0.01 && none.maxShare <= 0.01, `${none.meanShare}, ${none.maxShare} by chance`);
  assert.ok(none.maxMarginDb > 10, 'noise alone exceeds 10 dB in some window');
  near(none.meanMarginDb, 3, 1e-9, 'margin as asked');
});

test('a tone between bins: frequency within a thousandth of a bin, power within 0.1 dB', () => {
  const size = 1024;
  const usable = usableBins(size, RATE_HZ, RATE_HZ);
  for (const bins of [100.0, 100.25, -200.5, -311.4]) {
    const samples = tone(size * 50, (bins * RATE_HZ) / size, 0.1, noise(size * 50, 1e-6, 5));
    const spectrum = new PowerSpectrum(size);
    spectrum.add(samples);
    const mean = spectrum.mean();
    const found = strongestTone(mean, usable, noiseFloor(mean, usable, spectrum.independentWindows), RATE_HZ);
    assert.ok(found);
    near((found.offsetHz * size) / RATE_HZ, bins, 0.003, 'bins');
    near(10 * Math.log10(found.power), -20, 0.1, 'dBFS');
  }
});

test('no tone in noise, none at the LO, and no bins where there can be none', () => {
  const size = 256;
  const usable = usableBins(size, RATE_HZ, RATE_HZ);
  const spectrum = new PowerSpectrum(size);
  spectrum.add(tone(size * 40, 0, 0.5, noise(size * 40, 1e-4, 8)));
  const mean = spectrum.mean();
  assert.equal(strongestTone(mean, usable, noiseFloor(mean, usable, spectrum.independentWindows), RATE_HZ), null);
  assert.equal(
    usableBins(16, RATE_HZ, RATE_HZ / 2).reduce((a, b) => a + b, 0),
    4,
  );
  assert.throws(() => new PowerSpectrum(100), /powers of two from 16/);
  assert.throws(() => noiseFloor(mean, new Uint8Array(size), 4), /no bins/);
});
