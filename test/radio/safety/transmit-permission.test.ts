import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadProfile } from '../../../src/radio/profile.ts';
import { type AllowedBand, legalBand, parseAllowedBands } from '../../../src/radio/safety/bands.ts';
import { CABLED_FLAG, parseCabled } from '../../../src/radio/safety/flag-words.ts';
import { emissionSpan } from '../../../src/radio/safety/occupied-band.ts';
import { outputBoundDbm } from '../../../src/radio/safety/output-level.ts';
import {
  checkTransmission,
  describePermission,
  radiates,
  type Transmission,
  TransmitRefused,
  type TransmitRules,
} from '../../../src/radio/safety/transmit-permission.ts';
import { parseRadioUri } from '../../../src/radio/uri.ts';
import '../../fixed-seed.js';

const hackrf = loadProfile('hackrf');
const pluto = loadProfile('pluto');
const full: Transmission = {
  profile: hackrf,
  loHz: 2.44e9,
  offsetHz: 0,
  occupiedHz: 4.5e6,
  gainsDb: { txvga: 47, txamp: 14 },
};
const rules = (over: Partial<TransmitRules> = {}): TransmitRules => ({
  cabledDb: null,
  allowedBands: [],
  receiver: hackrf,
  ...over,
});
const own = (fromHz: number, toHz: number, maxErpDbm: number | null = null): AllowedBand => ({
  name: null,
  fromHz,
  toHz,
  maxErpDbm,
  maxDutyCycle: null,
  why: 'test',
});

test('boards ask for permission, files and the loopback do not', () => {
  const uris = ['hackrf', 'hackrf:12ab?lna=8', 'pluto:usb', 'pluto:ip:192.168.2.1', 'file:air', 'loopback'];
  assert.deepEqual(
    uris.map((uri) => radiates(parseRadioUri(uri))),
    [true, true, true, true, false, false],
  );
});

test('without a band and without --cabled nothing is sent', () => {
  assert.throws(
    () => checkTransmission(full, rules()),
    (error: unknown) => {
      assert.ok(error instanceof TransmitRefused);
      assert.equal(error.exitCode, 2);
      assert.match(error.hint ?? '', /--cabled DB .*allowedBands/);
      return true;
    },
  );
});

test('cabled: 15 dBm behind 25 dB is the limit, behind 24 dB too much', () => {
  const permission = checkTransmission(full, rules({ cabledDb: 25 }));
  assert.deepEqual(
    { ...permission, span: null },
    { kind: 'cabled', span: null, attenuationDb: 25, outputDbm: 15, receiverDbm: -10, limitDbm: -10 },
  );
  assert.equal(describePermission(permission), 'cabled, 25 dB: at most -10.0 dBm at the receiver (limit -10 dBm)');
  assert.throws(() => checkTransmission(full, rules({ cabledDb: 24 })), /receiver gets up to -9\.0 dBm, limit -10 dBm/);
  assert.throws(() => checkTransmission(full, rules({ cabledDb: 24 })), { hint: /1 dB more .* 1 dB off/ });
});

test('cabled: less gain needs less attenuation, a weaker receiver lowers the limit, an unknown one keeps -10 dBm', () => {
  const quiet = { ...full, gainsDb: { txvga: 10 } }; // 15 - 51 + 3 = -33 dBm
  assert.equal(checkTransmission(quiet, rules({ cabledDb: 0 })).outputDbm, -33);
  const tender = { ...hackrf, limits: { ...hackrf.limits, maxInputDbm: { ...hackrf.limits.maxInputDbm, value: -20 } } };
  assert.throws(() => checkTransmission(full, rules({ cabledDb: 30, receiver: tender })), /limit -20 dBm/);
  assert.equal(checkTransmission(full, rules({ cabledDb: 35, receiver: tender })).kind, 'cabled');
  assert.throws(() => checkTransmission(full, rules({ cabledDb: 20, receiver: null })), /limit -10 dBm/);
  const plutoFull = { ...full, profile: pluto, gainsDb: { tx: 0 } };
  assert.throws(() => checkTransmission(plutoFull, rules({ cabledDb: 16, receiver: pluto })), /limit -10 dBm/);
  assert.equal(checkTransmission(plutoFull, rules({ cabledDb: 17, receiver: pluto })).kind, 'cabled');
});

test('cabled: no attenuation outside 0 to 200 dB, none that is no number', () => {
  for (const cabledDb of [-1, 201, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => checkTransmission(full, rules({ cabledDb })), /--cabled .* allowed 0 to 200 dB/);
  }
  assert.equal(parseCabled('40'), 40);
  assert.equal(parseCabled(' 37.5 dB'), 37.5);
  for (const text of ['', 'x', '-3', '1e999', '201', '40 dBm']) assert.throws(() => parseCabled(text), /--cabled/);
  assert.match(CABLED_FLAG.help, /-10 dBm/);
});

test('cabled: what is allowed never exceeds the limit, and the hint is enough', () => {
  const gain = fc.record({ txvga: fc.integer({ min: 0, max: 47 }), txamp: fc.constantFrom(0, 14) });
  fc.assert(
    fc.property(gain, fc.integer({ min: 0, max: 80 }), fc.integer({ min: 2, max: 5990 }), (gainsDb, cabledDb, mhz) => {
      const transmission = { ...full, loHz: mhz * 1e6, occupiedHz: 1e6, gainsDb };
      const outputDbm = outputBoundDbm(hackrf, emissionSpan(transmission, 20), gainsDb);
      try {
        const permission = checkTransmission(transmission, rules({ cabledDb }));
        assert.ok(permission.kind === 'cabled' && permission.receiverDbm <= -10);
      } catch (error) {
        assert.ok(error instanceof TransmitRefused);
        assert.ok(outputDbm - cabledDb > -10);
        const moreDb = Number(/put (\d+) dB/.exec(error.hint ?? '')?.[1]);
        assert.equal(checkTransmission(transmission, rules({ cabledDb: cabledDb + moreDb })).kind, 'cabled');
      }
    }),
  );
});

test('a band must hold occupied band, LO and clock error', () => {
  const weak = { ...full, gainsDb: {} };
  // 2437.75 to 2442.25 MHz and 20 ppm (49 kHz).
  const fits = rules({ allowedBands: [own(2437.7e6, 2442.3e6)] });
  assert.equal(checkTransmission(weak, fits).kind, 'band');
  assert.throws(() => checkTransmission(weak, rules({ allowedBands: [own(2437.75e6, 2442.25e6)] })), /not inside/);
  assert.equal(
    checkTransmission({ ...weak, clockErrorPpm: 0 }, rules({ allowedBands: [own(2437.75e6, 2442.25e6)] })).kind,
    'band',
  );
  // The modem 5 MHz above the LO: its own band is inside, the LO is not.
  const beside = { ...weak, loHz: 2.435e9, offsetHz: 5e6 };
  assert.throws(() => checkTransmission(beside, fits), /the LO leaks at 2\.435 GHz/);
  assert.equal(checkTransmission(beside, rules({ allowedBands: [own(2434.9e6, 2442.3e6)] })).kind, 'band');
});

test('the ERP stays below the limit of the band, antenna gain included', () => {
  const eu = rules({ allowedBands: [legalBand('eu:2400')] }); // 7.85 dBm ERP
  assert.throws(() => checkTransmission(full, eu), /up to 15\.0 dBm ERP .* allows 7\.85 dBm/);
  assert.throws(() => checkTransmission(full, eu), { hint: /7\.2 dB off/ });
  const less = { ...full, gainsDb: { txvga: 36, txamp: 14 } }; // 15 - 11 + 3 = 7
  const permission = checkTransmission(less, eu);
  assert.ok(permission.kind === 'band' && permission.erpDbm === 7 && permission.band.name === 'eu:2400');
  assert.match(
    describePermission(permission),
    /2400 to 2483\.5 MHz \(eu:2400\): at most 7\.0 dBm ERP \(limit 7\.85 dBm\); Decision/,
  );
  assert.throws(() => checkTransmission(less, { ...eu, antennaGainDbi: 5.15 }), /10\.0 dBm ERP/);
  // A band without a limit of its own: the user's licence.
  assert.equal(checkTransmission(full, rules({ allowedBands: [own(2.4e9, 2.5e9)] })).kind, 'band');
});

test('bands that touch are one band with the strictest limits, bands with a gap are not', () => {
  const wide = { ...full, profile: hackrf, loHz: 865e6, occupiedHz: 2e6, gainsDb: {} };
  const permission = checkTransmission(wide, rules({ allowedBands: parseAllowedBands(['eu:865', 'eu:863']) }));
  assert.ok(permission.kind === 'band');
  assert.equal(permission.band.name, 'eu:863+eu:865');
  assert.equal(permission.band.maxDutyCycle, 0.001);
  const gap = [own(860e6, 864.9e6), own(865.1e6, 870e6)];
  assert.throws(() => checkTransmission(wide, rules({ allowedBands: gap })), /not inside an allowed band/);
  // Where one band alone holds it, its own limits count, and the most generous of several.
  const alone = checkTransmission(
    { ...wide, loHz: 866.5e6 },
    rules({ allowedBands: parseAllowedBands(['eu:865', 'eu:863']) }),
  );
  assert.ok(alone.kind === 'band' && alone.band.name === 'eu:865');
  const two = rules({ allowedBands: [own(860e6, 870e6, -50), own(860e6, 870e6, 3)] });
  const generous = checkTransmission(wide, two);
  assert.ok(generous.kind === 'band' && generous.band.maxErpDbm === 3);
});

test('whatever is allowed lies inside the union of the allowed bands', () => {
  const bandArb = fc.tuple(fc.integer({ min: 850, max: 900 }), fc.integer({ min: 1, max: 10 }));
  fc.assert(
    fc.property(
      fc.array(bandArb, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 845, max: 905 }),
      fc.integer({ min: 1, max: 8 }),
      (list, mhz, widthMhz) => {
        const allowedBands = list.map(([from, width]) => own(from * 1e6, (from + width) * 1e6));
        const transmission = { ...full, loHz: mhz * 1e6, occupiedHz: widthMhz * 1e6, gainsDb: {}, clockErrorPpm: 0 };
        const covered = (hz: number) => allowedBands.some((band) => hz >= band.fromHz && hz <= band.toHz);
        let inside = true;
        for (let k = 0; k <= 64; k++) inside &&= covered(transmission.loHz + (k / 64 - 0.5) * transmission.occupiedHz);
        let allowed = true;
        try {
          checkTransmission(transmission, rules({ allowedBands }));
        } catch (error) {
          assert.ok(error instanceof TransmitRefused);
          allowed = false;
        }
        assert.equal(allowed, inside);
      },
    ),
  );
});
