import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UsageError } from '../../../src/common/errors.ts';
import { ClockError } from '../../../src/radio/clock-error.ts';
import { explicitFilter, filterForRate, rateFraction, rateOf } from '../../../src/radio/hackrf/sample-rate.ts';
import { loadProfile } from '../../../src/radio/profile.ts';
import '../../fixed-seed.js';

const filtersHz = loadProfile('hackrf').limits.basebandFiltersHz.value;

test('fractions: the least divider that makes the rate whole, as libhackrf finds it', () => {
  // hackrf_set_sample_rate of libhackrf (8dbb3475), compiled by itself and run for these rates (and 200 000 random ones, all equal).
  const expected: readonly [number, number, number][] = [
    [8e6, 8_000_000, 1],
    [20e6, 20_000_000, 1],
    [7.68e6, 7_680_000, 1],
    [8_000_000.5, 16_000_001, 2],
    [10e6 / 3, 10_000_000, 3],
    [2e6 + 1 / 31, 62_000_001, 31],
    [12_345_678.2, 61_728_391, 5],
    [2_048_000 * (1 + 1e-7), 2_048_000, 1],
  ];
  for (const [rateHz, numeratorHz, divider] of expected) {
    assert.deepEqual(rateFraction(rateHz), { numeratorHz, divider }, String(rateHz));
  }
});

test('a fraction is within half a hertz of the rate, and exact where a divider fits', () => {
  fc.assert(
    fc.property(fc.double({ min: 2e6, max: 20e6, noNaN: true }), (rateHz) => {
      const fraction = rateFraction(rateHz);
      assert.ok(fraction.divider >= 1 && fraction.divider <= 31);
      assert.ok(Number.isInteger(fraction.numeratorHz));
      assert.ok(Math.abs(rateOf(fraction) - rateHz) <= 0.5);
    }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 2e6, max: 20e6 - 1 }), fc.integer({ min: 1, max: 31 }), fc.nat(30), (whole, i, k) => {
      const rateHz = whole + (k % i) / i;
      // The mantissa of a double holds 52 bits; the comparison is that of its last ones.
      assert.ok(Math.abs(rateOf(rateFraction(rateHz)) - rateHz) < 1e-7);
    }),
  );
  assert.throws(() => rateFraction(0), UsageError);
  assert.throws(() => rateFraction(Number.NaN), UsageError);
});

test('filters: never above 0.75 of the rate, never rounded when asked for', () => {
  const whole = (rateHz: number) => filterForRate({ numeratorHz: rateHz, divider: 1 }, filtersHz);
  // hackrf_compute_baseband_filter_bw of 0.75 rate.
  assert.equal(whole(20e6), 15e6);
  assert.equal(whole(10e6), 7e6);
  assert.equal(whole(8e6), 6e6);
  assert.equal(whole(2e6), 1.75e6);
  fc.assert(
    fc.property(fc.integer({ min: 2_333_334, max: 20e6 }), (rateHz) => {
      const filterHz = whole(rateHz);
      assert.ok(filterHz <= 0.75 * rateHz);
      assert.ok(!filtersHz.some((other) => other > filterHz && other <= Math.trunc(0.75 * rateHz)));
    }),
  );
  assert.equal(explicitFilter(5.5e6, filtersHz), 5.5e6);
  assert.throws(() => explicitFilter(5.4e6, filtersHz), /5\.5, 6/);
});

test('ppm: what is asked for is what a wrong clock gives', () => {
  const clock = new ClockError(3.1);
  assert.ok(Math.abs(clock.actual(clock.nominal(8e6)) - 8e6) < 1e-6);
  // A clock 10 ppm fast counts 10 MHz as 10 000 100: asked for 9 999 900 it gives 10 MHz.
  assert.ok(Math.abs(new ClockError(10).nominal(10e6) - 9_999_900) < 1e-2);
  assert.throws(() => new ClockError(500), /allowed -200 to 200/);
});
