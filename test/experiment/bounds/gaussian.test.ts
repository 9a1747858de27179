import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { UsageError } from '../../../src/common/errors.ts';
import {
  degenerateRates,
  distortionsAt,
  rateScalar,
  scalarGaussian,
} from '../../../src/experiment/bounds/gaussian-scalar.ts';
import {
  componentSource,
  edgeAtRate,
  MAX_COMPONENTS,
  matrixSource,
  rateVector,
} from '../../../src/experiment/bounds/gaussian-vector.ts';
import {
  conditionalSource,
  jointGaussian,
  sideInformationRates,
} from '../../../src/experiment/bounds/side-information.ts';
import { eigenSymmetric, type Matrix, matrix, multiply, transpose } from '../../../src/experiment/bounds/symmetric.ts';
import { orInfinity, reference } from './vectors.ts';

const INF = Number.POSITIVE_INFINITY;
const of = (rows: readonly (readonly number[])[]): Matrix => matrix(rows.length, rows[0].length, (r, c) => rows[r][c]);
const near = (got: number, wanted: number, tolerance: number, what = '') =>
  assert.ok(Math.abs(got - wanted) <= tolerance, `${what} ${got}, not ${wanted}`);

test('scalar source: published checks, correlation 0.8 and unit variances', () => {
  const source = scalarGaussian(0.8);
  for (const [ds, dx, bits] of [
    [0.4, 1, 2],
    [0.4, 0.05, 2.161],
    [0.5, 0.1, 1.661],
  ]) {
    near(rateScalar(source, ds, dx).rateBits, bits, 1e-3);
  }
});

test('scalar source: as an optimiser over all Gaussian test channels finds', () => {
  for (const { rho, varS, varX, ds, dx, rateBits } of reference.scalar) {
    near(rateScalar(scalarGaussian(rho, varS, varX), orInfinity(ds), orInfinity(dx)).rateBits, rateBits, 1e-6);
  }
});

test('scalar source: degenerate cases are the classical and the indirect rate-distortion function', () => {
  const source = scalarGaussian(0.6, 2, 3);
  const g = source.cov / 3;
  const mmse = 2 - source.cov ** 2 / 3;
  for (const d of [0.01, 0.3, 1, 2.9]) near(rateScalar(source, INF, d).rateBits, 0.5 * Math.log2(3 / d), 1e-12);
  for (const d of [mmse + 0.01, 1.5, 1.99]) {
    near(rateScalar(source, d, INF).rateBits, 0.5 * Math.log2((g * g * 3) / (d - mmse)), 1e-9);
  }
  assert.equal(rateScalar(source, INF, INF).rateBits, 0);
  assert.equal(rateScalar(source, 2, 3).rateBits, 0);
  assert.equal(rateScalar(source, mmse * (1 - 1e-12), INF).rateBits, INF);
  // S = X: the tighter of two distortions of one source.
  near(rateScalar(scalarGaussian(1), 0.1, 0.2).rateBits, 0.5 * Math.log2(10), 1e-12);
  // X says nothing of S.
  assert.equal(rateScalar(scalarGaussian(0), 0.9, INF).rateBits, INF);
  near(rateScalar(scalarGaussian(0), 1, 0.25).rateBits, 1, 1e-12);
});

test('scalar source: one code for both needs what the dearer needs, two separate ones the sum', () => {
  const d = degenerateRates(scalarGaussian(0.8), 0.4, 0.05);
  near(d.joint, Math.max(d.taskOnly, d.pixelOnly), 1e-12);
  near(d.separate, d.taskOnly + d.pixelOnly, 1e-12);
});

test('scalar source: distortions at a rate and the rate at distortions undo each other', () => {
  fc.assert(
    fc.property(
      fc.double({ min: -0.999, max: 0.999, noNaN: true }),
      fc.double({ min: 1e-3, max: 12, noNaN: true }),
      (rho, rate) => {
        const source = scalarGaussian(rho, 1.5, 0.7);
        const { ds, dx } = distortionsAt(source, rate);
        near(rateScalar(source, INF, dx).rateBits, rate, 1e-9);
        assert.ok(rateScalar(source, ds * (1 + 1e-9) + 1e-12, dx).rateBits <= rate + 1e-9);
      },
    ),
  );
});

test('scalar source: what is no source and no distortion is refused by name', () => {
  for (const rho of [1.001, -2, Number.NaN, INF]) assert.throws(() => scalarGaussian(rho), /rho .* allowed -1 to 1/);
  for (const v of [0, -1, Number.NaN, INF]) assert.throws(() => scalarGaussian(0, v), /varS .* allowed 1e-100 to/);
  const source = scalarGaussian(0.5);
  for (const d of [0, -1, Number.NaN, 1e13, -INF]) {
    assert.throws(() => rateScalar(source, d, 1), /Ds .* allowed 1e-100 to .* or inf/);
    assert.throws(() => rateScalar(source, 1, d), /Dx .* allowed 1e-100 to .* or inf/);
  }
  assert.throws(() => rateScalar({ varS: 1, varX: 1, cov: 1.1 }, 1, 1), UsageError);
});

test('vector source: published check of two-multiplier water-filling', () => {
  const r = rateVector(componentSource([4, 2, 1, 0.5, 0.25], [0, 0, 1, 1, 0], 0), 0.2, 2);
  near(r.rateBits, 4.69, 1e-3);
  assert.ok(r.gapBits < 1e-12);
  for (const [i, d] of [0.775, 0.775, 0.1, 0.1, 0.25].entries()) near(r.distortions![i], d, 1e-9);
});

test('vector source: as an optimiser over noise covariances finds', () => {
  for (const v of reference.vector) {
    const r = rateVector(matrixSource(of(v.sx), of(v.h), v.mmse), v.ds, v.dx);
    near(r.rateBits, v.rateBits, 1e-5);
    assert.ok(r.gapBits < 1e-10, `gap ${r.gapBits}`);
    assert.ok(r.achieved!.ds <= v.ds * (1 + 1e-12) && r.achieved!.dx <= v.dx * (1 + 1e-12));
  }
});

test('vector source: one component is the scalar source; matrices and components agree', () => {
  const scalar = scalarGaussian(0.7, 1, 2);
  const { gain, mmse } = rateScalar(scalar, 1, 1).estimation;
  const one = componentSource([2], [gain * gain], mmse);
  for (const [ds, dx] of [
    [0.6, 0.5],
    [0.55, 1.9],
    [INF, 0.1],
    [0.9, INF],
  ]) {
    near(rateVector(one, ds, dx).rateBits, rateScalar(scalar, ds, dx).rateBits, 1e-9);
  }
  const lambda = [3, 1, 0.2, 0];
  const w = [0.1, 2, 1, 5];
  const byComponents = rateVector(componentSource(lambda, w, 0.3), 1, 1.2);
  const diagonal = matrix(4, 4, (r, c) => (r === c ? lambda[r] : 0));
  const h = matrix(4, 4, (r, c) => (r === c ? Math.sqrt(w[r]) : 0));
  near(rateVector(matrixSource(diagonal, h, 0.3), 1, 1.2).rateBits, byComponents.rateBits, 1e-9);
});

test('vector source: without a semantic limit it is classical reverse water-filling', () => {
  const lambda = [4, 2, 1, 0.5, 0.25];
  const r = rateVector(componentSource(lambda, [1, 0, 3, 0, 2], 0), INF, 2);
  const level = r.distortions![0];
  near(
    lambda.reduce((sum, v) => sum + Math.min(v, level), 0),
    2,
    1e-9,
  );
  near(
    r.rateBits,
    lambda.reduce((sum, v) => sum + Math.max(0, 0.5 * Math.log2(v / level)), 0),
    1e-9,
  );
  assert.equal(rateVector(componentSource(lambda, [1, 0, 3, 0, 2], 1), 1, 2).rateBits, INF);
  assert.equal(rateVector(componentSource(lambda, [0, 0, 0, 0, 0], 1), 1, 8).rateBits, 0);
});

test('vector source: every point of the edge needs the rate of the edge, and the edge is convex', () => {
  const source = componentSource([4, 2, 1, 0.5, 0.25], [0, 0, 1, 1, 0], 0.1);
  // Above weight 0.95 nothing is left for the components without weight, and the edge ends.
  const edge = Array.from({ length: 21 }, (_, i) => edgeAtRate(source, 4, (0.95 * i) / 20));
  for (const { ds, dx } of edge.slice(1)) near(rateVector(source, ds, dx).rateBits, 4, 1e-8);
  for (let i = 1; i < 20; i++) {
    const slope = (k: number) => (edge[k + 1].ds - edge[k].ds) / (edge[k + 1].dx - edge[k].dx);
    assert.ok(slope(i - 1) <= slope(i) + 1e-9);
  }
});

test('vector source: sizes and values out of range are refused by name', () => {
  assert.throws(() => componentSource([], [], 0), /lambda has 0 elements: allowed 1 to 4096/);
  assert.throws(() => componentSource(new Float64Array(MAX_COMPONENTS + 1), [], 0), /allowed 1 to 4096/);
  assert.throws(() => componentSource([1, 2], [1], 0), /w has 1 elements, lambda has 2/);
  assert.throws(() => componentSource([1, Number.NaN], [1, 1], 0), /lambda\[1\]/);
  assert.throws(() => componentSource([1], [-1], 0), /w\[0\]/);
  assert.throws(() => componentSource([1], [1], -1), /mmse/);
  assert.throws(() => matrixSource(matrix(33, 33), matrix(1, 33), 0), /33 rows .* allowed 1 to 32/);
});

test('side information: as covariances from the precision matrix and an optimiser say', () => {
  for (const v of reference.sideInformation) {
    const r = sideInformationRates(jointGaussian(of(v.covariance), v.s, v.x, v.v), v.ds, v.dx);
    near(r.without.rateBits, v.without, 1e-5);
    near(r.conditional.rateBits, v.conditional, 1e-5);
    assert.equal(r.wynerZiv.rateBits, r.conditional.rateBits);
  }
});

test('side information: Wyner and Ziv, V = X and V that says nothing', () => {
  const joint = (xv: number, sv: number) =>
    jointGaussian(
      of([
        [1, 0.8, sv],
        [0.8, 1, xv],
        [sv, xv, 1],
      ]),
      1,
      1,
      1,
    );
  // Ds = inf: 1/2 log2(var(X|V) / Dx).
  near(sideInformationRates(joint(0.9, 0.72), INF, 0.05).wynerZiv.rateBits, 0.5 * Math.log2((1 - 0.81) / 0.05), 1e-9);
  near(sideInformationRates(joint(0, 0), 0.4, 0.05).savedBits, 0, 1e-9);
  assert.equal(sideInformationRates(joint(1, 0.8), 0.4, 0.05).wynerZiv.rateBits, 0);
  // V knows something of S that X does not: the mmse falls.
  const more = joint(0.5, 0.6);
  assert.ok(conditionalSource(more, true).mmse < conditionalSource(more, false).mmse - 1e-3);
});

test('side information: what is no covariance is refused', () => {
  const bad = (rows: number[][], s = 1, x = 1, v = 1) => jointGaussian(of(rows), s, x, v);
  const one = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ];
  assert.throws(() => bad(one, 0), /s 0 is out of range/);
  assert.throws(() => bad(one, 1, 1, 2), /s \+ x \+ v is 4/);
  assert.throws(() => bad(one, 1, 1, 33), /v 33 is out of range: allowed whole numbers from 0 to 32/);
  assert.throws(
    () =>
      bad([
        [1, 0.5, 0],
        [0.4, 1, 0],
        [0, 0, 1],
      ]),
    /differ: a covariance is symmetric/,
  );
  assert.throws(
    () =>
      bad([
        [1, 2, 0],
        [2, 1, 0],
        [0, 0, 1],
      ]),
    /negative eigenvalue/,
  );
  assert.throws(
    () =>
      bad([
        [Number.NaN, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ]),
    /covariance\[0\]\[0\] NaN/,
  );
});

test("eigenvalues: A = U diag U' with orthonormal U", () => {
  const a = matrix(9, 9, (r, c) => Math.cos(r * c) + Math.cos(r + c));
  const { values, vectors } = eigenSymmetric(a);
  const scaled = matrix(9, 9, (r, c) => vectors.data[r * 9 + c] * values[c]);
  const back = multiply(scaled, transpose(vectors));
  const unit = multiply(transpose(vectors), vectors);
  for (let i = 0; i < 81; i++) {
    near(back.data[i], a.data[i], 1e-12);
    near(unit.data[i], i % 10 === 0 ? 1 : 0, 1e-13);
  }
});
