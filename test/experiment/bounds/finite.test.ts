import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { SctError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { rateFinite } from '../../../src/experiment/bounds/blahut-arimoto.ts';
import { finiteSource, finiteSourceOf, symmetricSource } from '../../../src/experiment/bounds/finite-source.ts';
import { edges, orInfinity, reference } from './vectors.ts';

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
    const r = rateFinite(finiteSource({ px: v.px, sGivenX: v.sGivenX, ds: v.dsTable, dx: v.dxTable }), v.ds, v.dx);
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
      const source = finiteSource({
        px: [a[0] / total, a[1] / total, 1 - (a[0] + a[1]) / total],
        sGivenX: [post(0), post(1), post(2)],
        ds: [
          [0, a[6]],
          [a[7], 0],
        ],
        dx: [
          [0, a[8], a[9]],
          [a[10], 0, a[11]],
          [a[12], a[13], 0],
        ],
      });
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
    const source = finiteSource({
      px: row(letters, 1),
      sGivenX: posterior,
      ds: costs(states),
      dx: costs(letters),
    });
    const [ds, dx] = [2 * random.uniform(), random.uniform() ** 2];
    const r = rateFinite(source, ds, dx, { maxIterations: 2000 });
    if (r.iterations === 0) continue;
    reached++;
    assert.ok(r.rateBits - r.lowerBits < 1e-3 && r.lowerBits >= 0, JSON.stringify({ ds, dx, r }));
    assert.ok(r.achieved!.ds <= ds + 1e-8 && r.achieved!.dx <= dx + 1e-8);
  }
  assert.ok(reached > 30, `${reached} were possible at all`);
  // 0.45 once ended in steps too small for the values of the function to tell them apart.
  for (const d of [1e-9, 1e-6, 0.45, 0.4999, 0.499999])
    near(rateFinite(symmetricSource(2, 0.1), INF, d).rateBits, 1 - h(d), 1e-9);
});

test('finite source: distortions may be infinite; with erasures it is 1 - D', () => {
  const free = { px: [0.5, 0.5], sGivenX: [[1], [1]], ds: [[0]] };
  const erasure = {
    ...free,
    dx: [
      [0, 'inf', 1],
      ['inf', 0, 1],
    ],
  };
  for (const d of [0, 1e-9, 0.1, 0.5, 0.9, 1]) near(rateFinite(finiteSourceOf(erasure), INF, d).rateBits, 1 - d, 1e-6);
  const never = finiteSource({
    ...free,
    dx: [
      [0, INF],
      [INF, INF],
    ],
  });
  assert.equal(rateFinite(never, INF, 100).rateBits, INF);
  assert.deepEqual(rateFinite(never, INF, INF).achieved, { ds: 0, dx: INF });
});

test('finite source: side information of the doubly symmetric binary source, as Wyner and Ziv have it', () => {
  for (const p of [0.25, 0.1]) {
    const source = symmetricSource(2, 0, p);
    const spread = (d: number) => p * (1 - d) + d * (1 - p);
    for (const d of [0, 0.01, 0.05, 0.2 * p, 0.6 * p, 0.9 * p, p, 0.4]) {
      const both = rateFinite(source, INF, d, { knows: 'both' });
      near(both.rateBits, Math.max(0, h(p) - h(Math.min(d, 0.5))), 1e-6);
      // [Wyner76] theorem II: the lower convex envelope of h(p * d) - h(d) and the point (p, 0).
      let envelope = d >= p ? 0 : INF;
      for (let i = 0; d < p && i <= 20_000; i++) {
        const at = (d * i) / 20_000;
        envelope = Math.min(envelope, ((p - d) / (p - at)) * (h(spread(at)) - h(at)));
      }
      const decoder = rateFinite(source, INF, d, { knows: 'decoder' });
      near(decoder.rateBits, envelope, 1e-6);
      assert.ok(decoder.rateBits - decoder.lowerBits <= 1.1e-7);
    }
  }
});

test('finite source: side information at the decoder alone, as an optimiser over the test channel finds', () => {
  for (const { px, sGivenX, vGivenX, dsTable: ds, dxTable: dx, rateBits, ...limits } of edges.wynerZiv) {
    const source = finiteSource({ px, sGivenX, vGivenX, ds, dx });
    const r = rateFinite(source, orInfinity(limits.ds), orInfinity(limits.dx), { knows: 'decoder' });
    near(r.rateBits, rateBits, 1e-5);
    assert.ok(r.lowerBits <= rateBits + 1e-9);
  }
});

test('finite source: V says nothing, V is X, V knows S; never less at the decoder than at both ends, never more than without', () => {
  const plain = rateFinite(symmetricSource(3, 0.1), 0.25, 0.2).rateBits;
  for (const knows of ['both', 'decoder'] as const) {
    near(rateFinite(symmetricSource(3, 0.1, 2 / 3), 0.25, 0.2, { knows }).rateBits, plain, 1e-6);
    near(rateFinite(symmetricSource(3, 0.1, 0), 0.25, 0.2, { knows }).rateBits, 0, 1e-6);
    const oracle = finiteSourceOf({
      px: [0.5, 0.5],
      sGivenX: [
        [0.5, 0.5],
        [0.5, 0.5],
      ],
      vGivenX: [
        [0.5, 0.5],
        [0.5, 0.5],
      ],
      sGivenXV: [
        [
          [1, 0],
          [0, 1],
        ],
        [
          [1, 0],
          [0, 1],
        ],
      ],
      ds: [
        [0, 1],
        [1, 0],
      ],
      dx: [
        [0, 1],
        [1, 0],
      ],
    });
    near(rateFinite(oracle, 0, 0.11, { knows }).rateBits, 1 - h(0.11), 1e-6);
    assert.equal(rateFinite(oracle, 0, 0.11).rateBits, INF);
  }
  const random = new RandomStream(9);
  const row = (count: number) => {
    const p = Array.from({ length: count }, () => random.uniform() ** 2);
    const total = p.reduce((a, b) => a + b, 0);
    return p.map((v) => v / total);
  };
  const table = (rows: number, of: () => number[]) => Array.from({ length: rows }, of);
  for (let i = 0; i < 12; i++) {
    const source = finiteSource({
      px: row(3),
      sGivenX: table(3, () => row(2)),
      vGivenX: table(3, () => row(2)),
      ds: [
        [0, 1],
        [random.uniform(), 0],
      ],
      dx: table(3, () => [random.uniform(), random.uniform()]),
    });
    const [ds, dx] = [0.1 + 0.4 * random.uniform(), 0.2 + 0.4 * random.uniform()];
    const rate = (knows: 'nobody' | 'both' | 'decoder') => rateFinite(source, ds, dx, { knows, maxIterations: 3000 });
    const [none, both, decoder] = [rate('nobody'), rate('both'), rate('decoder')];
    if (none.iterations === 0) continue;
    assert.ok(both.lowerBits <= decoder.rateBits + 1e-9 && decoder.lowerBits <= none.rateBits + 1e-9);
    assert.ok(decoder.rateBits - decoder.lowerBits < 1e-4, `gap ${decoder.rateBits - decoder.lowerBits}`);
  }
  assert.throws(
    () => rateFinite(symmetricSource(8, 0.1, 0.1), 0.2, 0.2, { knows: 'decoder' }),
    /rules.* allowed up to 1024/,
  );
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
    [
      {
        dx: [
          [0, 'Infinity'],
          [1, 0],
        ],
      },
      /dx\[0\]\[1\]: must be a number or "inf"/,
    ],
    [{ px: ['inf', 1] }, /px\[0\]: must be a finite number/],
    [{ vGivenX: [[1]] }, /vGivenX has 1 rows: 2 are needed/],
    [{ vGivenX: [[1], [0.5]] }, /vGivenX\[1\] adds up to 0.5/],
    [{ sGivenXV: [[[1, 0]], [[0, 1]]] }, /sGivenXV: only with vGivenX/],
    [
      { vGivenX: [[1], [1]], sGivenXV: [[[1, 0]], [[0.1, 0.9]]] },
      /sGivenXV\[0\]: its mean over v is 1 for state 0, sGivenX\[0\]\[0\] is 0.9/,
    ],
    [{ vGivenX: [[1], [1]], sGivenXV: [[[1]], [[1]]] }, /sGivenXV\[0\]\[0\] has 1 elements: 2 are needed/],
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
