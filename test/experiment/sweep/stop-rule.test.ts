import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
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

test('the mean lies in the interval about as often as promised', () => {
  // Normal values of deviation 1, 1000 groups: 3000 gave 94.1 % (43 seeds on average), 92.9 % (12) and 92.3 % (6).
  for (const [halfWidth, min, seeds] of [
    [0.3, 10, 43],
    [0.6, 5, 12],
    [1, 3, 6],
  ]) {
    const rule = { ...RULE, halfWidth, min };
    const random = new RandomStream(11);
    let covered = 0;
    let taken = 0;
    for (let g = 0; g < 1000; g++) {
      const stop = new GroupStop(rule);
      const values: number[] = [];
      do values.push(20 + random.normal());
      while (!stop.add(values.at(-1)!));
      const { low, high } = groupInterval(values, rule);
      if (low <= 20 && 20 <= high) covered++;
      taken += values.length;
    }
    // Four standard deviations of a share of 1000 are 3 %.
    assert.ok(covered > 895 && covered < 970, `half width ${halfWidth}: covered ${covered} of 1000`);
    assert.ok(Math.abs(taken / 1000 / seeds - 1) < 0.1, `half width ${halfWidth}: ${taken / 1000} seeds`);
  }
});
