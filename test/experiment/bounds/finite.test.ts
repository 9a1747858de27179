import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { SctError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { rateFinite } from '../../../src/experiment/bounds/blahut-arimoto.ts';
import { finiteSource, finiteSourceOf, symmetricSource } from '../../../src/experiment/bounds/finite-source.ts';
import { reference } from './vectors.ts';

const INF = Number.POSITIVE_INFINITY;
const h = (p: number) => (p <= 0 || p >= 1 ? 0 : -p * Math.log2(p) - (1 - p) * Math.log2(1 - p));
const near = (got: number, wanted: number, tolerance: number) =>
  assert.ok(Math.abs(got - wanted) <= tolerance, `${got}, not ${wanted}`);

test('finite source: binary with Hamming distortion is 1 - h(D), seen through a noisy channel 1 - h of what is left', () => {
  const source = symmetricSource(2, 0.1);
  for (const d of [0.01, 0.11, 0.3, 0.49]) near(rateFinite(source, INF, d).rateBits, 1 - h(d), 1e-6);
  for (const d of [0.11, 0.2, 0.45]) near(rateFinite(source, d, INF).rateBits, 1 - h((d - 0.1) / 0.8), 1e-6);
  near(rateFinite(source, 0.2, 0).rateBits, 1, 1e-6);
  near(rateFinite(source, 0.1, INF).rateBits, 1, 1e-6);
  assert.equal(rateFinite(source, 0.0999, INF).rateBits, INF);
  near(rateFinite(source, 0.5, 0.5).rateBits, 0, 1e-6);
});

test('finite source: uniform over K letters is log2 K - h(D) - D log2(K - 1)', () => {
  for (const letters of [3, 8, 16]) {
    const wanted = Math.log2(letters) - h(0.2) - 0.2 * Math.log2(letters - 1);
    near(rateFinite(symmetricSource(letters, 0), INF, 0.2).rateBits, wanted, 1e-6);
    // S = X: both constraints are one.
    near(rateFinite(symmetricSource(letters, 0), 0.2, 0.5).rateBits, wanted, 1e-6);
  }
});

test('finite source: as an optimiser over the test channel finds', () => {
  for (const v of reference.finite) {
    const r = rateFinite(finiteSource(v.px, v.sGivenX, v.dsTable, v.dxTable), v.ds, v.dx);
    near(r.rateBits, v.rateBits, 2e-5);
    assert.ok(r.rateBits - r.lowerBits <= 1e-6, `gap ${r.rateBits - r.lowerBits}`);
    assert.ok(r.achieved!.ds <= v.ds + 1e-9 && r.achieved!.dx <= v.dx + 1e-9);
  }
});

test('finite source: bounds enclose, and a looser limit never costs more', () => {
  const unit = fc.double({ min: 0.02, max: 1, noNaN: true });
  fc.assert(
    fc.property(fc.array(unit, { minLength: 16, maxLength: 16 }), unit, unit, (a, ds, dx) => {
      const total = a[0] + a[1] + a[2];
      const post = (i: number) => [a[3 + i] / 2, 1 - a[3 + i] / 2];
      const source = finiteSource(
        [a[0] / total, a[1] / total, 1 - (a[0] + a[1]) / total],
        [post(0), post(1), post(2)],
        [
          [0, a[6]],
          [a[7], 0],
        ],
        [
          [0, a[8], a[9]],
          [a[10], 0, a[11]],
          [a[12], a[13], 0],
        ],
      );
      const quick = { toleranceBits: 1e-4, maxIterations: 300 };
      const tight = rateFinite(source, ds, dx, quick);
      const loose = rateFinite(source, ds * 1.2, dx * 1.2, quick);
      assert.ok(tight.lowerBits <= tight.rateBits);
      assert.ok(loose.lowerBits <= tight.rateBits + 1e-9);
    }),
    { numRuns: 40 },
  );
});

test('finite source: letters that fall out of use, free ones and limits near the least leave finite, enclosed rates', () => {
  const random = new RandomStream(5);
  const row = (count: number, power: number) => {
    const p = Array.from({ length: count }, () => random.uniform() ** power);
    const total = p.reduce((a, b) => a + b, 0);
    return p.map((v) => v / total);
  };
  const costs = (count: number) =>
    Array.from({ length: count }, () =>
      Array.from({ length: count }, () => (random.uniform() < 0.3 ? 0 : 3 * random.uniform())),
    );
  let reached = 0;
  for (let i = 0; i < 120; i++) {
    const letters = 2 + random.integer(4);
    const states = 2 + random.integer(3);
    const posterior = Array.from({ length: letters }, () => row(states, 4));
    const source = finiteSource(row(letters, 1), posterior, costs(states), costs(letters));
    const [ds, dx] = [2 * random.uniform(), random.uniform() ** 2];
    const r = rateFinite(source, ds, dx, { maxIterations: 2000 });
    if (r.iterations === 0) continue;
    reached++;
    assert.ok(r.rateBits - r.lowerBits < 1e-3 && r.lowerBits >= 0, JSON.stringify({ ds, dx, r }));
    assert.ok(r.achieved!.ds <= ds + 1e-8 && r.achieved!.dx <= dx + 1e-8);
  }
  assert.ok(reached > 30, `${reached} were possible at all`);
  for (const d of [1e-9, 1e-6, 0.499999]) near(rateFinite(symmetricSource(2, 0.1), INF, d).rateBits, 1 - h(d), 1e-9);
});

test('finite source: tables that are none are refused by name', () => {
  const good = {
    px: [0.5, 0.5],
    sGivenX: [
      [0.9, 0.1],
      [0.1, 0.9],
    ],
    ds: [
      [0, 1],
      [1, 0],
    ],
    dx: [
      [0, 1],
      [1, 0],
    ],
  };
  assert.ok(finiteSourceOf(good));
  for (const [change, says] of [
    [{ px: [0.5, 0.6] }, /px adds up to/],
    [{ px: [Number.NaN, 1] }, /px\[0\]/],
    [{ px: [] }, /letters of px 0/],
    [{ px: [-0.5, 1.5] }, /px\[0\] -0.5 is out of range/],
    [{ px: new Array(17).fill(1 / 17) }, /px: 17 elements, at most 16/],
    [{ sGivenX: [[1, 0]] }, /sGivenX has 1 rows: 2 are needed/],
    [{ sGivenX: [[1, 0], [1]] }, /sGivenX\[1\] has 1 elements/],
    [{ ds: [[0, 1]] }, /ds has 1 rows/],
    [
      {
        dx: [
          [0, -1],
          [1, 0],
        ],
      },
      /dx\[0\]\[1\] -1 is out of range/,
    ],
    [{ dx: 'x' }, /dx: must be a list/],
    [{ extra: 1 }, /"extra" is not one of/],
  ] as [object, RegExp][]) {
    assert.throws(
      () => finiteSourceOf({ ...good, ...change }),
      (e) => e instanceof SctError && says.test(e.message),
    );
  }
  for (const d of [-1, Number.NaN]) assert.throws(() => rateFinite(finiteSourceOf(good), d, 1), /Ds .* allowed from 0/);
  assert.throws(() => symmetricSource(17, 0.1), /letters 17/);
  assert.throws(() => symmetricSource(2, 1.5), /epsilon 1.5/);
});
