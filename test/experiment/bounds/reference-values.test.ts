import assert from 'node:assert/strict';
import test from 'node:test';
import { rateFinite } from '../../../src/experiment/bounds/blahut-arimoto.ts';
import {
  awgnCapacity,
  fixedMimoCapacity,
  parallelCapacity,
  rayleighCapacity,
} from '../../../src/experiment/bounds/channel-capacity.ts';
import { uncodedTheory } from '../../../src/experiment/bounds/error-event.ts';
import { awgnExponent, e0Discrete, randomCodingExponent } from '../../../src/experiment/bounds/error-exponent.ts';
import {
  awgnDispersion,
  excessProbability,
  GAUSSIAN_SOURCE_DISPERSION,
  rateAt,
} from '../../../src/experiment/bounds/finite-blocklength.ts';
import { symmetricSource } from '../../../src/experiment/bounds/finite-source.ts';
import { degenerateRates, rateScalar, scalarGaussian } from '../../../src/experiment/bounds/gaussian-scalar.ts';
import { componentSource, rateVector } from '../../../src/experiment/bounds/gaussian-vector.ts';
import { jointLimit, limitChannel, uncodedDistortion } from '../../../src/experiment/bounds/joint-source-channel.ts';
import { jointGaussian, sideInformationRates } from '../../../src/experiment/bounds/side-information.ts';
import { matrix } from '../../../src/experiment/bounds/symmetric.ts';
import { clopperPearson } from '../../../src/experiment/metrics/stats.ts';

/**
 * All bounds on one page for a reviewer: values that others computed, to 1e-3, and special cases, in which a bound is a formula that everybody knows, to
 * 1e-6. One row is a name, what the code gives and what it must be; how the code works is tested beside this file.
 */
const INF = Number.POSITIVE_INFINITY;
type Row = readonly [name: string, got: number, wanted: number];

const linear = (db: number) => 10 ** (db / 10);
const entropy = (p: number) => (p <= 0 || p >= 1 ? 0 : -p * Math.log2(p) - (1 - p) * Math.log2(1 - p));
const half = (ratio: number) => 0.5 * Math.log2(ratio);

function check(rows: readonly Row[], tolerance: number): void {
  for (const [name, got, wanted] of rows) {
    assert.ok(Math.abs(got - wanted) <= tolerance, `${name}: ${got}, not ${wanted}`);
  }
}

/** S, X and V of unit variance. */
const withV = (rho: number, xv: number, sv = rho * xv) => {
  const rows = [1, rho, sv, rho, 1, xv, sv, xv, 1];
  return jointGaussian(
    matrix(3, 3, (r, c) => rows[3 * r + c]),
    1,
    1,
    1,
  );
};
const scalar = (ds: number, dx: number, rho = 0.8) => rateScalar(scalarGaussian(rho), ds, dx).rateBits;
const vector = (lambda: number[], w: number[], ds: number, dx: number) =>
  rateVector(componentSource(lambda, w, 0), ds, dx);

test('reference values, to 1e-3', () => {
  const published = vector([4, 2, 1, 0.5, 0.25], [0, 0, 1, 1, 0], 0.2, 2);
  check(
    [
      ['R(0.4, 1), correlation 0.8, bit', scalar(0.4, 1), 2.0],
      ['R(0.4, 0.05)', scalar(0.4, 0.05), 2.161],
      ['R(0.5, 0.1)', scalar(0.5, 0.1), 1.661],
      ['R(0.2, 2) of five components, bit', published.rateBits, 4.69],
      ...[0.775, 0.775, 0.1, 0.1, 0.25].map((d, i): Row => [`its D[${i}]`, published.distortions![i], d]),
      ['capacity at 1 dB, bit per complex symbol', awgnCapacity(linear(1)), 1.176],
      ['capacity at 10 dB', awgnCapacity(10), 3.459],
      ['1 dB, 1024 symbols, error 1e-2', rateAt(awgnDispersion(linear(1)), 1024, 0.01), 1.086],
      ['1 dB, 73 728 symbols', rateAt(awgnDispersion(linear(1)), 73_728, 0.01), 1.165],
      ['10 dB, 1024 symbols', rateAt(awgnDispersion(10), 1024, 0.01), 3.36],
      ['10 dB, 73 728 symbols', rateAt(awgnDispersion(10), 73_728, 0.01), 3.447],
      // Clopper and Pearson: "the rule of three" is 3/n, 1 - 0.025^(1/n) exactly.
      ['upper end of 0 in 100', clopperPearson(0, 100).high, 0.0362],
      ['lower end of 10 in 100', clopperPearson(10, 100).low, 0.049],
      ['upper end of 10 in 100', clopperPearson(10, 100).high, 0.1762],
    ],
    1e-3,
  );
});

test('special cases of the source, to 1e-6', () => {
  const d = degenerateRates(scalarGaussian(0.8), 0.4, 0.05);
  const v = sideInformationRates(withV(0.8, 0.9), 0.4, 0.05);
  const binary = symmetricSource(2, 0.1);
  const finite = (ds: number, dx: number) => rateFinite(binary, ds, dx).rateBits;
  check(
    [
      ['Ds = inf: classical', scalar(INF, 0.05), half(1 / 0.05)],
      ['Dx = inf: indirect', scalar(0.4, INF), half(0.64 / 0.04)],
      ['Ds = Dx = inf', scalar(INF, INF), 0],
      ['S = X: the tighter limit', scalar(0.3, 0.1, 1), half(10)],
      ['joint code: the dearer of the two', d.joint, Math.max(d.taskOnly, d.pixelOnly)],
      ['separate codes: their sum', d.separate, d.taskOnly + d.pixelOnly],
      ['one component is the scalar', vector([1], [0.64], 0.04, 0.05).rateBits, scalar(0.4, 0.05)],
      ['vector, Ds = inf: reverse water-filling', vector([4, 2, 1], [1, 1, 1], INF, 3).rateBits, half(4) + half(2)],
      ['vector, w = 1: the tighter limit', vector([4, 2, 1], [1, 1, 1], 3, 5).rateBits, half(4) + half(2)],
      ['Gaussian V: half log of var(X|V) / D', v.conditional.rateBits, half(0.19 / 0.05)],
      ['Wyner-Ziv: no loss', v.wynerZiv.rateBits, v.conditional.rateBits],
      ['V = X', sideInformationRates(withV(0.8, 1), 0.4, 0.05).wynerZiv.rateBits, 0],
      ['V says nothing', sideInformationRates(withV(0.8, 0), 0.4, 0.05).savedBits, 0],
      ['binary, Ds = inf: 1 - h(D)', finite(INF, 0.2), 1 - entropy(0.2)],
      ['binary, Dx = inf: 1 - h((D - eps)/(1 - 2 eps))', finite(0.2, INF), 1 - entropy(0.125)],
      ['binary, both limits: the tighter', finite(0.2, 0.05), 1 - entropy(0.05)],
      ['four letters', rateFinite(symmetricSource(4, 0), INF, 0.3).rateBits, 2 - entropy(0.3) - 0.3 * Math.log2(3)],
      ['binary with V at both ends: h(p) - h(D)', side('both', 0.1), entropy(0.25) - entropy(0.1)],
      // Above D = 0.088, for p = 0.25, the envelope is the tangent to (p, 0); here the curve itself.
      ['binary with V at the decoder: h(p * D) - h(D)', side('decoder', 0.05), entropy(0.275) - entropy(0.05)],
    ],
    1e-6,
  );
  assert.equal(scalar(0.36, INF), INF, 'no rate brings Ds to the mmse');
});

function side(knows: 'both' | 'decoder', dx: number): number {
  return rateFinite(symmetricSource(2, 0, 0.25), INF, dx, { knows }).rateBits;
}

test('special cases of the channel, of blocks and of the error event, to 1e-6', () => {
  const source = scalarGaussian(0.8);
  const limit = (db: number) => jointLimit(source, limitChannel('awgn'), db, 0.5);
  const bsc = e0Discrete([
    [0.9, 0.1],
    [0.1, 0.9],
  ]);
  const cutoff = 1 - Math.log2(1 + 2 * Math.sqrt(0.09));
  const at = (rho: number, ds: number, dx: number) =>
    uncodedTheory({ source: scalarGaussian(rho), snr: 4, k: 20 }, ds, dx);
  const two = [1, 0, 0, 0, 0, 0, 1, 0];
  check(
    [
      ['matched uncoded transmission is optimal on AWGN', uncodedDistortion(1, linear(7)), limit(7).dx],
      ['its Ds', limit(7).ds, 0.36 + 0.64 / (1 + linear(7))],
      ['equal resource blocks: AWGN', parallelCapacity([7, 7, 7]).waterFilling, 3],
      ['one block of two that carries: all power to it', parallelCapacity([0, 7]).waterFilling, 0.5 * Math.log2(15)],
      ['two equal antennas: two channels with half of the power', fixedMimoCapacity(two, 6).waterFilling, 4],
      ['Rayleigh at low SNR: log2(e) SNR', rayleighCapacity(1e-3), Math.LOG2E * (1e-3 - 1e-6)],
      ['long blocks: capacity', rateAt(awgnDispersion(10), 1e9, 0.5), awgnCapacity(10)],
      ['dispersion of a Gaussian source', GAUSSIAN_SOURCE_DISPERSION, 0.5 * Math.LOG2E ** 2],
      [
        'matched, Dx at the limit: half of the blocks',
        excessProbability({ k: 2000, n: 1000, varX: 1, channel: awgnDispersion(10) }, 1 / 11),
        0.5,
      ],
      ['exponent at rate 0: the cut-off rate', randomCodingExponent(bsc, 0).exponentBits, cutoff],
      [
        'exponent below the critical rate: a line of slope -1',
        randomCodingExponent(bsc, 0.05).exponentBits,
        cutoff - 0.05,
      ],
      ['exponent at capacity', randomCodingExponent(bsc, 1 - entropy(0.1)).exponentBits, 0],
      ['exponent above it', randomCodingExponent(bsc, 0.9).exponentBits, 0],
      [
        'AWGN exponent at and above capacity',
        awgnExponent(10, awgnCapacity(10)).exponentBits + awgnExponent(10, 5).exponentBits,
        0,
      ],
      ['event, Dx = inf: the task alone', at(0.8, 0.5, INF).joint!, at(0.8, 0.5, INF).semantic],
      ['event, Ds = inf: the pixels alone', at(0.8, INF, 0.25).joint!, at(0.8, INF, 0.25).pixel],
      ['event, S = X: the tighter limit', at(1, 0.3, 0.25).joint!, at(1, 0.3, 0.25).pixel],
      ['0 of n: from 0', clopperPearson(0, 40).low, 0],
      ['0 of n: to 1 - 0.025^(1/n)', clopperPearson(0, 40).high, 1 - 0.025 ** (1 / 40)],
      ['n of n: from 0.025^(1/n)', clopperPearson(40, 40).low, 0.025 ** (1 / 40)],
      ['n of n: to 1', clopperPearson(40, 40).high, 1],
    ],
    1e-6,
  );
});
