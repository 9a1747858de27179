import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import { makeEqualiser } from '../../../src/phy/kernels/equalise.ts';
import type { SlotPattern } from '../../../src/phy/kernels/equalise-kernel.ts';
import { PlainEqualiserKernel } from '../../../src/phy/kernels/equalise-plain.ts';
import { WasmEqualiserKernel } from '../../../src/phy/kernels/equalise-wasm.ts';

/** Any pilots and scrambling at all: the kernels need not know those of the air interface. */
function pattern(nSubbands: number, random: RandomStream): SlotPattern {
  return {
    nSubbands,
    pilots: Array.from({ length: 14 }, () => random.integer(12)),
    turns: Uint8Array.from({ length: 64 * 11 * nSubbands }, () => random.integer(4)),
  };
}

test('WebAssembly equalises like plain TypeScript, any pattern, place, phase and noise', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(1, 2, 4, 6, 15, 25, 50),
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 0, max: 200 }),
      fc.double({ min: -5, max: 1, noNaN: true }),
      fc.integer(),
      (nSubbands, slot, symbol, noiseLog, seed) => {
        const random = new RandomStream(seed);
        const shape = pattern(nSubbands, random);
        const length = 2 * 12 * nSubbands * 14;
        const rows = new Float32Array(4 * length);
        const channel = new Float32Array(4 * length);
        random.addComplexNoise(rows, 1);
        random.addComplexNoise(channel, 1);
        const noise = new Float32Array(4 * nSubbands);
        for (let s = 0; s < nSubbands; s++) {
          const sigma2 = 10 ** noiseLog * (0.5 + random.uniform());
          noise.set([sigma2, 1 / sigma2, 0.3 * sigma2 * random.normal(), 1.1 / sigma2], 4 * s);
        }
        const phases = Float64Array.from({ length: 20 }, () => 4 * random.normal());
        const [of, on] = [new PlainEqualiserKernel(shape), new WasmEqualiserKernel(shape)].map((kernel) => {
          const payload = new Float32Array(2 * 154 * nSubbands * 4 + 8).fill(7);
          const snr = new Float32Array(154 * nSubbands * 4 + 8).fill(7);
          const products = new Float64Array(14 * nSubbands);
          const re = 154 * nSubbands * slot + 3;
          const args = [rows, channel, length * slot, symbol, phases, 5, noise, payload, snr, re, products] as const;
          const power = kernel.equaliseSlot(...args);
          return { power, payload, snr, products };
        });
        const close = (a: number, b: number, what: string) =>
          assert.ok(Math.abs(a - b) <= 1e-5 * Math.max(1e-2, Math.abs(a)), `${what}: ${a} ${b}`);
        close(of.power, on.power, 'power');
        // One RE: relative to its magnitude. What is not of this slot stays as it was.
        for (let i = 0; i < of.payload.length; i += 2) {
          const magnitude = Math.hypot(of.payload[i], of.payload[i + 1]);
          const error = Math.hypot(of.payload[i] - on.payload[i], of.payload[i + 1] - on.payload[i + 1]);
          assert.ok(error <= 1e-5 * Math.max(1e-2, magnitude), `payload ${i}: ${error}`);
        }
        of.snr.forEach((v, i) => {
          close(v, on.snr[i], `snr ${i}`);
        });
        // Eleven factors, each as exact as a single.
        of.products.forEach((v, i) => {
          assert.ok(Math.abs(v / on.products[i] - 1) < 2e-5, `product ${i}: ${v} ${on.products[i]}`);
        });
      },
    ),
    { numRuns: 120 },
  );
});

test('a channel of nothing gives nothing, and an endless SNR stays finite', () => {
  const shape = pattern(2, new RandomStream('edges'));
  const length = 2 * 24 * 14;
  for (const kernel of [new PlainEqualiserKernel(shape), new WasmEqualiserKernel(shape)]) {
    for (const level of [0, 1e6]) {
      const payload = new Float32Array(2 * 308);
      const snr = new Float32Array(308);
      const products = new Float64Array(28);
      const values = new Float32Array(length).fill(level);
      const noise = Float32Array.of(1e-30, 1e30, 0, 1e30, 1e-30, 1e30, 0, 1e30);
      const args = [values, values, 0, 0, new Float64Array(14), 0, noise, payload, snr, 0, products] as const;
      kernel.equaliseSlot(...args);
      assert.ok(payload.every((v) => Number.isFinite(v) && Math.abs(v) <= 1.001));
      assert.ok(products.every((v) => Number.isFinite(v) && (level === 0 ? v === 1 : v > 1e131)));
    }
  }
});

test('a pattern that the memory of the kernel does not hold is refused', () => {
  const random = new RandomStream('refused');
  assert.throws(() => new WasmEqualiserKernel(pattern(51, random)), RangeError);
  assert.throws(() => new WasmEqualiserKernel({ ...pattern(4, random), turns: new Uint8Array(10) }), RangeError);
});

test('the kernel of the product is the fast one', () => {
  const expected = process.env.SCT_KERNELS === 'js' ? PlainEqualiserKernel : WasmEqualiserKernel;
  assert.equal(makeEqualiser(pattern(1, new RandomStream('which'))).constructor, expected);
});
