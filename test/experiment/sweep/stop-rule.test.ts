import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureCoverage } from '../../../bench/sweep/coverage.ts';
import { GroupStop, groupInterval, type StopRule } from '../../../src/experiment/sweep/stop-rule.ts';

const RULE: StopRule = { metric: 'psnrDb', halfWidth: 0.5, confidence: 0.95, min: 5 };

function stopsAt(values: readonly (number | null)[], rule: StopRule): number | null {
  const stop = new GroupStop(rule);
  for (const [i, value] of values.entries()) if (stop.add(value)) return i + 1;
  return null;
}

test('the half width of a mean is that of Student', () => {
  // 1..5: mean 3, sd sqrt(2.5); t(0.975, 4) = 2.776445 in every table.
  const { low, high } = groupInterval([1, 2, 3, 4, 5], RULE);
  const half = (2.776445 * Math.sqrt(2.5)) / Math.sqrt(5);
  assert.ok(Math.abs(low - (3 - half)) < 1e-5 && Math.abs(high - (3 + half)) < 1e-5);
});

test('a group stops at the first seed whose interval is tight enough, and not before the least number', () => {
  const half = (2.776445 * Math.sqrt(2.5)) / Math.sqrt(5);
  assert.equal(stopsAt([1, 2, 3, 4, 5, 3], { ...RULE, halfWidth: half + 1e-4 }), 5);
  assert.equal(stopsAt([1, 2, 3, 4, 5], { ...RULE, halfWidth: half - 1e-4 }), null);
  assert.equal(stopsAt([7, 7, 7, 7, 7, 7, 7], { ...RULE, min: 7 }), 7);
});

test('all pictures lost, or none, is no certainty: the interval of a proportion', () => {
  const rule: StopRule = { metric: 'outage', halfWidth: 0.1, confidence: 0.95, min: 3 };
  // Rule of Clopper and Pearson for 0 of n: high = 1 - 0.025^(1/n); width 0.2 is reached at n = 17.
  assert.ok(1 - 0.025 ** (1 / 16) > 0.2 && 1 - 0.025 ** (1 / 17) < 0.2);
  assert.equal(stopsAt(new Array(30).fill(0), rule), 17);
});

test('a metric that was not measured once stops nothing', () => {
  assert.equal(stopsAt([1, null, 1, 1, 1, 1, 1, 1], RULE), null);
});

test('the mean lies in the interval of a stopped group as often as docs/sweeps.md says', () => {
  // Shares and mean numbers of seeds of 10 000 groups (bench/sweep.ts --only coverage).
  const said: [covered: number, seeds: number][] = [
    [0.938, 43.7],
    [0.924, 12.2],
    [0.92, 6.1],
    [0.858, 37.8],
    [0.87, 10.7],
    [0.711, 20.3],
    [0.906, 63],
    [0.99, 51.2],
    [0.951, 66],
  ];
  const groups = 500;
  for (const [i, { values, covered, meanSeeds }] of measureCoverage(groups).entries()) {
    const [share, seeds] = said[i];
    const deviation = Math.sqrt((share * (1 - share)) / groups);
    assert.ok(Math.abs(covered - share) < 4 * deviation, `${values}: ${covered} covered, said ${share}`);
    assert.ok(Math.abs(meanSeeds / seeds - 1) < 0.15, `${values}: ${meanSeeds} seeds, said ${seeds}`);
  }
});
