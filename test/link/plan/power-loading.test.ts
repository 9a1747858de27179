import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UsageError } from '../../../src/common/errors.ts';
import { applyPower, boundedWaterFilling, loadPower } from '../../../src/link/plan/power-loading.ts';
import { checkPowerLevels, meanPowerDb, powerDbOf, powerOf } from '../../../src/phy/frame/power-level.ts';
import { RB_DATA_RE } from '../../../src/phy/numerology.ts';

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const capacity = (power: readonly number[], snr: readonly number[]) =>
  mean(power.map((p, s) => Math.log2(1 + p * snr[s])));
const linear = (db: number) => 10 ** (db / 10);

/** Plain water-filling: bounds that do not matter, for no power is above the sum of all; and its level. */
function waterFilling(snr: readonly number[]): { power: number[]; level: number } {
  const power = boundedWaterFilling(snr, 0, snr.length);
  return { power, level: Math.max(...power.map((p, s) => (p > 0 ? p + 1 / snr[s] : 0))) };
}

/** SNRs of the subbands of any numerology, over the range that a report can say. */
const anySnrDb = fc.constantFrom(4, 6, 15, 25, 50).chain((n) =>
  fc
    .tuple(fc.double({ min: -20, max: 43.75, noNaN: true }), fc.double({ min: 0, max: 25, noNaN: true }))
    .chain(([centre, spread]) =>
      fc.array(
        fc.double({ min: -1, max: 1, noNaN: true }).map((x) => Math.min(43.75, Math.max(-20, centre + spread * x))),
        { minLength: n, maxLength: n },
      ),
    ),
);

test('water-filling: total power, the KKT conditions, and no small shift of power does better', () => {
  fc.assert(
    fc.property(anySnrDb, fc.nat(1000), (snrDb, pick) => {
      const snr = snrDb.map(linear);
      const { power, level } = waterFilling(snr);
      assert.ok(Math.abs(mean(power) - 1) < 1e-9);
      for (const [s, p] of power.entries()) {
        assert.ok(p >= 0);
        // KKT: p > 0 => p + 1/snr = mu; p = 0 => 1/snr >= mu.
        if (p > 0) assert.ok(Math.abs(p + 1 / snr[s] - level) < 1e-9 * level);
        else assert.ok(1 / snr[s] >= level * (1 - 1e-12));
      }
      const from = pick % power.length;
      const to = (pick + 1) % power.length;
      const shift = Math.min(1e-3, power[from]);
      const other = power.map((p, s) => p - (s === from ? shift : 0) + (s === to ? shift : 0));
      assert.ok(capacity(other, snr) <= capacity(power, snr) + 1e-12);
    }),
    { numRuns: 500 },
  );
});

test('the textbook case, equal subbands, and SNRs that are none', () => {
  // Depths 1/2, 1, 4: with two subbands mu = (3 + 1.5) / 2 = 2.25 < 4, so the third stays dry.
  const { power, level } = waterFilling([2, 1, 0.25]);
  assert.equal(level, 2.25);
  assert.deepEqual(power, [1.75, 1.25, 0]);
  assert.deepEqual(waterFilling([3, 3, 3, 3]).power, [1, 1, 1, 1]);
  for (const bad of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => waterFilling([1, bad]), UsageError);
  }
});

test('bounded water-filling keeps to its bounds and is plain water-filling where they do not matter', () => {
  fc.assert(
    fc.property(anySnrDb, (snrDb) => {
      const snr = snrDb.map(linear);
      const power = boundedWaterFilling(snr, powerOf(0), powerOf(31));
      assert.ok(Math.abs(mean(power) - 1) < 1e-6);
      const level = Math.max(...power.map((p, s) => (p > powerOf(0) + 1e-9 ? p + 1 / snr[s] : 0)));
      for (const [s, p] of power.entries()) {
        assert.ok(p >= powerOf(0) - 1e-12 && p <= powerOf(31) + 1e-12);
        if (p > powerOf(0) + 1e-9 && p < powerOf(31) - 1e-9) {
          assert.ok(Math.abs(p + 1 / snr[s] - level) < 1e-6 * level);
        }
      }
    }),
    { numRuns: 300 },
  );
  const mild = [10, 5, 8, 20];
  const bounded = boundedWaterFilling(mild, powerOf(0), powerOf(31));
  waterFilling(mild).power.forEach((p, s) => {
    assert.ok(Math.abs(p - bounded[s]) < 1e-9);
  });
});

test('levels: mean power within 0.1 dB, close to the best powers, and never worse than equal power', () => {
  fc.assert(
    fc.property(anySnrDb, (snrDb) => {
      const snr = snrDb.map(linear);
      const { levels, snrDb: loaded } = loadPower(snrDb);
      checkPowerLevels(levels);
      assert.ok(levels.every((level) => Number.isInteger(level) && level >= 0 && level <= 31));
      levels.forEach((level, s) => {
        assert.ok(Math.abs(loaded[s] - snrDb[s] - powerDbOf(level)) < 1e-9);
      });
      const quantised = capacity(levels.map(powerOf), snr);
      const best = capacity(boundedWaterFilling(snr, powerOf(0), powerOf(31)), snr);
      const equal = mean(snr.map((s) => Math.log2(1 + s)));
      // Steps of 0.5 dB: a power is off by up to 0.25 dB, more in a small band; the tolerance of the mean adds 0.1 dB.
      assert.ok(quantised >= 0.97 * best, `${quantised} of ${best}`);
      assert.ok(quantised >= equal - 1e-12, `${quantised}, equal power ${equal}`);
    }),
    { numRuns: 500 },
  );
  // 10, -10, -10, -10 dB: nearly all power to the first, log2(1 + 10 x 3.5) of 4 bits against log2 11 + 3 log2 1.1.
  const uneven = loadPower([10, -10, -10, -10]);
  const sum = (db: readonly number[]) => db.reduce((total, v) => total + Math.log2(1 + linear(v)), 0);
  assert.ok(sum(uneven.snrDb) > 1.25 * sum([10, -10, -10, -10]), `${uneven.levels}`);
  assert.deepEqual(loadPower(new Array(25).fill(12)).levels, new Array(25).fill(16));
});

test('the less a report still holds, the more equal the powers; a wholly outdated one gives equal power', () => {
  const snrDb = [12, 3, 8, -2, 6, 10, 0, 5];
  let before = Number.POSITIVE_INFINITY;
  for (const uncertainty of [0, 0.4, 0.7, 0.9, 1]) {
    const { levels, snrDb: loaded } = loadPower(snrDb, uncertainty);
    const spread = Math.max(...levels) - Math.min(...levels);
    assert.ok(spread <= before, `${uncertainty}: ${levels}`);
    before = spread;
    levels.forEach((level, s) => {
      assert.ok(Math.abs(loaded[s] - snrDb[s] - powerDbOf(level)) < 1e-9, 'the report, at its level');
    });
  }
  assert.equal(before, 0);
});

test('levels scale the payload of their subband, in every slot, and keep its mean power', () => {
  const levels = loadPower([20, 3, 11, -4, 8, 15]).levels;
  const slots = 3;
  const payload = new Float32Array(2 * slots * 6 * RB_DATA_RE).fill(Math.SQRT1_2);
  assert.equal(applyPower(payload, levels), payload);
  let total = 0;
  for (let rb = 0; rb < slots * 6; rb++) {
    const expected = powerOf(levels[rb % 6]);
    for (let i = 0; i < RB_DATA_RE; i++) {
      const k = 2 * (rb * RB_DATA_RE + i);
      const power = payload[k] ** 2 + payload[k + 1] ** 2;
      assert.ok(Math.abs(power / expected - 1) < 1e-5);
      total += power;
    }
  }
  const meanDb = 10 * Math.log10(total / (slots * 6 * RB_DATA_RE));
  assert.ok(Math.abs(meanDb) <= 0.1 && Math.abs(meanDb - meanPowerDb(levels)) < 1e-4);
});
