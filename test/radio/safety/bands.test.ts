import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FormatError, SctError } from '../../../src/common/errors.ts';
import {
  BAND_REGIONS,
  legalBand,
  limitErpDbm,
  loadLegalBands,
  MAX_ALLOWED_BANDS,
  parseAllowedBands,
  parseLegalBands,
} from '../../../src/radio/safety/bands.ts';
import '../../fixed-seed.js';

test('limits become ERP by their definitions', () => {
  assert.equal(limitErpDbm({ value: 10, unit: 'mW e.r.p.' }), 10);
  assert.ok(Math.abs(limitErpDbm({ value: 10, unit: 'mW e.i.r.p.' }) - 7.85) < 1e-9);
  // 50 mV/m at 3 m is -1.25 dBm EIRP (0.75 mW).
  assert.ok(Math.abs(limitErpDbm({ value: 50, unit: 'mV/m at 3 m' }) - (-1.249 - 2.15)) < 1e-3);
});

test('every file of hardware/bands loads, its names are unique and each band has a source', () => {
  for (const region of BAND_REGIONS) {
    const file = loadLegalBands(region);
    assert.equal(file.region, region);
    assert.equal(new Set(file.bands.map((band) => band.name)).size, file.bands.length);
    for (const band of file.bands) {
      const allowed = legalBand(`${region}:${band.name}`);
      assert.equal(allowed.fromHz, band.fromHz);
      assert.ok(allowed.maxErpDbm! >= -10 && allowed.maxErpDbm! <= 30, `${band.name}: ${allowed.maxErpDbm} dBm`);
      assert.ok(allowed.why.length > 20);
    }
  }
});

test('the bands say what their rules say', () => {
  assert.deepEqual(
    [legalBand('eu:433'), legalBand('eu:433.duty'), legalBand('eu:2400'), legalBand('us:902')].map((band) => [
      band.fromHz,
      band.toHz,
      Number(band.maxErpDbm!.toFixed(2)),
      band.maxDutyCycle,
    ]),
    [
      [433.05e6, 434.79e6, 0, null],
      [433.05e6, 434.79e6, 10, 0.1],
      [2400e6, 2483.5e6, 7.85, null],
      [902e6, 928e6, -3.4, null],
    ],
  );
});

test('nothing is allowed unless it is named', () => {
  assert.deepEqual(parseAllowedBands(undefined), []);
  assert.deepEqual(parseAllowedBands(null), []);
  assert.deepEqual(parseAllowedBands([]), []);
});

test('a config names legal bands and stretches of its own', () => {
  const bands = parseAllowedBands([
    'eu:2400',
    { fromHz: 434e6, toHz: 434.6e6, maxErpDbm: 0, why: 'licence 1234' },
    { fromHz: 1e9, toHz: 2e9, why: 'shielded room' },
  ]);
  assert.deepEqual(
    bands.map(({ name, fromHz, maxErpDbm, maxDutyCycle }) => [name, fromHz, maxErpDbm, maxDutyCycle]),
    [
      ['eu:2400', 2.4e9, limitErpDbm({ value: 10, unit: 'mW e.i.r.p.' }), null],
      [null, 434e6, 0, null],
      [null, 1e9, null, null],
    ],
  );
});

test('a wrong entry is named with its field', () => {
  const cases: readonly [unknown, RegExp][] = [
    ['eu:2400', /^FormatError: allowedBands: is not a list/],
    [{ fromHz: 1e6 }, /allowedBands: is not a list/],
    [['eu:27'], /allowedBands\[0\]: no band "eu:27" in hardware\/bands; there are: eu:433,/],
    [['__proto__:x'], /allowedBands\[0\]: no band/],
    [[{ fromHz: 2e9, toHz: 1e9, why: 'test' }], /allowedBands\[0\]\.toHz: is not above fromHz/],
    [[{ fromHz: 1e9, toHz: 2e9 }], /allowedBands\[0\]\.why/],
    [[{ fromHz: 1e9, toHz: 2e9, why: ' ' }], /allowedBands\[0\]\.why/],
    [[{ fromHz: 1e9, toHz: 2e9, why: 'test', maxErp: 3 }], /allowedBands\[0\]/],
    [[{ fromHz: '1e9', toHz: 2e9, why: 'test' }], /allowedBands\[0\]\.fromHz/],
    [[{ fromHz: 1e9, toHz: Number.POSITIVE_INFINITY, why: 'test' }], /allowedBands\[0\]\.toHz/],
    [Array.from({ length: MAX_ALLOWED_BANDS + 1 }, () => 'eu:2400'), /more than 64 entries/],
  ];
  for (const [value, message] of cases) assert.throws(() => parseAllowedBands(value), message);
});

test('a file of legal bands is checked', () => {
  const file = structuredClone(loadLegalBands('us')) as unknown as { bands: Record<string, unknown>[] };
  file.bands[1].toHz = 1;
  assert.throws(() => parseLegalBands(file), /bands\.1\.toHz/);
  file.bands[1] = { ...file.bands[0], source: '' };
  assert.throws(() => parseLegalBands(file), FormatError);
});

test('whatever stands in the config gives bands or a typed error', () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      try {
        for (const band of parseAllowedBands(value)) assert.ok(band.toHz > band.fromHz && band.why.length > 0);
      } catch (error) {
        assert.ok(error instanceof SctError, String(error));
      }
    }),
  );
  const entry = fc.record(
    { fromHz: fc.double(), toHz: fc.double(), why: fc.string(), maxErpDbm: fc.double(), maxDutyCycle: fc.double() },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(entry, fc.string())), (value) => {
      try {
        for (const band of parseAllowedBands(value)) assert.ok(band.toHz > band.fromHz && band.toHz <= 1e11);
      } catch (error) {
        assert.ok(error instanceof SctError, String(error));
      }
    }),
  );
});
