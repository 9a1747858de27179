import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import { trackKernel } from '../../../src/phy/kernels/track/track.ts';
import type { TrackKernel, TrackPattern } from '../../../src/phy/kernels/track/track-kernel.ts';
import { PlainTrackKernel } from '../../../src/phy/kernels/track/track-plain.ts';
import { MOST_TRACKED, WasmTrackKernel } from '../../../src/phy/kernels/track/track-wasm.ts';
import { NUMEROLOGIES, type Numerology } from '../../../src/phy/numerology.ts';

function patternOf(n: Numerology): TrackPattern {
  const offsets = Array.from({ length: 12 }, (_, t) => (5 * t + 2) % 12);
  return { nSubbands: n.nSubbands, offsets, carriers: n.carriers };
}

/** A channel, and pilots of `symbols` that show it turned by `phase(t)` and later by `delay` samples, with noise. */
function burst(
  n: Numerology,
  symbols: number,
  noise: number,
  random: RandomStream,
  phase: (t: number) => number,
  delay = 0,
) {
  const { offsets } = patternOf(n);
  const reference = new Float32Array(2 * n.nCarriers);
  random.addComplexNoise(reference, 1);
  const pilots = new Float32Array(2 * n.nSubbands * symbols);
  random.addComplexNoise(pilots, noise);
  for (let t = 0; t < symbols; t++) {
    for (let s = 0; s < n.nSubbands; s++) {
      const c = s * 12 + offsets[t % 12];
      const angle = phase(t) - (2 * Math.PI * n.carriers[c] * delay) / n.fftSize;
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
      const at = 2 * (t * n.nSubbands + s);
      pilots[at] += reference[2 * c] * cos - reference[2 * c + 1] * sin;
      pilots[at + 1] += reference[2 * c] * sin + reference[2 * c + 1] * cos;
    }
  }
  return { reference, pilots };
}

const near = (a: ArrayLike<number>, b: ArrayLike<number>, within: number, what: string) => {
  assert.equal(a.length, b.length);
  for (let i = 0; i < a.length; i++) assert.ok(Math.abs(a[i] - b[i]) <= within, `${what} ${i}: ${a[i]} ${b[i]}`);
};

test('WebAssembly follows a burst like plain TypeScript: phases, steps, turned pilots, sums', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...NUMEROLOGIES),
      fc.integer({ min: 1, max: 24 }),
      fc.integer({ min: 0, max: 15 }),
      fc.constantFrom(1e-4, 1e-2, 0.3, 3),
      fc.constantFrom(1e-4, 1e-2, 0.15),
      fc.integer(),
      (n, slots, control, noise, walk, seed) => {
        const random = new RandomStream(seed);
        let wander = 0;
        const wandering = Array.from({ length: 14 * slots }, () => {
          wander += 0.02 + walk * random.normal();
          return wander;
        });
        const { reference, pilots } = burst(n, 14 * slots, noise, random, (t) => wandering[t]);
        const weights = Float64Array.from({ length: n.nSubbands }, () => (random.integer(5) === 0 ? 0.2 : 1));
        const run = (kernel: TrackKernel) => {
          kernel.begin(1e-3, noise, weights, 14 * slots);
          kernel.refer(reference);
          const seen: number[][] = [];
          const sums = new Float64Array(4);
          if (control > 0) {
            // A part that is followed and never adapted to, as in a header.
            kernel.follow(pilots, 0, Math.min(14, control), 0);
            seen.push([...kernel.phases(0)]);
            kernel.begin(1e-3, noise, weights, 14 * slots);
          }
          for (let slot = 0; slot < slots; slot++) {
            const at = 2 * n.nSubbands * 14 * slot;
            kernel.follow(pilots, at, 14, 14 * slot);
            kernel.adapt();
            kernel.turnBack(pilots, at, 14);
            seen.push([...kernel.turned.subarray(0, 28 * n.nSubbands)], [kernel.phaseStep]);
            kernel.slope(14, 14 * slot, sums);
            seen.push(Array.from(sums, (v) => v / (n.nCarriers ** 2 * 14 * n.nSubbands)));
            kernel.neighbours(sums);
            seen.push([sums[0] / n.nCarriers, sums[1] / n.nCarriers]);
          }
          seen.push([...kernel.phases(0)], [...kernel.phases(14 * slots - 3)]);
          return seen;
        };
        const of = run(new PlainTrackKernel(patternOf(n)));
        const on = run(new WasmTrackKernel(patternOf(n)));
        of.forEach((values, i) => {
          near(on[i], values, 1e-5, `${n.nSubbands} subbands, result ${i},`);
        });
      },
    ),
    { numRuns: 60 },
  );
});

test('both find a constant frequency and a delay again: phase 0.3 t, slope of 0.4 samples', () => {
  for (const n of NUMEROLOGIES) {
    for (const kernel of [new PlainTrackKernel(patternOf(n)), new WasmTrackKernel(patternOf(n))]) {
      const { reference, pilots } = burst(n, 140, 1e-8, new RandomStream('line'), (t) => 0.3 * t, 0.04);
      kernel.begin(0.1, 1e-8, new Float64Array(n.nSubbands).fill(1), 140);
      kernel.refer(reference);
      const sums = new Float64Array(4);
      for (let slot = 0; slot < 10; slot++) {
        kernel.follow(pilots, 28 * n.nSubbands * slot, 14, 14 * slot);
        kernel.adapt();
        kernel.turnBack(pilots, 28 * n.nSubbands * slot, 14);
      }
      assert.ok(Math.abs(kernel.phaseStep - 0.3) < 0.02, `${kernel.phaseStep}`);
      kernel.slope(14, 126, sums);
      const delay = (-sums[0] / sums[1]) * (n.fftSize / (2 * Math.PI));
      // A delay seen on carriers of unequal power turns their common phase, too: a little is missing.
      assert.ok(Math.abs(delay - 0.04) < 0.01, `${n.nSubbands}: ${delay}`);
    }
  }
});

test('neighbours: a channel of one path gives its delay', () => {
  const n = NUMEROLOGIES[2];
  for (const kernel of [new PlainTrackKernel(patternOf(n)), new WasmTrackKernel(patternOf(n))]) {
    const pilots = new Float32Array(2 * 14 * n.nSubbands);
    const { offsets } = patternOf(n);
    for (let t = 0; t < 14; t++) {
      for (let s = 0; s < n.nSubbands; s++) {
        const angle = (-2 * Math.PI * 3.7 * n.carriers[s * 12 + offsets[t % 12]]) / n.fftSize;
        pilots.set([Math.cos(angle), Math.sin(angle)], 2 * (t * n.nSubbands + s));
      }
    }
    kernel.begin(1e-9, 1e-6, new Float64Array(n.nSubbands).fill(1), 14);
    kernel.turned.set(pilots);
    const sums = new Float64Array(2);
    kernel.neighbours(sums);
    const delay = (-Math.atan2(sums[1], sums[0]) * n.fftSize) / (2 * Math.PI);
    assert.ok(Math.abs(delay - 3.7) < 1e-4, `${delay}`);
    // All carriers but the first have one below, but for the one above the empty carrier at DC.
    assert.ok(Math.abs(Math.hypot(sums[0], sums[1]) - (n.nCarriers - 2)) < 1e-3);
  }
});

test('silence, and a stretch without a look back, stay finite', () => {
  const n = NUMEROLOGIES[0];
  for (const kernel of [new PlainTrackKernel(patternOf(n)), new WasmTrackKernel(patternOf(n))]) {
    const pilots = new Float32Array(2 * n.nSubbands * 16);
    kernel.begin(1e-3, 1e-12, new Float64Array(n.nSubbands).fill(1), 640);
    kernel.refer(new Float32Array(2 * n.nCarriers));
    for (let i = 0; i < 40; i++) kernel.follow(pilots, 0, 16, 0);
    kernel.adapt();
    kernel.turnBack(pilots, 0, 16);
    assert.ok(kernel.phases(0).every((v) => Number.isFinite(v)));
    assert.ok(kernel.turned.every((v) => v === 0));
  }
});

test('a burst longer than the memory is refused by the kernel and goes to the plain one; the product has the fast one', () => {
  const pattern = patternOf(NUMEROLOGIES[0]);
  const kernel = new WasmTrackKernel(pattern);
  assert.throws(() => kernel.begin(1, 1, new Float64Array(4), MOST_TRACKED + 1), RangeError);
  assert.throws(() => new WasmTrackKernel({ ...pattern, nSubbands: 51 }), RangeError);
  const expected = process.env.SCT_KERNELS === 'js' ? PlainTrackKernel : WasmTrackKernel;
  assert.equal(trackKernel(pattern, 300).constructor, expected);
  assert.equal(trackKernel(pattern, MOST_TRACKED + 1).constructor, PlainTrackKernel);
});

test('the mean carrier number of a channel: 0 of a flat one, that of its only carrier, alike in both', () => {
  for (const n of NUMEROLOGIES) {
    const kernels = [new PlainTrackKernel(patternOf(n)), new WasmTrackKernel(patternOf(n))];
    const noise = new Float32Array(2 * n.nCarriers);
    new RandomStream(`centre ${n.id}`).addComplexNoise(noise, 1);
    for (const kernel of kernels) {
      assert.ok(Math.abs(kernel.refer(new Float32Array(2 * n.nCarriers).fill(0.3))) < 1e-9);
      assert.equal(kernel.refer(new Float32Array(2 * n.nCarriers)), 0);
      for (const c of [0, 17, n.nCarriers - 1]) {
        const one = new Float32Array(2 * n.nCarriers);
        one[2 * c + 1] = -2;
        assert.ok(Math.abs(kernel.refer(one) - n.carriers[c]) < 1e-9);
      }
    }
    const [of, on] = kernels.map((kernel) => kernel.refer(noise));
    assert.ok(Math.abs(of - on) < 1e-9 * n.nCarriers);
  }
});
