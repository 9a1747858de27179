import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import { ofdmKernel } from '../../../src/phy/kernels/ofdm/ofdm.ts';
import type { OfdmKernel } from '../../../src/phy/kernels/ofdm/ofdm-kernel.ts';
import { PlainOfdmKernel } from '../../../src/phy/kernels/ofdm/ofdm-plain.ts';
import { WasmOfdmKernel } from '../../../src/phy/kernels/ofdm/ofdm-wasm.ts';
import { NUMEROLOGIES, type Numerology, SLOT_SYMBOLS } from '../../../src/phy/numerology.ts';
import { resourceGrid } from '../../../src/phy/resource-grid.ts';

/** Largest deviation between the results of two kernels, relative to the RMS of the first, 1 for noise of power 1. */
function difference(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, v, i) => Math.max(most, Math.abs(v - b[i])), 0);
}

function demodulated(
  kernel: OfdmKernel,
  samples: Float32Array,
  windows: Int32Array,
  angles: Float64Array,
  cfo: number,
): Float32Array {
  const out = new Float32Array(3 + 2 * kernel.nCarriers * windows.length + 5).fill(7);
  kernel.demodulate(samples, windows, angles, windows.length, cfo, out, 3);
  assert.ok(
    out.every((v, i) => (i >= 3 && i < out.length - 5) || v === 7),
    'writes beside its rows',
  );
  return out;
}

test('WebAssembly demodulates like plain TypeScript, any number of symbols, offset and delay', () => {
  for (const n of NUMEROLOGIES) {
    const plain = new PlainOfdmKernel(n.fftSize, n.nCarriers);
    const wasm = new WasmOfdmKernel(n.fftSize, n.nCarriers);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.double({ min: -0.5, max: 0.5, noNaN: true }),
        fc.double({ min: -1, max: 1, noNaN: true }),
        fc.integer(),
        (count, cfo, delay, seed) => {
          const random = new RandomStream(seed);
          const samples = new Float32Array(2 * (count * n.symbolLength + 20));
          random.addComplexNoise(samples, 1);
          const windows = Int32Array.from({ length: count }, (_, t) => t * n.symbolLength + random.integer(20));
          const angles = Float64Array.from({ length: 2 * count }, (_, i) =>
            i % 2 === 0 ? 7 * random.normal() : (2 * Math.PI * delay * random.uniform()) / n.fftSize,
          );
          const expected = demodulated(plain, samples, windows, angles, cfo);
          const error = difference(expected, demodulated(wasm, samples, windows, angles, cfo));
          assert.ok(error < 1e-5, `${n.fftSize} points: ${error}`);
        },
      ),
      { numRuns: 20 },
    );
  }
});

/** A burst's slots held, their pilots on the way and after all are turned by other angles. */
function held(kernel: OfdmKernel, seed: number, slots: number, sequence: number) {
  const n = NUMEROLOGIES.find(({ nCarriers }) => nCarriers === kernel.nCarriers)!;
  const { offsets, values } = patternOf(n);
  const random = new RandomStream(seed);
  const count = SLOT_SYMBOLS * slots;
  const samples = new Float32Array(2 * count * n.symbolLength);
  random.addComplexNoise(samples, 1);
  const windows = Int32Array.from({ length: count }, (_, t) => t * n.symbolLength + random.integer(n.cpLength));
  const some = () =>
    Float64Array.from({ length: 2 * count }, (_, i) =>
      i % 2 === 0 ? 7 * random.normal() : random.normal() / n.fftSize,
    );
  const [angles, last] = [some(), some()];
  const { rows, turns, pilots } = kernel.hold({ offsets, values }, count);
  for (let slot = 0; slot < slots; slot++) {
    const from = slot * SLOT_SYMBOLS;
    const to = from + SLOT_SYMBOLS;
    const its = angles.subarray(2 * from, 2 * to);
    kernel.take(samples, windows.subarray(from, to), its, SLOT_SYMBOLS, 0.01, from, sequence);
  }
  const onTheWay = pilots.slice();
  const energy = kernel.finish(last, count, sequence);
  return {
    energy,
    samples,
    windows,
    angles,
    last,
    onTheWay,
    rows: rows.slice(),
    turns: turns.slice(),
    pilots: pilots.slice(),
  };
}

function patternOf(n: Numerology) {
  const { pilots: offsets, pilotValues: values } = resourceGrid(n).transmitPattern;
  return { offsets, values };
}

test('slots held: pilots on the way, then with their last angles, as if demodulated with each; rows without any', () => {
  for (const n of NUMEROLOGIES) {
    const grid = resourceGrid(n);
    const wasm = new WasmOfdmKernel(n.fftSize, n.nCarriers);
    for (const kernel of [new PlainOfdmKernel(n.fftSize, n.nCarriers), wasm, wasm]) {
      const slots = kernel === wasm ? 5 : 2;
      const sequence = 57;
      const { samples, windows, angles, last, onTheWay, energy, rows, turns, pilots } = held(
        kernel,
        3 + n.id,
        slots,
        sequence,
      );
      const count = SLOT_SYMBOLS * slots;
      const sum = pilots.reduce((all, v) => all + v * v, 0);
      assert.ok(Math.abs(energy / sum - 1) < 1e-6, `energy ${energy} ${sum}`);
      for (let t = 0; t < count; t++) {
        const first = last[2 * t] - (n.nCarriers / 2) * last[2 * t + 1];
        for (const [i, angle] of [first, last[2 * t + 1]].entries()) {
          assert.ok(Math.abs(turns[4 * t + 2 * i] - Math.cos(angle)) < 1e-12);
          assert.ok(Math.abs(turns[4 * t + 2 * i + 1] - Math.sin(angle)) < 1e-12);
        }
      }
      const none = new Float64Array(2 * count);
      for (const [by, rowsToo, found] of [
        [angles, null, onTheWay],
        [last, null, pilots],
        [none, rows, null],
      ] as const) {
        const expected = new Float32Array(2 * n.nCarriers * count);
        new PlainOfdmKernel(n.fftSize, n.nCarriers).demodulate(samples, windows, by, count, 0.01, expected, 0);
        if (rowsToo) assert.ok(difference(expected, rowsToo) < 1e-5, `rows of ${n.fftSize} points`);
        if (!found) continue;
        const channel = new Float32Array(2 * n.nSubbands * count);
        for (let t = 0; t < count; t++) {
          grid.pilotChannel(
            expected,
            2 * n.nCarriers * t,
            sequence + t,
            t % SLOT_SYMBOLS,
            channel,
            2 * n.nSubbands * t,
          );
        }
        assert.ok(difference(channel, found) < 1e-5, `pilots of ${n.fftSize} points`);
      }
    }
  }
});

test('a burst longer than the one before makes the memory grow; one that it can never hold is refused', () => {
  const n = NUMEROLOGIES[4];
  const wasm = new WasmOfdmKernel(n.fftSize, n.nCarriers);
  const before = held(wasm, 1, 1, 0);
  const { rows, pilots } = wasm.hold(patternOf(n), 128 * SLOT_SYMBOLS);
  assert.equal(rows.length, 2 * n.nCarriers * 128 * SLOT_SYMBOLS);
  assert.equal(pilots.length, 2 * n.nSubbands * 128 * SLOT_SYMBOLS);
  assert.throws(() => wasm.hold(patternOf(n), 4000), RangeError);
  const { rows: again } = held(wasm, 1, 1, 0);
  assert.deepEqual(again, before.rows);
  assert.throws(() => wasm.finish(new Float64Array(60), 30, 0), RangeError);
  assert.throws(() => wasm.hold({ ...patternOf(n), values: new Float32Array(3) }, 14), RangeError);
});

test('both kernels hear silence before and behind the samples', () => {
  const { fftSize, nCarriers, symbolLength } = NUMEROLOGIES[1];
  const samples = new Float32Array(2 * 3 * symbolLength);
  new RandomStream('edges').addComplexNoise(samples, 1);
  const padded = new Float32Array(2 * 5 * symbolLength);
  padded.set(samples, 2 * symbolLength);
  const windows = Int32Array.of(-symbolLength, -30, 10, 3 * symbolLength - 50, 3 * symbolLength + 9);
  const angles = new Float64Array(2 * windows.length).fill(0.01);
  const shifted = windows.map((w) => Math.min(w + symbolLength, 5 * symbolLength - fftSize));
  const expected = demodulated(new PlainOfdmKernel(fftSize, nCarriers), padded, shifted, angles, 0.01);
  for (const kernel of [new PlainOfdmKernel(fftSize, nCarriers), new WasmOfdmKernel(fftSize, nCarriers)]) {
    assert.ok(
      difference(expected, demodulated(kernel, samples, windows, angles, 0.01)) < 1e-5,
      kernel.constructor.name,
    );
  }
});

test('a shape that the memory of the kernel does not hold is refused', () => {
  assert.throws(() => new WasmOfdmKernel(2048, 1200), RangeError);
  assert.throws(() => new WasmOfdmKernel(128, 128), RangeError);
  assert.throws(() => new WasmOfdmKernel(128, 71), RangeError);
});

test('the kernel of the product is the fast one', () => {
  const expected = process.env.SCT_KERNELS === 'js' ? PlainOfdmKernel : WasmOfdmKernel;
  assert.equal(ofdmKernel(128, 72).constructor, expected);
});
