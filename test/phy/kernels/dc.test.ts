import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import { dcKernel } from '../../../src/phy/kernels/dc/dc.ts';
import { DC_MEMORY, DC_STATE, type DcKernel } from '../../../src/phy/kernels/dc/dc-kernel.ts';
import { PlainDcKernel } from '../../../src/phy/kernels/dc/dc-plain.ts';
import { WasmDcKernel } from '../../../src/phy/kernels/dc/dc-wasm.ts';

/** Both kernels, each with these samples. */
function holding(samples: Float32Array): DcKernel[] {
  return [new PlainDcKernel(), new WasmDcKernel()].map((kernel) => {
    kernel.reserve(samples.length / 2);
    kernel.samples.set(samples);
    return kernel;
  });
}

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
          // Some samples into what is held; those around stay.
          kernel.reserve(16 * groups + 10);
          kernel.samples.fill(7);
          kernel.process(state, input, 3);
          assert.ok(kernel.samples.subarray(0, 6).every((v) => v === 7));
          assert.ok(kernel.samples.subarray(6 + input.length, 20 + input.length).every((v) => v === 7));
          return { state, out: kernel.samples.subarray(6, 6 + input.length) };
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

test('one group comes out as among others', () => {
  const random = new RandomStream('group');
  const input = new Float32Array(2 * 16 * 40);
  random.addComplexNoise(input, 1);
  for (const kernel of [new PlainDcKernel(), new WasmDcKernel()]) {
    kernel.reserve(16 * 40);
    const whole = new Float64Array(DC_STATE);
    kernel.process(whole, input, 0);
    const state = new Float64Array(DC_STATE);
    const out = new Float32Array(32);
    for (let at = 0; at < input.length; at += 32) {
      kernel.processGroup(state, input.subarray(at, at + 32), out);
      assert.deepEqual(out, kernel.samples.slice(at, at + 32));
    }
    assert.deepEqual(state, whole);
  }
});

test('what is held stays when room is made', () => {
  const random = new RandomStream('room');
  const samples = new Float32Array(2 * 9000);
  random.addComplexNoise(samples, 1);
  for (const kernel of holding(samples)) {
    for (const count of [10, 9000, 100_000, 1_000_000]) {
      kernel.reserve(count);
      assert.ok(kernel.samples.length >= 2 * count);
      assert.deepEqual(kernel.samples.slice(0, samples.length), samples);
    }
    const [sums, changes] = [new Float64Array(3), new Float32Array(16_000)];
    kernel.sums(0, 1_000_000, sums, changes);
    assert.ok(Math.abs(sums[2] / 9000 - 1) < 0.05, `${sums[2]}`);
  }
  assert.throws(() => new WasmDcKernel().reserve(2 ** 31), RangeError);
});

test('a constant decays as the plain mean behind 63 samples of nothing, then exponentially', () => {
  for (const kernel of [new PlainDcKernel(), new WasmDcKernel()]) {
    const state = new Float64Array(DC_STATE);
    const input = new Float32Array(2 * 2 * DC_MEMORY).fill(0.25);
    kernel.reserve(2 * DC_MEMORY);
    kernel.process(state, input, 0);
    const out = kernel.samples;
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
  const kernels = holding(samples);
  const constants = holding(constant);
  for (const [from, to] of [
    [0, 9000],
    [17, 8999],
    [5, 6],
    [1000, 2024],
    [44, 44],
  ]) {
    const [of, on] = kernels.map((kernel) => {
      const out = new Float64Array(3).fill(5);
      const changes = new Float32Array(150).fill(7);
      kernel.sums(from, to, out, changes);
      return { out, changes };
    });
    for (let i = 0; i < 3; i++)
      assert.ok(Math.abs(of.out[i] - on.out[i]) <= 1e-5 * of.out[2], `${i}: ${of.out} ${on.out}`);
    of.changes.forEach((v, i) => {
      assert.ok(Math.abs(on.changes[i] - v) <= 1e-5 * v, `stretch ${i}: ${v} ${on.changes[i]}`);
    });
    // What is not a whole stretch stays as it was.
    assert.ok(on.changes.subarray((to - from) >> 6).every((v) => v === 7));
    for (const kernel of constants) {
      const out = new Float64Array(3);
      const changes = new Float32Array(150).fill(7);
      kernel.sums(from, to, out, changes);
      assert.ok(changes.subarray(0, (to - from) >> 6).every((v) => v === 0));
      assert.deepEqual([...out], [to - from, 2 * (to - from), 5 * (to - from)]);
    }
  }
});

test('colour: 0 for white noise, 1 for a carrier, sin(pi b) / (pi b) for a band, alike in both', () => {
  const random = new RandomStream('colour');
  const size = 4096;
  const noise = new Float32Array(2 * size);
  random.addComplexNoise(noise, 1);
  const carrier = Float32Array.from({ length: 2 * size }, (_, i) =>
    i % 2 === 0 ? Math.cos(0.7 * (i >> 1)) : Math.sin(0.7 * (i >> 1)),
  );
  // Many lines side by side fill a quarter of the band.
  const band = new Float32Array(2 * size);
  for (let line = 0; line < 64; line++) {
    const step = (2 * Math.PI * (line - 31.5)) / 256;
    const phase = 2 * Math.PI * random.uniform();
    for (let i = 0; i < size; i++) {
      band[2 * i] += Math.cos(step * i + phase);
      band[2 * i + 1] += Math.sin(step * i + phase);
    }
  }
  for (const [samples, expected, within] of [
    [noise, 0, 0.08],
    [carrier, 1, 1e-5],
    [band, Math.sin(Math.PI / 4) / (Math.PI / 4), 0.05],
  ] as const) {
    const [plain, wasm] = holding(samples);
    const found = wasm.colour(0, size);
    assert.ok(Math.abs(found - expected) < within, `${found} ${expected}`);
    for (const [from, to] of [
      [0, size],
      [3, size - 5],
      [5, 13],
      [1, 25],
      [7, 7],
    ]) {
      const [of, on] = [plain.colour(from, to), wasm.colour(from, to)];
      assert.ok(Math.abs(of - on) < 1e-5, `${from} to ${to}: ${of} ${on}`);
    }
  }
  const long = new Float32Array(2 * 10_008);
  random.addComplexNoise(long, 1);
  const [of, on] = holding(long).map((kernel) => kernel.colour(8, 10_008));
  assert.ok(Math.abs(of - on) < 1e-5);
});

test('the kernel of the product is the fast one', () => {
  const expected = process.env.SCT_KERNELS === 'js' ? PlainDcKernel : WasmDcKernel;
  assert.equal(dcKernel().constructor, expected);
});
