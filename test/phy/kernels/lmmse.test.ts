import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import { invertFactor } from '../../../src/phy/channel-est/cholesky.ts';
import { delaysOf } from '../../../src/phy/channel-est/delay-transform.ts';
import { makeLmmse } from '../../../src/phy/kernels/lmmse/lmmse.ts';
import { type FitPattern, MOST_POLYNOMIALS } from '../../../src/phy/kernels/lmmse/lmmse-kernel.ts';
import { PlainLmmseKernel } from '../../../src/phy/kernels/lmmse/lmmse-plain.ts';
import { WasmLmmseKernel } from '../../../src/phy/kernels/lmmse/lmmse-wasm.ts';
import { NUMEROLOGIES } from '../../../src/phy/numerology.ts';

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

/** A system over `slots` slots whose right-hand side is `perSlot` of the slots' projections. */
function systemOf(size: number, order: number, slots: number, random: RandomStream) {
  const matrix = positive(size, random);
  const factor = invertFactor(matrix.slice(), size);
  const penalty = positive(order, random);
  const perSlot = Float64Array.from({ length: slots * order * order }, () => random.normal());
  return { matrix, system: { size, order, factor, penalty, slots, perSlot } };
}

test('WebAssembly projects, solves and expands like plain TypeScript: any pattern, basis, order and slots', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(1, 2, 4, 6, 15, 25, 50),
      fc.integer({ min: 0, max: 12 }),
      fc.integer({ min: 1, max: MOST_POLYNOMIALS }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer(),
      (nSubbands, reach, order, slots, seed) => {
        const random = new RandomStream(seed);
        const shape = pattern(nSubbands, random);
        const size = 2 * reach + 1;
        const n = size * order;
        const { values, ramp } = basisOf(nSubbands, size, random);
        const { system } = systemOf(n, order, slots, random);
        const pilots = new Float32Array(5 * 28 * nSubbands);
        random.addComplexNoise(pilots, 1);
        // In any order, and more polynomials than asked for later.
        const projected = random.shuffle(Array.from({ length: slots + 1 }, (_, i) => i));
        const [of, on] = KERNELS.map((Kernel) => {
          const kernel = new Kernel(shape);
          const basis = kernel.addBasis(values, size);
          const number = kernel.addSystem(system);
          kernel.begin(basis, slots + 1);
          let energy = 0;
          for (const slot of projected) {
            energy += kernel.project(ramp, pilots, 28 * nSubbands * slot, MOST_POLYNOMIALS, slot);
          }
          const explained = kernel.solveSlots(number, 1);
          const z = kernel.z.slice(0, 2 * n);
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
        assert.deepEqual([...on.nodes.subarray(0, 3), ...on.nodes.subarray(-3)], [5, 5, 5, 5, 5, 5]);
      },
    ),
    { numRuns: 60 },
  );
});

test('WebAssembly interpolates from a grid like plain TypeScript, in every delay window', () => {
  for (const n of NUMEROLOGIES) {
    const random = new RandomStream(`grid ${n.id}`);
    const { transform, windows, points } = delaysOf(n, 3);
    const shape = pattern(n.nSubbands, random);
    const [of, on] = KERNELS.map((Kernel) => new Kernel(shape));
    for (const window of windows) {
      const order = 1 + random.integer(3);
      const { size } = window.basis;
      const { system } = systemOf(size * order, order, 1, random);
      const grid = Float64Array.from({ length: 2 * order * transform.length }, () => random.normal());
      const { starts, weights } = points(window);
      const [a, b] = [of, on].map((kernel) => {
        kernel.loadGrid(grid, transform.length);
        const explained = kernel.solvePoints(kernel.addSystem(system), kernel.addPoints(starts, weights, size));
        return { explained, z: kernel.z.slice(0, 2 * order * size), theta: kernel.theta.slice(0, 2 * order * size) };
      });
      assert.ok(Math.abs(a.explained / b.explained - 1) < 1e-10);
      assert.ok(difference(a.z, b.z) < 1e-12 && difference(a.theta, b.theta) < 1e-9);
    }
  }
});

test('the solution solves the system, and what it explains is the quadratic form: closed form', () => {
  const random = new RandomStream('system');
  const [size, order] = [21, 3];
  for (const Kernel of KERNELS) {
    const kernel = new Kernel(pattern(4, random));
    const { matrix, system } = systemOf(size, order, 2, random);
    const basis = kernel.addBasis(basisOf(4, 7, random).values, 7);
    const number = kernel.addSystem(system);
    const pilots = new Float32Array(224);
    random.addComplexNoise(pilots, 1);
    const ramp = new Float32Array(96).fill(0.5);
    kernel.begin(basis, 2);
    for (const slot of [0, 1]) kernel.project(ramp, pilots, 112 * slot, order, slot);
    const explained = kernel.solveSlots(number, 0);
    const { z, theta } = kernel;
    let expected = 0;
    for (let i = 0; i < size; i++) {
      for (const part of [0, 1]) {
        let back = 0;
        for (let j = 0; j < size; j++) back += matrix[i * size + j] * theta[2 * j + part];
        assert.ok(Math.abs(back - z[2 * i + part]) < 1e-8);
        expected += theta[2 * i + part] * z[2 * i + part];
        for (let e = 0; e < order; e++) {
          const other = theta[2 * ((i % 7) + 7 * e) + part];
          expected += system.penalty[order * Math.floor(i / 7) + e] * theta[2 * i + part] * other;
        }
      }
    }
    assert.ok(Math.abs(explained - expected) < 1e-9 * expected);
  }
});

test('one path projects on a basis around it as on its first function alone, and comes back', () => {
  // Two subbands, pilots on all twelve carriers in turn, polynomials that are 1: the fit of a flat channel.
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
  // The unit matrix without its part for sine and cosine.
  const factor = Float64Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0);
  const system = { size: 3, order: 1, factor, penalty: Float64Array.of(0), slots: 1, perSlot: Float64Array.of(1) };
  for (const Kernel of KERNELS) {
    const kernel = new Kernel(shape);
    const basis = kernel.addBasis(values, 3);
    const number = kernel.addSystem(system);
    kernel.begin(basis, 1);
    assert.ok(Math.abs(kernel.project(ramp, pilots, 0, 1, 0) - 28) < 1e-5);
    kernel.solveSlots(number, 0);
    assert.ok(Math.abs(kernel.z[0] - 28) < 1e-4 && Math.abs(kernel.z[1]) < 1e-4);
    const nodes = new Float32Array(48);
    kernel.expand(basis, ramp, 1, nodes, 0);
    for (let c = 0; c < 48; c += 2) {
      assert.ok(Math.abs(nodes[c] / 28 - ramp[c]) < 1e-5 && Math.abs(nodes[c + 1] / 28 + ramp[c + 1]) < 1e-5);
    }
  }
});

test('pilots weighted onto carriers, and what a channel leaves of them: plain sums, any pattern, order and slots', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(1, 2, 4, 15, 25, 50),
      fc.integer({ min: 1, max: MOST_POLYNOMIALS }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer(),
      (nSubbands, order, slots, seed) => {
        const random = new RandomStream(seed);
        const shape = pattern(nSubbands, random);
        const pilots = new Float32Array(28 * nSubbands * (slots + 1));
        random.addComplexNoise(pilots, 1);
        const carriers = 12 * nSubbands;
        const sets = Uint16Array.from({ length: slots }, (_, i) => i >> 1);
        const nodes = new Float32Array(2 * carriers * order * (sets[slots - 1] + 1));
        random.addComplexNoise(nodes, 1);
        const weights = Float32Array.from({ length: 14 * slots * order }, () => random.normal());
        // One slot on, and with the carriers that no pilot has.
        const from = 28 * nSubbands;
        const sums = new Float64Array(2 * carriers * order);
        const left = new Float64Array(nSubbands * slots);
        for (let t = 0; t < 14 * slots; t++) {
          for (let s = 0; s < nSubbands; s++) {
            const carrier = 12 * s + shape.pilots[t % 14];
            const rb = Math.floor(t / 14) * nSubbands + s;
            for (const part of [0, 1]) {
              let fit = 0;
              for (let d = 0; d < order; d++) {
                const w = weights[t * order + d];
                sums[2 * (d * carriers + carrier) + part] += w * pilots[from + 2 * (t * nSubbands + s) + part];
                fit += w * nodes[2 * ((sets[Math.floor(t / 14)] * order + d) * carriers + carrier) + part];
              }
              left[rb] += (pilots[2 * (t * nSubbands + s) + part] - fit) ** 2;
            }
          }
        }
        for (const Kernel of KERNELS) {
          const kernel = new Kernel(shape);
          assert.ok(difference(sums, kernel.weigh(pilots, from, weights, order).subarray(0, sums.length)) < 1e-5);
          // Twice: what it holds of one call does not show in the next.
          for (let i = 0; i < 2; i++) {
            const out = new Float64Array(left.length).fill(7);
            kernel.residual(pilots, { order, nodes, sets, weights }, out);
            assert.ok(difference(left, out) < 1e-5, `${Kernel.name}: ${difference(left, out)}`);
          }
          const phases = Float64Array.from({ length: 14 * slots }, () => 7 * random.normal());
          const phasors = new Float32Array(2 * phases.length);
          phases.forEach((phase, i) => {
            phasors[2 * i] = Math.cos(phase);
            phasors[2 * i + 1] = Math.sin(phase);
          });
          const some = pilots.slice(0, 28 * nSubbands * slots);
          const energy = some.reduce((sum, v) => sum + v * v, 0);
          assert.ok(Math.abs(kernel.turn(some, phasors, -1) / energy - 1) < 1e-6);
          const last = some.length - 2;
          const [re, im] = [pilots[last], pilots[last + 1]];
          const angle = phases[phases.length - 1];
          assert.ok(Math.abs(some[last] - (re * Math.cos(angle) + im * Math.sin(angle))) < 1e-5);
          assert.ok(Math.abs(some[last + 1] - (im * Math.cos(angle) - re * Math.sin(angle))) < 1e-5);
          kernel.turn(some, phasors, 1);
          assert.ok(difference(pilots.subarray(0, some.length), some) < 1e-5);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('the memory grows with systems, which all stay right, and begins anew after a reset', () => {
  const random = new RandomStream('growth');
  const [on, of] = [WasmLmmseKernel, PlainLmmseKernel].map((Kernel) => new Kernel(pattern(4, new RandomStream(1))));
  const values = basisOf(4, 31, random).values;
  const ramp = new Float32Array(96).fill(0.7);
  const pilots = new Float32Array(112);
  random.addComplexNoise(pilots, 1);
  const systems = Array.from({ length: 40 }, () => systemOf(62, 2, 1, random).system);
  const forms = [on, of].map((kernel) => {
    kernel.begin(kernel.addBasis(values, 31), 1);
    const numbers = systems.map((system) => kernel.addSystem(system));
    kernel.project(ramp, pilots, 0, 2, 0);
    return numbers.map((number) => kernel.solveSlots(number, 0));
  });
  forms[0].forEach((v, i) => {
    assert.ok(Math.abs(v / forms[1][i] - 1) < 1e-5);
  });
  on.reset();
  assert.equal(on.addBasis(values, 31), 0);
  assert.equal(on.addSystem(systems[7]), 0);
  on.begin(0, 1);
  on.project(ramp, pilots, 0, 2, 0);
  assert.equal(on.solveSlots(0, 0), forms[0][7]);
});

test('what the kernel cannot hold is refused', () => {
  const random = new RandomStream('refused');
  const shape = pattern(4, random);
  assert.throws(() => new WasmLmmseKernel({ ...shape, nSubbands: 51 }), RangeError);
  assert.throws(() => new WasmLmmseKernel({ ...shape, polynomials: new Float64Array(3) }), RangeError);
  const kernel = new WasmLmmseKernel(shape);
  assert.throws(() => kernel.addBasis(new Float32Array(48 * 129), 129), RangeError);
  assert.throws(() => kernel.addBasis(new Float32Array(48 * 4), 4), RangeError);
  const { system } = systemOf(2, 1, 1, random);
  assert.throws(() => kernel.addSystem({ ...system, size: 700 }), RangeError);
});

test('the kernel of the product is the fast one', () => {
  const expected = process.env.SCT_KERNELS === 'js' ? PlainLmmseKernel : WasmLmmseKernel;
  assert.equal(makeLmmse(pattern(1, new RandomStream('which'))).constructor, expected);
});
