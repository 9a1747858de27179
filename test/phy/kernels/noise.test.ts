import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import { noiseKernel } from '../../../src/phy/kernels/noise/noise.ts';
import { PlainNoiseKernel } from '../../../src/phy/kernels/noise/noise-plain.ts';
import { WasmNoiseKernel } from '../../../src/phy/kernels/noise/noise-wasm.ts';

const plain = new PlainNoiseKernel();
const wasm = new WasmNoiseKernel();

test('WebAssembly makes the noise of plain TypeScript bit by bit, whatever the lengths, and leaves the stream where that does', () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.array(fc.integer({ min: 0, max: 9000 }), { minLength: 1, maxLength: 5 }),
      fc.double({ min: -9, max: 9, noNaN: true }),
      (seed, lengths, varianceLog) => {
        const [of, on] = [plain, wasm].map((kernel) => {
          const random = new RandomStream(seed);
          return lengths.map((n) => {
            const samples = Float32Array.from({ length: 2 * n }, (_, i) => Math.sin(i));
            kernel.add(random, samples, 10 ** varianceLog);
            return { samples, next: random.uint32() };
          });
        });
        assert.deepEqual(on, of);
      },
    ),
    { numRuns: 40 },
  );
});

test("two million samples: the logarithm is the engine's to the last bit", () => {
  const [a, b] = [new RandomStream('log'), new RandomStream('log')];
  for (let round = 0; round < 32; round++) {
    const [of, on] = [new Float32Array(1 << 17), new Float32Array(1 << 17)];
    plain.add(a, of, 2);
    wasm.add(b, on, 2);
    assert.ok(Buffer.from(of.buffer).equals(Buffer.from(on.buffer)));
  }
});

test('half a pair that is left over from single draws goes on first', () => {
  const [of, on] = [plain, wasm].map((kernel) => {
    const random = new RandomStream(3);
    random.normal();
    const samples = new Float32Array(200);
    kernel.add(random, samples, 0.5);
    kernel.add(random, samples, 0.5);
    return { samples, next: random.normal() };
  });
  assert.deepEqual(on, of);
});

test('mean, variance, and fourth moment of a normal deviate', () => {
  const samples = new Float32Array(1 << 20);
  wasm.add(new RandomStream('moments'), samples, 2);
  const moment = (k: number) => samples.reduce((sum, v) => sum + v ** k, 0) / samples.length;
  // Standard errors 0.001, 0.0014, 0.0096.
  assert.ok(Math.abs(moment(1)) < 0.005, `${moment(1)}`);
  assert.ok(Math.abs(moment(2) - 1) < 0.007, `${moment(2)}`);
  assert.ok(Math.abs(moment(4) - 3) < 0.05, `${moment(4)}`);
});

test('the kernel of the product is the fast one', () => {
  const expected = process.env.SCT_KERNELS === 'js' ? PlainNoiseKernel : WasmNoiseKernel;
  assert.equal(noiseKernel().constructor, expected);
});
