import assert from 'node:assert/strict';
import test from 'node:test';
import {
  awgnCapacity,
  fixedMimoCapacity,
  mimo2x2Capacity,
  parallelCapacity,
  rayleighCapacity,
  rayleighOutage,
  rayleighOutageCapacity,
  snrOf,
} from '../../../src/experiment/bounds/channel-capacity.ts';
import {
  awgnExponent,
  e0AwgnGaussian,
  e0Discrete,
  e0Rayleigh,
  randomCodingExponent,
} from '../../../src/experiment/bounds/error-exponent.ts';
import { scaledE1 } from '../../../src/experiment/bounds/exponential-integral.ts';
import {
  awgnDispersion,
  becDispersion,
  bscDispersion,
  distortionAt,
  errorAt,
  excessProbability,
  rateAt,
} from '../../../src/experiment/bounds/finite-blocklength.ts';
import { scalarGaussian } from '../../../src/experiment/bounds/gaussian-scalar.ts';
import {
  jointLimit,
  leastSnr,
  limitChannel,
  uncodedDistortion,
  uncodedRayleighDistortion,
} from '../../../src/experiment/bounds/joint-source-channel.ts';
import { gammaTail, gaussianTail } from '../../../src/experiment/bounds/normal-tail.ts';
import { reference } from './vectors.ts';

const near = (got: number, wanted: number, tolerance: number, what = '') =>
  assert.ok(Math.abs(got - wanted) <= tolerance, `${what} ${got}, not ${wanted}`);
const linear = (db: number) => 10 ** (db / 10);

test('special functions are those of SciPy', () => {
  for (const [x, value] of reference.scaledE1) near(scaledE1(x) / value, 1, 1e-13, `E1 ${x}`);
  for (const [a, x, value] of reference.gammaTail) near(gammaTail(a, x) / value, 1, 1e-9, `Q(${a}, ${x})`);
  near(gaussianTail(1.959963984540054), 0.025, 1e-14);
  near(gaussianTail(-1.959963984540054), 0.975, 1e-14);
});

test('capacities of Rayleigh fading and 2x2 MIMO are their integrals', () => {
  for (const [db, bits] of reference.capacity.rayleigh) near(rayleighCapacity(linear(db)), bits, 1e-9, `${db} dB`);
  for (const [db, bits] of reference.capacity.mimo) near(mimo2x2Capacity(linear(db)), bits, 1e-9, `${db} dB`);
  near(rayleighOutage(10, rayleighOutageCapacity(10, 0.03)), 0.03, 1e-12);
});

test('parallel channels and a known MIMO channel are water-filled', () => {
  for (const { snr, bits } of reference.capacity.parallel) {
    const p = parallelCapacity(snr);
    near(p.waterFilling, bits, 1e-9);
    assert.ok(p.equalPower <= p.waterFilling + 1e-12);
    near(p.powers.reduce((a, b) => a + b, 0) / snr.length, 1, 1e-12);
  }
  for (const { h, db, bits, equal } of reference.capacity.fixed) {
    const f = fixedMimoCapacity(h, linear(db));
    near(f.waterFilling, bits, 1e-9);
    near(f.equalPower, equal, 1e-9);
  }
  near(parallelCapacity([7, 7, 7]).waterFilling, 3, 1e-12);
  assert.throws(() => parallelCapacity([]), /channels has 0 elements/);
  assert.throws(() => parallelCapacity(new Float64Array(4097)), /allowed 1 to 4096/);
  assert.throws(() => parallelCapacity([1, Number.NaN]), /SNR of channel 1/);
  assert.throws(() => fixedMimoCapacity([1, 2], 1), /8 are needed/);
  assert.throws(() => snrOf('--snr', 61), /--snr 61 dB is out of range: allowed -30 to 60 dB/);
});

test('joint limits: published values of capacity, matched uncoded transmission meets the limit on AWGN alone', () => {
  near(awgnCapacity(linear(1)), 1.176, 1e-3);
  near(awgnCapacity(10), 3.459, 1e-3);
  const source = scalarGaussian(0.8);
  for (const db of [-10, 1, 10, 25]) {
    const limit = jointLimit(source, limitChannel('awgn'), db, 0.5);
    near(limit.dx, uncodedDistortion(1, linear(db)), 1e-12);
    near(limit.ds, 0.36 + 0.64 * limit.dx, 1e-12);
    const faded = jointLimit(source, limitChannel('rayleigh'), db, 0.5);
    assert.ok(faded.dx > limit.dx && uncodedRayleighDistortion(1, linear(db)) > faded.dx);
  }
  const needed = leastSnr(source, limitChannel('mimo2x2'), 0.5, Number.POSITIVE_INFINITY, 0.05).snrDb!;
  near(jointLimit(source, limitChannel('mimo2x2'), needed, 0.5).dx, 0.05, 1e-9);
  const flat = limitChannel('rb', { rbGainsDb: [3, 3, 3] });
  near(flat.capacity(10), awgnCapacity(10), 1e-12);
  assert.throws(() => limitChannel('rb'), /needs the SNR of its resource blocks/);
  assert.throws(() => limitChannel('mimo-fixed'), /needs H/);
  assert.throws(() => jointLimit(source, flat, 10, 0), /symbols per sample 0/);
});

test('finite blocks: published values of the normal approximation', () => {
  for (const [db, n, bits] of [
    [1, 1024, 1.086],
    [1, 16384, 1.153],
    [1, 73728, 1.165],
    [10, 1024, 3.36],
    [10, 16384, 3.434],
    [10, 73728, 3.447],
  ]) {
    near(rateAt(awgnDispersion(linear(db)), n, 1e-2), bits, 1e-3);
  }
  for (const [db, n, eps, bits] of reference.finiteBlocks) near(rateAt(awgnDispersion(linear(db)), n, eps), bits, 1e-9);
  // BSC 0.11: C = 0.50008, V = 0.8907 bit^2.
  near(
    rateAt(bscDispersion(0.11), 500, 1e-3),
    0.50008 - Math.sqrt(0.8907 / 500) * 3.0902 + Math.log2(500) / 1000,
    1e-4,
  );
  near(rateAt(becDispersion(0.5), 1000, 1e-3), 0.5 - Math.sqrt(0.25 / 1000) * 3.0902, 1e-5);
  near(errorAt(awgnDispersion(10), 1000, rateAt(awgnDispersion(10), 1000, 0.007)), 0.007, 1e-9);
  assert.equal(rateAt(bscDispersion(0.5), 100, 0.1), 0);
  assert.equal(errorAt(bscDispersion(0), 100, 1), 0);
});

test('finite blocks: distortion and probability undo each other, long blocks meet the limit', () => {
  const code = { k: 2000, n: 1000, varX: 1, channel: awgnDispersion(10) };
  near(excessProbability(code, distortionAt(code, 0.01)), 0.01, 1e-9);
  const long = { ...code, k: 2e8, n: 1e8 };
  near(distortionAt(long, 0.01), 1 / 11, 1e-4);
  near(excessProbability(code, 1 / 11), 0.5, 1e-9);
  assert.throws(() => excessProbability(code, 1), /Dx 1 is out of range: allowed above 0 and below the variance/);
  assert.throws(() => distortionAt(code, 0), /eps 0 is out of range/);
  assert.throws(() => rateAt(code.channel, 0, 0.1), /n 0 is out of range/);
  assert.throws(() => rateAt(code.channel, 1.5, 0.1), /whole numbers/);
  assert.throws(() => bscDispersion(2), /crossover probability 2/);
});

test('error exponents are the maxima that a general optimiser finds', () => {
  for (const [db, rate, bits] of reference.exponent.awgn) near(awgnExponent(linear(db), rate).exponentBits, bits, 1e-6);
  for (const [p, rate, bits] of reference.exponent.bsc) {
    near(
      randomCodingExponent(
        e0Discrete([
          [1 - p, p],
          [p, 1 - p],
        ]),
        rate,
      ).exponentBits,
      bits,
      1e-8,
    ); // prettier
  }
  for (const [p, rate, bits] of reference.exponent.bec) {
    near(
      randomCodingExponent(
        e0Discrete([
          [1 - p, p, 0],
          [0, p, 1 - p],
        ]),
        rate,
      ).exponentBits,
      bits,
      1e-8,
    );
  }
  for (const [db, rate, bits] of reference.exponent.rayleigh) {
    near(randomCodingExponent(e0Rayleigh(linear(db)), rate).exponentBits, bits, 1e-7);
  }
});

test('error exponents: capacity is the slope at 0, nothing above it, and both AWGN ensembles agree on it', () => {
  const gaussian = randomCodingExponent(e0AwgnGaussian(10), 1);
  near(gaussian.capacityBits, awgnCapacity(10), 1e-9);
  near(randomCodingExponent(e0Rayleigh(10), 1).capacityBits, rayleighCapacity(10), 1e-8);
  near(awgnExponent(10, 1).capacityBits, awgnCapacity(10), 1e-12);
  for (const rate of [0, 0.5, 1.9, 2.6, 3.3]) {
    assert.ok(awgnExponent(10, rate).exponentBits >= randomCodingExponent(e0AwgnGaussian(10), rate).exponentBits);
  }
  assert.equal(awgnExponent(10, 3.46).exponentBits, 0);
  // The two branches of the closed form meet at the critical rate.
  const { criticalRateBits: critical } = awgnExponent(10, 1);
  near(awgnExponent(10, critical - 1e-9).exponentBits, awgnExponent(10, critical + 1e-9).exponentBits, 1e-7);
  near(awgnExponent(10, critical + 1e-9).rho, 1, 1e-6);
  assert.throws(() => awgnExponent(10, Number.NaN), /rate NaN/);
  assert.throws(() => e0Discrete([[0.5, 0.6]]), /adds up to/);
});
