import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import { ofdmKernel } from '../../../src/phy/kernels/ofdm.ts';
import type { OfdmKernel } from '../../../src/phy/kernels/ofdm-kernel.ts';
import { PlainOfdmKernel } from '../../../src/phy/kernels/ofdm-plain.ts';
import { WasmOfdmKernel } from '../../../src/phy/kernels/ofdm-wasm.ts';
import { NUMEROLOGIES } from '../../../src/phy/numerology.ts';

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

test('WebAssembly turns carriers like plain TypeScript, and as exp(i k step); what stands beside them stays', () => {
  for (const n of NUMEROLOGIES) {
    const kernels = [new PlainOfdmKernel(n.fftSize, n.nCarriers), new WasmOfdmKernel(n.fftSize, n.nCarriers)];
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer(), (count, seed) => {
        const random = new RandomStream(seed);
        const rows = new Float32Array(3 + 2 * n.nCarriers * count + 5);
        random.addComplexNoise(rows, 1);
        const steps = Float64Array.from({ length: count }, (_, t) => (t % 3 === 1 ? 0 : random.normal() / n.fftSize));
        const [of, on] = kernels.map((kernel) => {
          const out = rows.slice();
          kernel.turn(out, 3, steps, count);
          return out;
        });
        assert.ok(difference(of, on) < 1e-5);
        for (const i of [0, 1, 2, rows.length - 5, rows.length - 1]) assert.equal(on[i], rows[i]);
        const t = random.integer(count);
        for (const c of [0, n.nCarriers / 2 - 1, n.nCarriers / 2, n.nCarriers - 1]) {
          const at = 3 + 2 * (t * n.nCarriers + c);
          const [cos, sin] = [Math.cos(n.carriers[c] * steps[t]), Math.sin(n.carriers[c] * steps[t])];
          assert.ok(Math.abs(on[at] - (rows[at] * cos - rows[at + 1] * sin)) < 1e-5);
          assert.ok(Math.abs(on[at + 1] - (rows[at] * sin + rows[at + 1] * cos)) < 1e-5);
        }
      }),
      { numRuns: 10 },
    );
  }
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
