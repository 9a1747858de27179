import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import { invertFactor } from '../../../src/phy/channel-est/cholesky.ts';
import { makeLmmse } from '../../../src/phy/kernels/lmmse.ts';
import { type FitPattern, MOST_POLYNOMIALS } from '../../../src/phy/kernels/lmmse-kernel.ts';
import { PlainLmmseKernel } from '../../../src/phy/kernels/lmmse-plain.ts';
import { WasmLmmseKernel } from '../../../src/phy/kernels/lmmse-wasm.ts';

const KERNELS = [PlainLmmseKernel, WasmLmmseKernel];

function pattern(nSubbands: number, random: RandomStream): FitPattern {
  return {
    nSubbands,
    pilots: Array.from({ length: 14 }, () => random.integer(12)),
    polynomials: Float64Array.from({ length: 14 * MOST_POLYNOMIALS }, () => random.normal()),
  };
}

/** A delay basis and a ramp over carriers symmetric about DC. */
function basisOf(nSubbands: number, size: number, random: RandomStream) {
  const carriers = 12 * nSubbands;
  const number = (c: number) => (c < carriers / 2 ? c - carriers / 2 : c - carriers / 2 + 1);
  const step = 0.2 + random.uniform() / 5;
  const values = new Float32Array(carriers * size);
  const ramp = new Float32Array(2 * carriers);
  for (let c = 0; c < carriers; c++) {
    values[c * size] = 1;
    for (let j = 1; j < size; j += 2) {
      const angle = (Math.PI * number(c) * step * (j + 1)) / carriers;
      values[c * size + j] = Math.SQRT2 * Math.cos(angle);
      values[c * size + j + 1] = Math.SQRT2 * Math.sin(angle);
    }
    ramp[2 * c] = Math.cos(0.1 * number(c));
    ramp[2 * c + 1] = Math.sin(0.1 * number(c));
  }
  return { values, ramp };
}

/** A positive definite matrix of known condition, [size][size]. */
function positive(size: number, random: RandomStream): Float64Array {
  const b = Float64Array.from({ length: size * size }, () => random.normal() / Math.sqrt(size));
  const a = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) for (let k = 0; k < size; k++) a[i * size + j] += b[i * size + k] * b[j * size + k];
    a[i * size + i] += 0.1;
  }
  return a;
}

/** Largest difference over the root mean square of the first. */
function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let square = 0;
  let most = 0;
  for (let i = 0; i < a.length; i++) {
    square += a[i] ** 2 / a.length;
    most = Math.max(most, Math.abs(a[i] - b[i]));
  }
  return most / Math.sqrt(square + 1e-30);
}

test('WebAssembly projects, solves and expands like plain TypeScript: any pattern, basis and order', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(1, 2, 4, 6, 15, 25, 50),
      fc.integer({ min: 0, max: 12 }),
      fc.integer({ min: 1, max: MOST_POLYNOMIALS }),
      fc.integer(),
      (nSubbands, reach, order, seed) => {
        const random = new RandomStream(seed);
        const shape = pattern(nSubbands, random);
        const size = 2 * reach + 1;
        const n = size * order;
        const { values, ramp } = basisOf(nSubbands, size, random);
        const factor = invertFactor(positive(n, random), n);
        const penalty = positive(order, random);
        const pilots = new Float32Array(3 * 28 * nSubbands);
        random.addComplexNoise(pilots, 1);
        const [of, on] = KERNELS.map((Kernel) => {
          const kernel = new Kernel(shape);
          const basis = kernel.addBasis(values, size);
          const system = kernel.addSystem(factor, n, penalty, order);
          const z = new Float64Array(2 * n + 6).fill(3);
          const energy = kernel.project(basis, ramp, pilots, 28 * nSubbands, order, z, 4);
          kernel.z.set(z.subarray(4, 4 + 2 * n));
          const explained = kernel.solve(system);
          const theta = kernel.theta.slice(0, 2 * n);
          const nodes = new Float32Array(24 * nSubbands * order + 6).fill(5);
          kernel.expand(basis, ramp, order, nodes, 3);
          return { energy, explained, z, theta, nodes };
        });
        assert.ok(Math.abs(of.energy / on.energy - 1) < 1e-12);
        assert.ok(Math.abs(of.explained / on.explained - 1) < 1e-5);
        for (const part of ['z', 'theta', 'nodes'] as const) {
          const worst = difference(of[part], on[part]);
          assert.ok(worst < 1e-5, `${part}: ${worst}, ${nSubbands} subbands, ${size} functions, order ${order}`);
        }
        // What lies around the results stays as it was.
        assert.deepEqual([...on.z.subarray(0, 4), ...on.z.subarray(-2)], [3, 3, 3, 3, 3, 3]);
        assert.deepEqual([...on.nodes.subarray(0, 3), ...on.nodes.subarray(-3)], [5, 5, 5, 5, 5, 5]);
      },
    ),
    { numRuns: 60 },
  );
});

test('the solution solves the system, and what it explains is the quadratic form: closed form', () => {
  const random = new RandomStream('system');
  const [size, order] = [21, 3];
  for (const Kernel of KERNELS) {
    const kernel = new Kernel(pattern(4, random));
    const a = positive(size, random);
    const penalty = positive(order, random);
    const system = kernel.addSystem(invertFactor(a.slice(), size), size, penalty, order);
    const z = Float64Array.from({ length: 2 * size }, () => random.normal());
    kernel.z.set(z);
    const explained = kernel.solve(system);
    let expected = 0;
    for (let i = 0; i < size; i++) {
      for (const part of [0, 1]) {
        let back = 0;
        for (let j = 0; j < size; j++) back += a[i * size + j] * kernel.theta[2 * j + part];
        assert.ok(Math.abs(back - z[2 * i + part]) < 1e-9);
        expected += kernel.theta[2 * i + part] * z[2 * i + part];
        for (let e = 0; e < order; e++) {
          const other = kernel.theta[2 * ((i % 7) + 7 * e) + part];
          expected += penalty[order * Math.floor(i / 7) + e] * kernel.theta[2 * i + part] * other;
        }
      }
    }
    assert.ok(Math.abs(explained - expected) < 1e-9 * expected);
  }
});

test('one path projects on a basis around it as on its first function alone, and comes back', () => {
  // Two subbands, pilots on all twelve carriers in turn, one polynomial that is 1: the fit of a flat channel.
  const shape: FitPattern = {
    nSubbands: 2,
    pilots: Array.from({ length: 14 }, (_, t) => (5 * t + 2) % 12),
    polynomials: new Float64Array(70).fill(1),
  };
  const { values, ramp } = basisOf(2, 3, new RandomStream('path'));
  const pilots = new Float32Array(56);
  for (let t = 0, p = 0; t < 14; t++) {
    for (let s = 0; s < 2; s++, p += 2) {
      // exp(-i k centre): what the ramp takes out.
      pilots[p] = ramp[2 * (12 * s + shape.pilots[t])];
      pilots[p + 1] = -ramp[2 * (12 * s + shape.pilots[t]) + 1];
    }
  }
  for (const Kernel of KERNELS) {
    const kernel = new Kernel(shape);
    const basis = kernel.addBasis(values, 3);
    const z = new Float64Array(6);
    assert.ok(Math.abs(kernel.project(basis, ramp, pilots, 0, 1, z, 0) - 28) < 1e-5);
    assert.ok(Math.abs(z[0] - 28) < 1e-4 && Math.abs(z[1]) < 1e-4);
    kernel.addSystem(Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1), 3, Float64Array.of(0), 1);
    kernel.z.fill(0);
    kernel.z[0] = 1;
    kernel.solve(0);
    const nodes = new Float32Array(48);
    kernel.expand(basis, ramp, 1, nodes, 0);
    for (let c = 0; c < 48; c += 2) {
      assert.ok(Math.abs(nodes[c] - ramp[c]) < 1e-6 && Math.abs(nodes[c + 1] + ramp[c + 1]) < 1e-6);
    }
  }
});

test('the memory grows with systems, which all stay right, and begins anew after a reset', () => {
  const random = new RandomStream('growth');
  const kernel = new WasmLmmseKernel(pattern(4, random));
  const size = 60;
  const made = Array.from({ length: 40 }, () => {
    const factor = invertFactor(positive(size, random), size);
    return { factor, system: kernel.addSystem(factor, size, Float64Array.of(0), 1) };
  });
  const z = Float64Array.from({ length: 2 * size }, () => random.normal());
  const form = (factor: Float64Array) => {
    let sum = 0;
    for (let i = 0; i < size; i++) {
      for (const part of [0, 1]) {
        let y = 0;
        for (let j = 0; j <= i; j++) y += factor[i * size + j] * z[2 * j + part];
        sum += y * y;
      }
    }
    return sum;
  };
  for (const { factor, system } of made) {
    kernel.z.set(z);
    assert.ok(Math.abs(kernel.solve(system) / form(factor) - 1) < 1e-12);
  }
  kernel.reset();
  assert.equal(kernel.addSystem(made[7].factor, size, Float64Array.of(0), 1), 0);
  kernel.z.set(z);
  assert.ok(Math.abs(kernel.solve(0) / form(made[7].factor) - 1) < 1e-12);
});

test('what the kernel cannot hold is refused', () => {
  const random = new RandomStream('refused');
  const shape = pattern(4, random);
  assert.throws(() => new WasmLmmseKernel({ ...shape, nSubbands: 51 }), RangeError);
  assert.throws(() => new WasmLmmseKernel({ ...shape, polynomials: new Float64Array(3) }), RangeError);
  const kernel = new WasmLmmseKernel(shape);
  assert.throws(() => kernel.addBasis(new Float32Array(48 * 129), 129), RangeError);
  assert.throws(() => kernel.addBasis(new Float32Array(48 * 4), 4), RangeError);
  assert.throws(() => kernel.addSystem(new Float64Array(1), 700, new Float64Array(1), 1), RangeError);
});

test('the kernel of the product is the fast one', () => {
  const expected = process.env.SCT_KERNELS === 'js' ? PlainLmmseKernel : WasmLmmseKernel;
  assert.equal(makeLmmse(pattern(1, new RandomStream('which'))).constructor, expected);
});
