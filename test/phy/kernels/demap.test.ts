import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import { demapKernel } from '../../../src/phy/kernels/demap/demap.ts';
import { PlainDemapKernel } from '../../../src/phy/kernels/demap/demap-plain.ts';
import { WasmDemapKernel } from '../../../src/phy/kernels/demap/demap-wasm.ts';
import { halfSpacing, MODULATION_ORDERS } from '../../../src/phy/modulation/qam.ts';

const plain = new PlainDemapKernel();
const wasm = new WasmDemapKernel();

/** demap, and demapMmse of what an equaliser of those SNRs makes of the symbols. */
const entries = ['demap', 'demapMmse'] as const;

test('WebAssembly demaps like plain TypeScript, any order, count, place and noise', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...entries),
      fc.constantFrom(...MODULATION_ORDERS),
      fc.oneof(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 4000, max: 9000 })),
      fc.integer({ min: 0, max: 5 }),
      fc.integer(),
      (entry, qm, count, from, seed) => {
        const random = new RandomStream(seed);
        const symbols = new Float32Array(2 * (from + count));
        random.addComplexNoise(symbols, [1, 1, 100, 1e6][random.integer(4)]);
        const variance = Float32Array.from({ length: from + count }, () =>
          random.integer(20) === 0
            ? [Number.POSITIVE_INFINITY, 0, 1e9][random.integer(3)]
            : 10 ** -random.between(0, 4),
        );
        const [expected, got] = [plain, wasm].map((kernel) => {
          const llr = new Float32Array(count * qm + 9).fill(7);
          kernel[entry](symbols, variance, qm, halfSpacing(qm), count, llr, from, 4);
          return llr;
        });
        assert.ok(
          got.every((v, i) => (i >= 4 && i < 4 + qm * count) || v === 7),
          'writes beside its LLRs',
        );
        for (let i = 0; i < count; i++) {
          // An LLR is a difference of distances: what rounding leaves of it goes with the largest of the symbol.
          const own = expected.subarray(4 + qm * i, 4 + qm * (i + 1));
          const scale = own.reduce((most, v) => Math.max(most, Math.abs(v)), 1e-30);
          own.forEach((v, b) => {
            assert.ok(Math.abs(v - got[4 + qm * i + b]) <= 1e-5 * scale, `Qm=${qm}: ${v} ${got[4 + qm * i + b]}`);
          });
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('MMSE symbols give the LLRs of those without bias, by the variance 1 / SNR', () => {
  const random = new RandomStream('mmse');
  for (const kernel of [plain, wasm]) {
    for (const qm of MODULATION_ORDERS) {
      const count = 500;
      const symbols = new Float32Array(2 * count);
      random.addComplexNoise(symbols, 1);
      const snr = Float32Array.from({ length: count }, (_, i) => (i % 50 === 0 ? 0 : 10 ** random.between(-3, 4)));
      const biased = symbols.map((v, i) => (v * Math.max(snr[i >> 1], 1e-4)) / (1 + Math.max(snr[i >> 1], 1e-4)));
      const [expected, got] = [new Float32Array(count * qm), new Float32Array(count * qm)];
      kernel.demap(
        symbols,
        snr.map((v) => 1 / Math.max(v, 1e-4)),
        qm,
        halfSpacing(qm),
        count,
        expected,
        0,
        0,
      );
      kernel.demapMmse(biased, snr, qm, halfSpacing(qm), count, got, 0, 0);
      // An LLR near zero is a difference of distances: rounding goes with the symbol's largest.
      expected.forEach((v, i) => {
        const own = expected.subarray(i - (i % qm), i - (i % qm) + qm);
        const scale = own.reduce((most, w) => Math.max(most, Math.abs(w)), 1e-30);
        assert.ok(Math.abs(v - got[i]) <= 1e-5 * scale, `Qm=${qm} SNR ${snr[Math.floor(i / qm)]}: ${v} ${got[i]}`);
      });
    }
  }
});

test('what is no number stays none, and nothing else is touched by it', () => {
  for (const qm of MODULATION_ORDERS) {
    const symbols = new Float32Array(2 * 40).fill(0.1);
    const variance = new Float32Array(40).fill(0.1);
    symbols[2 * 5] = Number.NaN;
    variance[9] = Number.NaN;
    for (const [kernel, entry] of [plain, wasm].flatMap((k) => entries.map((e) => [k, e] as const))) {
      const llr = new Float32Array(40 * qm);
      kernel[entry](symbols, variance, qm, halfSpacing(qm), 40, llr, 0, 0);
      llr.forEach((v, i) => {
        const symbol = Math.floor(i / qm);
        const unknown = symbol === 9 || (symbol === 5 && (i % qm) % 2 === 0);
        assert.equal(Number.isNaN(v), unknown, `${kernel.constructor.name} Qm=${qm} LLR ${i}`);
      });
    }
  }
});

test('the kernel of the product is the fast one', () => {
  assert.equal(demapKernel().constructor, process.env.SCT_KERNELS === 'js' ? PlainDemapKernel : WasmDemapKernel);
});
