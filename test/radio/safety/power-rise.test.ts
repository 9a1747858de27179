import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadProfile } from '../../../src/radio/profile.ts';
import { MAX_CABLED_INPUT_DBM } from '../../../src/radio/safety/cable-limits.ts';
import { outputBoundDbm } from '../../../src/radio/safety/output-level.ts';
import { PowerRise, RISE_STEP_DB, START_OUTPUT_DBM } from '../../../src/radio/safety/power-rise.ts';
import { TransmitRefused } from '../../../src/radio/safety/transmit-permission.ts';
import '../../fixed-seed.js';

const hackrf = loadProfile('hackrf');
const pluto = loadProfile('pluto');
const span = { lowHz: 2.438e9, highHz: 2.442e9 };
const ceiling = { txvga: 47, txamp: 14 };
const good = { snrDb: 20, wantedSnrDb: 15, receivedDbm: null, clipped: false };
const weak = { ...good, snrDb: 5 };

test('the start is harmless even with no attenuator at all', () => {
  assert.ok(START_OUTPUT_DBM <= MAX_CABLED_INPUT_DBM - 10);
  assert.deepEqual(new PowerRise(hackrf, span, ceiling, { cabledDb: 40 }).gainsDb, { txvga: 23, txamp: 0 });
  assert.deepEqual(new PowerRise(pluto, span, { tx: 0 }, { cabledDb: 40 }).gainsDb, { tx: -30 });
});

test('gains named low are not exceeded at the start, either', () => {
  const rise = new PowerRise(hackrf, span, { txvga: 5 }, { cabledDb: null });
  assert.deepEqual(rise.gainsDb, { txvga: 5, txamp: 0 });
  assert.equal(rise.atCeiling, true);
});

test('it rises by 6 dB while nothing is heard, by what is missing when it is, and stops at the ceiling', () => {
  const rise = new PowerRise(hackrf, span, ceiling, { cabledDb: null });
  assert.deepEqual(rise.notHeard(), { txvga: 29, txamp: 0 });
  assert.deepEqual(rise.heard({ ...good, snrDb: 12 }), { txvga: 32, txamp: 0 });
  assert.deepEqual(rise.heard(weak), { txvga: 38, txamp: 0 });
  assert.deepEqual(rise.heard(good), { txvga: 38, txamp: 0 });
  for (let i = 0; i < 10; i++) rise.notHeard();
  assert.deepEqual(rise.gainsDb, ceiling);
  assert.deepEqual(rise.heard({ ...good, clipped: true }), { txvga: 41, txamp: 14 });
  rise.reset();
  assert.deepEqual(rise.gainsDb, { txvga: 23, txamp: 0 });
});

test('the amplifier stays off where the user has not named it', () => {
  const rise = new PowerRise(hackrf, span, { txvga: 47 }, { cabledDb: null });
  for (let i = 0; i < 20; i++) rise.notHeard();
  assert.deepEqual(rise.gainsDb, { txvga: 47, txamp: 0 });
});

test('far more than predicted on a cable: the attenuator is missing', () => {
  const rise = new PowerRise(hackrf, span, ceiling, { cabledDb: 40 });
  // -20 dBm out, -60 predicted.
  rise.heard({ ...weak, receivedDbm: -50 });
  const again = new PowerRise(hackrf, span, ceiling, { cabledDb: 40 });
  assert.throws(
    () => again.heard({ ...weak, receivedDbm: -20 }),
    (error: unknown) => {
      assert.ok(error instanceof TransmitRefused);
      assert.match(error.message, /-20\.0 dBm arrive where at most -60\.0 dBm were predicted behind 40 dB/);
      return true;
    },
  );
  // Over the air there is no prediction.
  new PowerRise(hackrf, span, ceiling, { cabledDb: null }).heard({ ...weak, receivedDbm: -20 });
});

test('whatever the answers, a step is at most 6 dB, gains are on the grid and below the ceiling', () => {
  const answer = fc.option(
    fc.record({
      snrDb: fc.double({ min: -20, max: 60, noNaN: true }),
      wantedSnrDb: fc.double({ min: 0, max: 30, noNaN: true }),
      receivedDbm: fc.constant(null),
      clipped: fc.boolean(),
    }),
  );
  const boards = [
    { profile: hackrf, gains: fc.record({ txvga: fc.integer({ min: 0, max: 47 }), txamp: fc.constantFrom(0, 14) }) },
    { profile: pluto, gains: fc.record({ tx: fc.integer({ min: -359, max: 0 }).map((quarter) => quarter / 4) }) },
  ] as const;
  for (const { profile, gains } of boards) {
    fc.assert(
      fc.property(
        gains as fc.Arbitrary<Record<string, number>>,
        fc.array(answer, { maxLength: 30 }),
        (ceilingDb, answers) => {
          const rise = new PowerRise(profile, span, ceilingDb, { cabledDb: null });
          const sum = () => Object.values(rise.gainsDb).reduce((a, b) => a + b, 0);
          const weakest = outputBoundDbm(profile, span, {});
          assert.ok(rise.outputDbm <= Math.max(START_OUTPUT_DBM, weakest));
          for (const each of answers) {
            const before = sum();
            if (each) rise.heard(each);
            else rise.notHeard();
            assert.ok(sum() - before <= RISE_STEP_DB + 1e-9);
            // outputBoundDbm refuses gains off the grid.
            outputBoundDbm(profile, span, rise.gainsDb);
            for (const [name, gainDb] of Object.entries(rise.gainsDb)) assert.ok(gainDb <= ceilingDb[name] + 1e-9);
          }
        },
      ),
      { numRuns: 60 },
    );
  }
});
