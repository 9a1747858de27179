import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EmulatedRudat } from '../../../hardware/emulated/instruments/attenuators.ts';
import { UsageError } from '../../../src/common/errors.ts';
import { attenuationForSnr, setSnr } from '../../../src/radio/instruments/cabled-snr.ts';
import { openAttenuator } from '../../../src/radio/instruments/open-instrument.ts';
import { portOf } from './wire.ts';
import '../../fixed-seed.js';

const range = { min: 0, max: 90, step: 0.25 };

test('a decibel of attenuation is a decibel of SNR', () => {
  const reference = { attenuationDb: 40, snrDb: 30 };
  assert.deepEqual(attenuationForSnr(reference, 30, range), { attenuationDb: 40, snrDb: 30 });
  assert.deepEqual(attenuationForSnr(reference, 12.5, range), { attenuationDb: 57.5, snrDb: 12.5 });
  assert.deepEqual(attenuationForSnr(reference, -20, range), { attenuationDb: 90, snrDb: -20 });
});

test('between two steps the nearest is taken and its own SNR is said', () => {
  const setting = attenuationForSnr({ attenuationDb: 40, snrDb: 30.1 }, 12.5, range);
  assert.equal(setting.attenuationDb, 57.5);
  assert.ok(Math.abs(setting.snrDb - 12.6) < 1e-9);
});

test('beyond the attenuator, or below what protects the receiver, it is refused with what can be had', () => {
  const reference = { attenuationDb: 40, snrDb: 30 };
  assert.throws(() => attenuationForSnr(reference, -21, range), {
    name: 'UsageError',
    message: /SNR -21 dB needs 91\.00 dB of attenuation; it can be 0 to 90 dB/,
    hint: /-20\.00 to 70\.00 dB/,
  });
  assert.throws(() => attenuationForSnr(reference, 71, range), UsageError);
  assert.throws(() => attenuationForSnr(reference, 45, range, 30.1), { message: /it can be 30\.25 to 90 dB/ });
  assert.deepEqual(attenuationForSnr(reference, 39.75, range, 30.1).attenuationDb, 30.25);
  assert.throws(() => attenuationForSnr(reference, Number.NaN, range), UsageError);
  assert.throws(() => attenuationForSnr({ attenuationDb: -1, snrDb: 3 }, 3, range), UsageError);
});

test('the SNR is within half a step, the setting on the grid and never below the least', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 90, noNaN: true }),
      fc.double({ min: -20, max: 60, noNaN: true }),
      fc.double({ min: -40, max: 100, noNaN: true }),
      fc.double({ min: 0, max: 60, noNaN: true }),
      fc.constantFrom(0.1, 0.25, 0.5),
      (attenuationDb, snrDb, wantedDb, leastDb, step) => {
        try {
          const setting = attenuationForSnr({ attenuationDb, snrDb }, wantedDb, { ...range, step }, leastDb);
          assert.ok(Math.abs(setting.snrDb - wantedDb) <= step / 2 + 1e-6);
          assert.ok(Math.abs(setting.attenuationDb / step - Math.round(setting.attenuationDb / step)) < 1e-6);
          assert.ok(setting.attenuationDb >= leastDb - 1e-6 && setting.attenuationDb <= 90);
        } catch (error) {
          assert.ok(error instanceof UsageError);
          const needed = attenuationDb + snrDb - wantedDb;
          assert.ok(needed < leastDb + step || needed > 90 - step);
        }
      },
    ),
  );
});

test('an attenuator is set for an SNR', async () => {
  const box = new EmulatedRudat('RUDAT-6000-90');
  const attenuator = await openAttenuator('att:p?model=rudat', portOf(box).open);
  const setting = await setSnr(attenuator, { attenuationDb: 45, snrDb: 28.3 }, 15, 30);
  assert.equal(box.attenuationDb, 58.25);
  assert.equal(setting.attenuationDb, 58.25);
  assert.ok(Math.abs(setting.snrDb - 15.05) < 1e-9);
  await assert.rejects(setSnr(attenuator, { attenuationDb: 45, snrDb: 28.3 }, 50, 30), UsageError);
  assert.equal(box.attenuationDb, 58.25, 'a refused SNR changes nothing');
  await attenuator.close();
});
