import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  betaCdf,
  betaQuantile,
  logGamma,
  normalQuantile,
  studentTQuantile,
} from '../../../src/experiment/metrics/distributions.ts';
import {
  clopperPearson,
  mean,
  meanInterval,
  median,
  pairedDifference,
  percentile,
  sampleSd,
  wilson,
} from '../../../src/experiment/metrics/stats.ts';

// All expected numbers were printed by SciPy 1.17.1 / NumPy (the call stands beside each group).
function close(actual: number, expected: number, relative = 1e-10): void {
  const bound = relative * Math.max(1e-12, Math.abs(expected));
  assert.ok(Math.abs(actual - expected) <= bound, `${actual} is not ${expected} within ${bound}`);
}

test('normal quantile equals scipy.stats.norm.ppf', () => {
  assert.equal(normalQuantile(0.5), 0);
  close(normalQuantile(0.6), 0.2533471031357997, 1e-13);
  close(normalQuantile(0.975), 1.959963984540054, 1e-13);
  close(normalQuantile(0.995), 2.5758293035489004, 1e-13);
  close(normalQuantile(1e-10), -6.361340902404056, 1e-13);
  close(normalQuantile(1 - 1e-6), 4.753424308817087, 1e-12);
  assert.throws(() => normalQuantile(0), RangeError);
});

test('Student-t quantile equals scipy.stats.t.ppf(0.975, df)', () => {
  const expected: [number, number][] = [
    [1, 12.706204736174694],
    [2, 4.302652729749462],
    [5, 2.5705818356363146],
    [9, 2.262157162798205],
    [30, 2.0422724563012378],
    [99, 1.9842169515864174],
    [1000, 1.9623390808264083],
  ];
  for (const [df, t] of expected) {
    close(studentTQuantile(0.975, df), t);
    close(studentTQuantile(0.025, df), -t);
  }
});

test('beta quantile equals scipy.stats.beta.ppf and inverts the distribution', () => {
  close(betaQuantile(0.025, 1, 1000), 2.531748749129404e-5);
  close(betaQuantile(0.5, 2, 3), 0.3857275681323895);
  close(betaQuantile(0.975, 0.5, 0.5), 0.9984586668665639);
  close(logGamma(0.5), Math.log(Math.PI) / 2, 1e-13);
  fc.assert(
    fc.property(fc.double({ min: 0.001, max: 0.999, noNaN: true }), fc.integer({ min: 1, max: 500 }), (p, a) => {
      close(betaCdf(betaQuantile(p, a, 7), a, 7), p, 1e-9);
    }),
    { numRuns: 100 },
  );
});

test('proportion intervals equal scipy.stats.binomtest(k, n).proportion_ci', () => {
  const exact: [number, number, number, number][] = [
    [0, 10, 0, 0.30849710781876294],
    [10, 10, 0.6915028921812371, 1],
    [3, 10, 0.06673951117773447, 0.652452850060008],
    [1, 1000, 2.5317487491674634e-5, 0.0055589242798499],
    [990, 1000, 0.9816867569448875, 0.9951944893089419],
    [57, 100, 0.4671337383248462, 0.6686089833686121],
  ];
  for (const [k, n, low, high] of exact) {
    const e = clopperPearson(k, n);
    close(e.low, low, 1e-9);
    close(e.high, high, 1e-9);
    assert.equal(e.value, k / n);
  }
  const score: [number, number, number, number][] = [
    [0, 10, 0, 0.27753279986288926],
    [10, 10, 0.7224672001371109, 1],
    [3, 10, 0.10779126740630102, 0.6032218525388546],
    [1, 1000, 0.00017654637062607809, 0.0056425585979579355],
    [57, 100, 0.47215389549212305, 0.6626670147588988],
  ];
  for (const [k, n, low, high] of score) {
    const e = wilson(k, n);
    close(e.low, low, 1e-10);
    close(e.high, high, 1e-10);
  }
  assert.throws(() => clopperPearson(11, 10), RangeError);
  assert.throws(() => wilson(1, 0), RangeError);
  assert.throws(() => wilson(1, 2, 1), RangeError);
});

test('the exact interval contains the score interval centre and the estimate', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 400 }), fc.double({ min: 0, max: 1, noNaN: true }), (n, share) => {
      const k = Math.round(share * n);
      const e = clopperPearson(k, n);
      assert.ok(e.low <= k / n && k / n <= e.high && e.low >= 0 && e.high <= 1);
    }),
    { numRuns: 100 },
  );
});

test('mean, deviation and intervals equal NumPy and scipy.stats.t.interval', () => {
  const x = [30.1, 28.4, 33.9, 31.2, 29.7];
  const y = [29.0, 28.1, 32.2, 31.5, 28.3];
  close(mean(x), 30.66);
  close(sampleSd(x), 2.069541011915444);
  const e = meanInterval(x);
  close(e.low, 28.09032543269841);
  close(e.high, 33.2296745673016);
  const d = pairedDifference(x, y);
  close(d.value, 0.84, 1e-12);
  close(d.low, -0.18239551566268808, 1e-9);
  close(d.high, 1.8623955156626848, 1e-9);
  assert.throws(() => pairedDifference([1], [1, 2]), RangeError);
  assert.ok(Number.isNaN(meanInterval([3]).low));
  assert.ok(Number.isNaN(mean([])));
});

test('percentiles equal numpy.percentile', () => {
  const x = [30.1, 28.4, 33.9, 31.2, 29.7];
  close(percentile(x, 10), 28.92);
  close(percentile(x, 90), 32.82);
  assert.equal(median(x), 30.1);
  assert.equal(percentile([5], 33), 5);
  assert.deepEqual(x, [30.1, 28.4, 33.9, 31.2, 29.7]);
  assert.throws(() => percentile(x, 101), RangeError);
});
