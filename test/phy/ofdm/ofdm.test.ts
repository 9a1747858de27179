import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { NUMEROLOGIES, numerology } from '../../../src/phy/numerology.ts';
import { OfdmDemodulator } from '../../../src/phy/ofdm/demodulate.ts';
import { OfdmModulator } from '../../../src/phy/ofdm/modulate.ts';

/** Float32 FFTs of up to 1024 points keep about 6 digits. */
const TOLERANCE = 3e-6;

function randomGrid(symbols: number, carriers: number): Float32Array {
  const grid = new Float32Array(2 * symbols * carriers);
  new RandomStream('grid').addComplexNoise(grid, 1);
  return grid;
}

test('the numerologies are those of the design', () => {
  assert.deepEqual(
    NUMEROLOGIES.map((n) => [n.fftSize, n.nSubbands, n.sampleRateHz / 1e6]),
    [
      [64, 4, 0.96],
      [128, 6, 1.92],
      [256, 15, 3.84],
      [512, 25, 7.68],
      [1024, 50, 15.36],
    ],
  );
  for (const n of NUMEROLOGIES.slice(1)) assert.equal(n.cpLength / n.fftSize, 9 / 128);
  for (const n of NUMEROLOGIES) {
    assert.ok(!n.carriers.includes(0), 'DC is empty');
    assert.ok(96 / (n.headerSymbols * n.symbolDataRe) <= 0.15, 'header rate');
  }
  assert.throws(() => numerology(7), /7 does not exist/);
});

test('demodulating what was modulated gives it back, at any window inside the prefix, offset and delay', () => {
  for (const n of NUMEROLOGIES) {
    const grid = randomGrid(3, n.nCarriers);
    const rms = 0.3;
    const gain = rms * Math.sqrt(n.fftSize / n.nCarriers);
    const samples = new Float32Array(2 * (3 * n.symbolLength + 20));
    new OfdmModulator(n).modulate(grid, 3, rms, samples, 7);
    const cfo = 0.123 / n.fftSize;
    for (let i = 0; i < samples.length / 2; i++) {
      const c = Math.cos(2 * Math.PI * cfo * i);
      const s = Math.sin(2 * Math.PI * cfo * i);
      const re = samples[2 * i];
      samples[2 * i] = re * c - samples[2 * i + 1] * s;
      samples[2 * i + 1] = re * s + samples[2 * i + 1] * c;
    }
    const demodulator = new OfdmDemodulator(n);
    const row = new Float32Array(2 * n.nCarriers);
    for (const early of [0, 1, n.cpLength - 1]) {
      for (let t = 0; t < 3; t++) {
        const window = 7 + t * n.symbolLength + n.cpLength - early;
        demodulator.demodulate(samples, window, cfo, window, early, row, 0);
        for (let i = 0; i < row.length; i++) {
          const expected = gain * grid[2 * n.nCarriers * t + i];
          assert.ok(Math.abs(row[i] - expected) < 10 * TOLERANCE, `${n.fftSize} symbol ${t} element ${i}`);
        }
      }
    }
  }
});

test('Parseval: mean power of the samples is rms^2 times that of the grid, and the prefix is the symbol end', () => {
  for (const n of NUMEROLOGIES) {
    const grid = randomGrid(1, n.nCarriers);
    const samples = new Float32Array(2 * n.symbolLength);
    new OfdmModulator(n).modulate(grid, 1, 0.25, samples, 0);
    let gridPower = 0;
    for (const v of grid) gridPower += v * v;
    gridPower /= n.nCarriers;
    let power = 0;
    for (let i = 2 * n.cpLength; i < samples.length; i++) power += samples[i] ** 2;
    power /= n.fftSize;
    assert.ok(Math.abs(power / (0.0625 * gridPower) - 1) < TOLERANCE * 10);
    for (let i = 0; i < 2 * n.cpLength; i++) assert.equal(samples[i], samples[i + 2 * n.fftSize]);
  }
});
