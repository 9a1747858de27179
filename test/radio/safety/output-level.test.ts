import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UsageError } from '../../../src/common/errors.ts';
import { loadProfile } from '../../../src/radio/profile.ts';
import { emissionSpan, formatSpan, imageSpan, spanInside } from '../../../src/radio/safety/occupied-band.ts';
import {
  COMPRESSION_ALLOWANCE_DB,
  completeTxGains,
  DIPOLE_GAIN_DBI,
  erpDbm,
  maxOutputDbm,
  outputBoundDbm,
} from '../../../src/radio/safety/output-level.ts';
import '../../fixed-seed.js';

const hackrf = loadProfile('hackrf');
const pluto = loadProfile('pluto');
const at = (mhz: number) => ({ lowHz: mhz * 1e6, highHz: mhz * 1e6 + 1e6 });

test('the span holds band and LO, widened by the clock error', () => {
  // 3.6 MHz beside an LO at 2.43 GHz, 5 MHz above it, 20 ppm: worked out by hand.
  const span = emissionSpan({ loHz: 2.43e9, offsetHz: 5e6, occupiedHz: 3.6e6 }, 20);
  assert.ok(Math.abs(span.lowHz - (2.43e9 - 48_600)) < 1);
  assert.ok(Math.abs(span.highHz - (2.4368e9 + 48_736)) < 1);
  const centred = emissionSpan({ loHz: 915e6, offsetHz: 0, occupiedHz: 2e6 }, 0);
  assert.deepEqual(centred, { lowHz: 914e6, highHz: 916e6 });
  assert.deepEqual(imageSpan({ loHz: 915e6, offsetHz: 5e6, occupiedHz: 2e6 }, 0), { lowHz: 909e6, highHz: 911e6 });
  assert.equal(formatSpan(centred), '914 to 916 MHz');
});

test('the span always holds every subcarrier and the LO of a clock within its error', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1e6, max: 6e9, noNaN: true }),
      fc.double({ min: -10e6, max: 10e6, noNaN: true }),
      fc.double({ min: 0, max: 20e6, noNaN: true }),
      fc.double({ min: 0, max: 100, noNaN: true }),
      fc.double({ min: -1, max: 1, noNaN: true }),
      fc.double({ min: -0.5, max: 0.5, noNaN: true }),
      (loHz, offsetHz, occupiedHz, ppm, part, where) => {
        const clock = 1 + part * ppm * 1e-6;
        const span = emissionSpan({ loHz, offsetHz, occupiedHz }, ppm);
        const subcarrierHz = (loHz + offsetHz + where * occupiedHz) * clock;
        // A negative frequency is the same as its mirror image; the narrow case of a band that reaches below 0 Hz is not ours.
        fc.pre(loHz + offsetHz - occupiedHz / 2 > 0);
        const slackHz = 1e-6 * loHz * 1e-6;
        assert.ok(
          spanInside(
            { lowHz: subcarrierHz, highHz: subcarrierHz },
            { lowHz: span.lowHz - slackHz, highHz: span.highHz + slackHz },
          ),
        );
        assert.ok(loHz * clock >= span.lowHz - slackHz && loHz * clock <= span.highHz + slackHz);
      },
    ),
  );
});

test('frequencies and widths out of range are refused', () => {
  assert.throws(() => emissionSpan({ loHz: Number.NaN, offsetHz: 0, occupiedHz: 1 }, 0), UsageError);
  assert.throws(() => emissionSpan({ loHz: 1e9, offsetHz: 0, occupiedHz: -1 }, 0), UsageError);
  assert.throws(() => emissionSpan({ loHz: 1e9, offsetHz: 0, occupiedHz: 1 }, -1), /clock error -1 ppm/);
});

test('at full gain the bound is the documented maximum, with gain taken back it falls by as much less the allowance', () => {
  assert.equal(outputBoundDbm(hackrf, at(2440), { txvga: 47, txamp: 14 }), 15);
  assert.equal(outputBoundDbm(hackrf, at(3000), { txvga: 47, txamp: 14 }), 5);
  assert.equal(outputBoundDbm(hackrf, at(5800), { txvga: 47, txamp: 14 }), 0);
  // 15 - (47 + 14 - 20) + 3
  assert.equal(outputBoundDbm(hackrf, at(2440), { txvga: 20, txamp: 0 }), -23);
  assert.equal(outputBoundDbm(hackrf, at(2440), {}), 15 - 61 + COMPRESSION_ALLOWANCE_DB);
  assert.equal(outputBoundDbm(pluto, at(915), { tx: 0 }), 7);
  assert.equal(outputBoundDbm(pluto, at(915), { tx: -10.25 }), 7 - 10.25 + 3);
  // The first decibels taken back are not trusted.
  assert.equal(outputBoundDbm(pluto, at(915), { tx: -2 }), 7);
});

test('the bound never falls when a gain rises, and never exceeds the maximum', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 46 }), fc.boolean(), fc.integer({ min: 1, max: 5990 }), (txvga, amp, mhz) => {
      const span = at(mhz);
      const low = outputBoundDbm(hackrf, span, { txvga, txamp: amp ? 14 : 0 });
      const high = outputBoundDbm(hackrf, span, { txvga: txvga + 1, txamp: amp ? 14 : 0 });
      assert.ok(high >= low && high <= maxOutputDbm(hackrf, span));
      assert.ok(outputBoundDbm(hackrf, span, { txvga, txamp: 14 }) >= low);
    }),
  );
});

test('over a boundary of the table the larger maximum counts', () => {
  assert.equal(maxOutputDbm(hackrf, { lowHz: 2.739e9, highHz: 2.741e9 }), 15);
  assert.equal(maxOutputDbm(hackrf, { lowHz: 3.999e9, highHz: 4.001e9 }), 5);
});

test('where the profile knows no output nothing is guessed', () => {
  assert.throws(() => maxOutputDbm(pluto, at(100)), /output at 100 to 101 MHz is not known; known: 325 to 3800 MHz/);
  assert.throws(() => maxOutputDbm(pluto, { lowHz: 3.799e9, highHz: 3.801e9 }), /not known/);
  assert.throws(() => maxOutputDbm(loadProfile('loopback'), at(915)), /known: nowhere/);
});

test('a gain that the board lacks, or off its grid, is refused', () => {
  assert.throws(() => completeTxGains(hackrf, { lna: 8 }), /no tx gain "lna"; it has: txvga, txamp/);
  assert.throws(() => completeTxGains(hackrf, { txamp: 7 }), /in steps of 14/);
  assert.throws(() => completeTxGains(hackrf, { txvga: 48 }), /allowed 0 to 47 dB/);
  assert.throws(() => completeTxGains(pluto, { tx: -10.1 }), /in steps of 0.25/);
  assert.deepEqual(completeTxGains(hackrf, {}), { txvga: 0, txamp: 0 });
});

test('ERP counts from a half-wave dipole', () => {
  assert.equal(erpDbm(10, DIPOLE_GAIN_DBI), 10);
  assert.ok(Math.abs(DIPOLE_GAIN_DBI - 10 * Math.log10(1.641)) < 0.002);
  assert.ok(Math.abs(erpDbm(10, 8.15) - 16) < 1e-9);
  assert.throws(() => erpDbm(0, Number.NaN), UsageError);
});
