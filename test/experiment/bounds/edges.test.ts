import assert from 'node:assert/strict';
import test from 'node:test';
import { rateFinite } from '../../../src/experiment/bounds/blahut-arimoto.ts';
import { awgnExponent } from '../../../src/experiment/bounds/error-exponent.ts';
import { finiteSource } from '../../../src/experiment/bounds/finite-source.ts';
import { rateScalar, scalarGaussian } from '../../../src/experiment/bounds/gaussian-scalar.ts';
import { componentSource, matrixSource, rateVector } from '../../../src/experiment/bounds/gaussian-vector.ts';
import { leastSnr, limitChannel } from '../../../src/experiment/bounds/joint-source-channel.ts';
import { conditionalSource, jointGaussian } from '../../../src/experiment/bounds/side-information.ts';
import { matrix } from '../../../src/experiment/bounds/symmetric.ts';
import { edges, orInfinity } from './vectors.ts';

const INF = Number.POSITIVE_INFINITY;
const of = (rows: readonly (readonly number[])[]) => matrix(rows.length, rows[0].length, (r, c) => rows[r][c]);
const near = (got: number, wanted: number, tolerance: number, what: string) =>
  assert.ok(Math.abs(got - wanted) <= tolerance, `${what}: ${got}, not ${wanted}`);

test('correlated sources of 16 rows: as the dual of another solver says, both limits kept', () => {
  for (const [i, v] of edges.vector.entries()) {
    const r = rateVector(matrixSource(of(v.sx), of(v.h), v.mmse), orInfinity(v.ds), orInfinity(v.dx));
    near(r.rateBits, v.rateBits, 1e-7, `case ${i}`);
    assert.ok(r.gapBits < 1e-9);
    assert.ok(r.achieved!.ds <= orInfinity(v.ds) * (1 + 1e-12) && r.achieved!.dx <= orInfinity(v.dx) * (1 + 1e-12));
  }
});

test('a letter that never occurs changes nothing, whatever its row says', () => {
  const { px, sGivenX, dsTable, dxTable, rates } = edges.unusedLetter;
  const source = finiteSource({ px, sGivenX, ds: dsTable, dx: dxTable });
  for (const { ds, dx, rateBits } of rates) {
    const r = rateFinite(source, orInfinity(ds), dx);
    near(r.rateBits, rateBits, 1e-6, `Dx ${dx}`);
    assert.ok(r.lowerBits <= rateBits + 1e-9);
  }
  const hamming = px.map((_, a) => px.map((_, b) => Number(a !== b)));
  const none = px.map(() => [1]);
  const entropy = -px.reduce((sum, p) => sum + (p > 0 ? p * Math.log2(p) : 0), 0);
  near(
    rateFinite(finiteSource({ px, sGivenX: none, ds: [[0]], dx: hamming }), INF, 0).rateBits,
    entropy,
    1e-9,
    'entropy',
  );
});

test('the AWGN exponent keeps its digits from -30 to 60 dB', () => {
  for (const [db, rate, bits] of edges.exponent) {
    near(awgnExponent(10 ** (db / 10), rate).exponentBits / bits, 1, 1e-9, `${db} dB, ${rate} bit`);
  }
});

test('resource blocks that carry nothing get no power and count in the mean', () => {
  for (const { rbSnrDb, snrDb, bits, equal } of edges.missingBlocks) {
    const rbGainsDb = rbSnrDb.map((db) => db ?? -INF);
    near(limitChannel('rb', { rbGainsDb }).capacity(10 ** (snrDb / 10)), bits, 1e-10, 'water-filling');
    near(limitChannel('rb-equal', { rbGainsDb }).capacity(10 ** (snrDb / 10)), equal, 1e-10, 'equal power');
  }
  assert.throws(() => limitChannel('rb', { rbGainsDb: [-INF, -INF] }), /no resource block that carries anything/);
});

test('a Ds at the mmse is never met, above it always, to the last digits that doubles have', () => {
  for (const [rho, varS, varX, mmse] of [
    [0.8, 1, 1, 0.36],
    [-0.6, 2, 3, 1.28],
    [0.3, 1e-6, 1e6, 0.91e-6],
  ] as const) {
    const source = scalarGaussian(rho, varS, varX);
    assert.equal(rateScalar(source, mmse, INF).rateBits, INF);
    near(rateScalar(source, mmse * (1 + 1e-9), INF).rateBits, 0.5 * Math.log2((varS / mmse - 1) / 1e-9), 1e-4, 'above');
    const joint = jointGaussian(
      of([
        [varS, source.cov],
        [source.cov, varX],
      ]),
      1,
      1,
      0,
    );
    assert.equal(rateVector(conditionalSource(joint, false), mmse, INF).rateBits, INF);
  }
  for (const rho of [1, -1]) {
    const [scalar, joint] = [
      scalarGaussian(rho, 2, 3),
      jointGaussian(
        of([
          [2, rho * Math.sqrt(6)],
          [rho * Math.sqrt(6), 3],
        ]),
        1,
        1,
        0,
      ),
    ];
    near(rateScalar(scalar, 1e-20, INF).rateBits, 0.5 * Math.log2(2e20), 1e-9, 'S = X');
    near(rateVector(conditionalSource(joint, false), 1e-20, INF).rateBits, 0.5 * Math.log2(2e20), 1e-6, 'S = X');
  }
  assert.equal(rateScalar(scalarGaussian(0), 0.999, INF).rateBits, INF);
  assert.equal(rateScalar(scalarGaussian(0), 1, INF).rateBits, 0);
});

test('distortions and variances that doubles cannot divide by are refused, not answered with no bits', () => {
  const vector = componentSource([4, 2], [0, 1], 0);
  for (const tiny of [1e-308, 5e-324]) {
    assert.throws(() => rateVector(vector, INF, tiny), /Dx .* is out of range: allowed 1e-100 to/);
    assert.throws(() => rateScalar(scalarGaussian(0.8), INF, tiny), /Dx .* is out of range: allowed 1e-100 to/);
    assert.throws(() => scalarGaussian(0.8, 1, tiny), /varX .* is out of range: allowed 1e-100 to/);
  }
  near(rateVector(vector, INF, 1e-100).rateBits, Math.log2(Math.sqrt(8) / 0.5e-100), 1e-9, 'Dx 1e-100');
});

test('variances far apart: the small ones count as long as doubles tell them from rounding', () => {
  const diagonal = (a: number, b: number) =>
    [
      [a, 0],
      [0, b],
    ] as const;
  const one = of([[1, 1]]);
  const far = rateVector(matrixSource(of(diagonal(1e6, 9e-7)), one, 0), INF, 1e-7);
  near(far.rateBits, 0.5 * Math.log2((1e6 * 9e-7) / 5e-8 ** 2), 1e-9, 'eigenvalues 1e12 apart');
  const farther = matrixSource(of(diagonal(1e12, 1e-12)), one, 0);
  assert.throws(() => rateVector(farther, INF, 1e-13), /Dx 1e-13 is out of range: allowed from 1\.00e-12/);
  assert.throws(() => rateVector(farther, 1e-13, INF), /Ds 1e-13 is out of range: allowed from 2\.00e-12/);
  near(rateVector(farther, INF, 1).rateBits, 0.5 * Math.log2(1e12), 1e-9, 'what can be told');
  // S is the small one of two, in other units.
  const small = jointGaussian(
    of([
      [0.1, 0, 1e-4],
      [0, 1e6, 0],
      [1e-4, 0, 1e-7],
    ]),
    1,
    2,
    0,
  );
  const told = rateVector(conditionalSource(small, false), 0.01, INF);
  near(told.rateBits, 0.5 * Math.log2(10), 1e-6, 'one unit to the other');
});

test('a matrix of small numbers is as symmetric as one of large ones', () => {
  for (const scale of [1e-10, 1, 1e10]) {
    const skew = of([
      [scale, scale / 2],
      [-scale / 2, scale],
    ]);
    assert.throws(() => jointGaussian(skew, 1, 1, 0), /covariance\[0\]\[1\] and \[1\]\[0\] differ/);
  }
});

test('the least SNR says why there is none', () => {
  const source = scalarGaussian(0.8);
  const least = (ds: number, dx: number, name: 'awgn' | 'mimo2x2' = 'awgn') =>
    leastSnr(source, limitChannel(name), 0.5, ds, dx);
  near(least(INF, 0.1).snrDb!, 10 * Math.log10(9), 1e-9, 'found');
  assert.deepEqual(least(1, 2), { snrDb: null, reach: 'nothing' });
  assert.deepEqual(least(0.36, 1), { snrDb: null, reach: 'never' });
  assert.deepEqual(least(INF, 1e-7), { snrDb: null, reach: 'above' });
  assert.deepEqual(least(INF, 0.9999), { snrDb: null, reach: 'below' });
  assert.equal(least(INF, 1e-7, 'mimo2x2').reach, 'found');
});
