import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import { tapsKernel } from '../../../src/phy/kernels/taps/taps.ts';
import { type FilterChange, MAX_SPACING, MAX_TAPS } from '../../../src/phy/kernels/taps/taps-kernel.ts';
import { PlainTapsKernel } from '../../../src/phy/kernels/taps/taps-plain.ts';
import { WasmTapsKernel } from '../../../src/phy/kernels/taps/taps-wasm.ts';

const plain = new PlainTapsKernel();
const wasm = new WasmTapsKernel();

function numbers(random: RandomStream, n: number): Float64Array {
  return Float64Array.from({ length: n }, () => random.normal());
}

test('both kernels are one, bit by bit: lengths, places, holds and both kinds of change', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.integer({ min: 1, max: 80 }), fc.constant(MAX_TAPS)),
      fc.integer({ min: 0, max: 10 }),
      fc.integer({ min: 0, max: 6 }),
      fc.constantFrom('line', 'sum'),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer(),
      (taps, spacingLog, holdLog, kind, begin, share, seed) => {
        const random = new RandomStream(seed);
        const spacing = 1 << spacingLog;
        const [first, second] = [numbers(random, 2 * taps), numbers(random, 2 * taps)];
        const change: FilterChange = { first, second, spacing, hold: 1 << Math.min(holdLog, spacingLog), kind };
        const within = Math.min(spacing - 1, Math.floor(begin * spacing));
        const count = 1 + Math.floor(share * (spacing - within - 1));
        const x = Float32Array.from(numbers(random, 2 * (taps - 1 + count + 7)));
        const [of, on] = [plain, wasm].map((kernel) => {
          const out = new Float32Array(2 * (count + 5)).fill(7);
          kernel.run(change, within, x, 3, out, 2, count);
          return out;
        });
        assert.deepEqual(on, of);
        assert.deepEqual([...on.subarray(0, 4), ...on.subarray(-6)], new Array(10).fill(7));
      },
    ),
    { numRuns: 300 },
  );
});

test('what the definition says, tap by tap', () => {
  const random = new RandomStream('taps');
  const [taps, spacing, hold, within, count] = [27, 64, 16, 5, 50];
  const [first, second] = [numbers(random, 2 * taps), numbers(random, 2 * taps)];
  const x = Float32Array.from(numbers(random, 2 * (taps - 1 + count)));
  for (const kind of ['line', 'sum'] as const) {
    for (const kernel of [plain, wasm]) {
      const out = new Float32Array(2 * count);
      kernel.run({ first, second, spacing, hold, kind }, within, x, 0, out, 0, count);
      for (let i = 0; i < count; i++) {
        const weight = (hold * Math.floor((within + i) / hold) + (hold - 1) / 2) / spacing;
        const [sum, size] = [[0, 0], [0]];
        for (let l = 0; l < taps; l++) {
          const rest = kind === 'line' ? 1 - weight : 1;
          const re = rest * first[2 * l] + weight * second[2 * l];
          const im = rest * first[2 * l + 1] + weight * second[2 * l + 1];
          const at = 2 * (i + l);
          sum[0] += re * x[at] - im * x[at + 1];
          sum[1] += re * x[at + 1] + im * x[at];
          size[0] += Math.hypot(re, im) * Math.hypot(x[at], x[at + 1]);
        }
        for (let k = 0; k < 2; k++) assert.ok(Math.abs(out[2 * i + k] - sum[k]) < 1e-7 * size[0], `${i} ${k}`);
      }
    }
  }
});

test('the longest way between two filters in one call', () => {
  const random = new RandomStream('longest');
  const change: FilterChange = {
    first: numbers(random, 2 * MAX_TAPS),
    second: numbers(random, 2 * MAX_TAPS),
    spacing: MAX_SPACING,
    hold: 64,
    kind: 'line',
  };
  const x = Float32Array.from(numbers(random, 2 * (MAX_TAPS - 1 + MAX_SPACING)));
  const [of, on] = [plain, wasm].map((kernel) => {
    const out = new Float32Array(2 * MAX_SPACING);
    kernel.run(change, 0, x, 0, out, 0, MAX_SPACING);
    return out;
  });
  assert.deepEqual(on, of);
});

test('the kernel of the product is the fast one', () => {
  const expected = process.env.SCT_KERNELS === 'js' ? PlainTapsKernel : WasmTapsKernel;
  assert.equal(tapsKernel().constructor, expected);
});
