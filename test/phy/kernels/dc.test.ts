import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import { dcKernel } from '../../../src/phy/kernels/dc.ts';
import { DC_MEMORY, DC_STATE } from '../../../src/phy/kernels/dc-kernel.ts';
import { PlainDcKernel } from '../../../src/phy/kernels/dc-plain.ts';
import { WasmDcKernel } from '../../../src/phy/kernels/dc-wasm.ts';

test('WebAssembly removes DC like plain TypeScript, samples that are none and silence included', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1200 }),
      fc.double({ min: -4, max: 4, noNaN: true }),
      fc.integer({ min: 0, max: 3 }),
      fc.integer(),
      (groups, levelLog, faults, seed) => {
        const random = new RandomStream(seed);
        const level = 10 ** levelLog;
        const input = new Float32Array(32 * groups);
        random.addComplexNoise(input, level * level);
        for (let i = 0; i < input.length; i += 2) input[i] += 0.3 * level;
        for (let f = 0; f < faults; f++) {
          const at = random.integer(input.length);
          const bad = [Number.NaN, Number.POSITIVE_INFINITY, -1e20, 3e38];
          input[at] = bad[random.integer(bad.length)];
          const from = 2 * random.integer(input.length / 2);
          input.fill(0, from, Math.min(input.length, from + 2 * random.integer(300)));
          if (random.integer(2) === 1 && from < input.length) input[from] = -0;
        }
        const [of, on] = [new PlainDcKernel(), new WasmDcKernel()].map((kernel) => {
          const state = new Float64Array(DC_STATE);
          const out = new Float32Array(input.length).fill(7);
          kernel.process(state, input, out);
          return { state, out };
        });
        assert.deepEqual([...on.state.subarray(2)], [...of.state.subarray(2)]);
        for (let i = 0; i < 2; i++) assert.ok(Math.abs(on.state[i] - of.state[i]) <= 1e-6 * level);
        for (let i = 0; i < input.length; i++) {
          // Where silence made it 0 it is that in both.
          if (of.out[i] === 0 && input[i] === 0) assert.ok(Math.abs(on.out[i]) <= 1e-6 * level, `${i}: ${on.out[i]}`);
          else assert.ok(Math.abs(on.out[i] - of.out[i]) <= 1e-5 * level, `${i}: ${of.out[i]} ${on.out[i]}`);
        }
      },
    ),
    { numRuns: 100 },
  );
});

test('a constant decays as the plain mean behind 63 samples of nothing, then exponentially', () => {
  for (const kernel of [new PlainDcKernel(), new WasmDcKernel()]) {
    const state = new Float64Array(DC_STATE);
    const input = new Float32Array(2 * 2 * DC_MEMORY).fill(0.25);
    const out = new Float32Array(input.length);
    kernel.process(state, input, out);
    for (const group of [0, 1, 7, 100, DC_MEMORY / 16 - 1]) {
      const expected = (0.25 * 63) / (63 + 16 * group);
      for (const n of [16 * group, 16 * group + 15]) {
        assert.ok(Math.abs(out[2 * n] - expected) < 1e-6, `sample ${n}: ${out[2 * n]} ${expected}`);
        assert.ok(Math.abs(out[2 * n + 1] - expected) < 1e-6);
      }
    }
    // One memory later what is left has fallen to 1/e of what it was.
    const left = out[4 * DC_MEMORY - 1] / out[2 * DC_MEMORY + 1];
    assert.ok(Math.abs(left * Math.E - 1) < 0.01, `${left}`);
  }
});

test('sums of any stretch, of 1 + 2 i exactly so many', () => {
  const random = new RandomStream('sums');
  const samples = new Float32Array(2 * 9000);
  random.addComplexNoise(samples, 3);
  const constant = Float32Array.from(samples, (_, i) => 1 + (i % 2));
  const [plain, wasm] = [new PlainDcKernel(), new WasmDcKernel()];
  for (const [from, to] of [
    [0, 9000],
    [17, 8999],
    [5, 6],
    [1000, 2024],
    [44, 44],
  ]) {
    const [of, on] = [plain, wasm].map((kernel) => {
      const out = new Float64Array(3).fill(5);
      const changes = new Float32Array(150).fill(7);
      kernel.sums(samples, from, to, out, changes);
      return { out, changes };
    });
    for (let i = 0; i < 3; i++)
      assert.ok(Math.abs(of.out[i] - on.out[i]) <= 1e-5 * of.out[2], `${i}: ${of.out} ${on.out}`);
    of.changes.forEach((v, i) => {
      assert.ok(Math.abs(on.changes[i] - v) <= 1e-5 * v, `stretch ${i}: ${v} ${on.changes[i]}`);
    });
    // What is not a whole stretch stays as it was.
    assert.ok(on.changes.subarray((to - from) >> 6).every((v) => v === 7));
    for (const kernel of [plain, wasm]) {
      const out = new Float64Array(3);
      const changes = new Float32Array(150).fill(7);
      kernel.sums(constant, from, to, out, changes);
      assert.ok(changes.subarray(0, (to - from) >> 6).every((v) => v === 0));
      assert.deepEqual([...out], [to - from, 2 * (to - from), 5 * (to - from)]);
    }
  }
});

test('the kernel of the product is the fast one', () => {
  const expected = process.env.SCT_KERNELS === 'js' ? PlainDcKernel : WasmDcKernel;
  assert.equal(dcKernel().constructor, expected);
});
