import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import { clockKernel } from '../../../src/phy/kernels/clock/clock.ts';
import { CLOCK_TAPS, type ClockGrid } from '../../../src/phy/kernels/clock/clock-kernel.ts';
import { PlainClockKernel } from '../../../src/phy/kernels/clock/clock-plain.ts';
import { WasmClockKernel } from '../../../src/phy/kernels/clock/clock-wasm.ts';

const plain = new PlainClockKernel();
const wasm = new WasmClockKernel();

/** Outputs [index, index + count) of a stream of which x holds what they need. */
function both(grid: ClockGrid, index: number, count: number, sample: (n: number) => number): Float32Array[] {
  const start = Math.floor(index * grid.ratio - grid.shift) - 15;
  const x = Float32Array.from({ length: 2 * (Math.ceil(1.002 * count) + CLOCK_TAPS + 2) }, (_, i) =>
    sample(2 * start + i),
  );
  return [plain, wasm].map((kernel) => {
    const out = new Float32Array(2 * (count + 4)).fill(7);
    kernel.run(grid, index, x, -start, out, 2, count);
    assert.deepEqual([...out.subarray(0, 4), ...out.subarray(-4)], new Array(8).fill(7));
    return out.subarray(4, -4);
  });
}

test('both kernels are one, bit by bit, at any offset and far into a stream', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.double({ min: -1000, max: 1000, noNaN: true }), fc.constant(0)),
      fc.double({ min: 0, max: 0.999999, noNaN: true }),
      fc.oneof(fc.integer({ min: -10, max: 100 }), fc.integer({ min: 0, max: 2 ** 40 })),
      fc.integer({ min: 0, max: 5000 }),
      fc.integer(),
      (ppm, shift, index, count, seed) => {
        const random = new RandomStream(seed);
        const [of, on] = both({ ratio: 1 / (1 + ppm * 1e-6), shift }, index, count, () => random.normal());
        assert.deepEqual(on, of);
      },
    ),
    { numRuns: 100 },
  );
});

test('a tone comes out at its places', () => {
  const omega = 2 * Math.PI * 0.31;
  const tone = (n: number) => (n % 2 === 0 ? Math.cos((omega * n) / 2) : Math.sin((omega * (n - 1)) / 2));
  for (const ppm of [0, 7.35, -999]) {
    const grid = { ratio: 1 / (1 + ppm * 1e-6), shift: 0.3 };
    for (const out of both(grid, 5000, 3000, tone)) {
      for (let i = 0; i < 3000; i++) {
        const angle = omega * ((5000 + i) * grid.ratio - grid.shift);
        const error = Math.hypot(out[2 * i] - Math.cos(angle), out[2 * i + 1] - Math.sin(angle));
        assert.ok(error < 10 ** (-75 / 20), `${ppm} ppm, output ${i}: ${error}`);
      }
    }
  }
});

test('a place that rounds up to the next sample is that sample', () => {
  // -1e-20 lies above sample -1 by what rounds to 1.
  for (const out of both({ ratio: 1, shift: 1e-20 }, 0, 3, (n) => n)) {
    assert.ok(Math.abs(out[0]) < 1e-4 && Math.abs(out[1] - 1) < 1e-4, `${out}`);
  }
});

test('the kernel of the product is the fast one', () => {
  const expected = process.env.SCT_KERNELS === 'js' ? PlainClockKernel : WasmClockKernel;
  assert.equal(clockKernel().constructor, expected);
});
