import '../../fixed-seed.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatMicro, parseInteger, parseMicro } from '../../../hardware/emulated/pluto/attribute.ts';
import { carrierHz, pathRates } from '../../../hardware/emulated/pluto/clock-tree.ts';
import { IioError } from '../../../hardware/emulated/pluto/iio-error.ts';
import { RATE_HZ } from '../../../hardware/emulated/pluto/transceiver.ts';
import { Host, rig } from './helpers.ts';

test('whatever is written to any attribute, it is taken or refused, and every attribute still reads as text', () => {
  const { board } = rig();
  const attributes = board.context.devices.flatMap((device) => [
    ...device.attributes,
    ...device.buffer,
    ...device.debug,
    ...device.channels.flatMap((channel) => channel.attributes),
  ]);
  assert.ok(attributes.length > 200);
  const text = fc.oneof(
    fc.integer().map(String),
    fc.double().map(String),
    fc.string(),
    fc.constantFrom(
      '0',
      '1',
      'manual',
      'fdd',
      'sleep',
      '-10',
      '0x80000088 0x4',
      '1e9',
      '',
      '\n',
      '2400000000',
      '-0.5',
      '99999999999999999999',
    ),
  );
  fc.assert(
    fc.property(fc.nat(attributes.length - 1), text, (which, value) => {
      const attribute = attributes[which];
      try {
        attribute.write?.(value);
      } catch (error) {
        if (!(error instanceof IioError)) throw error;
      }
      try {
        assert.match(attribute.read(), /^[ -~\n]+$/, attribute.name);
      } catch (error) {
        if (!(error instanceof IioError)) throw error;
      }
    }),
    { numRuns: 5000 },
  );
});

test('numbers as the kernel reads them', () => {
  for (const [text, value] of [
    ['12', 12],
    ['-3\n', -3],
    ['+7', 7],
  ] as const)
    assert.equal(parseInteger(text), value);
  for (const text of ['', ' 1', '1 ', '1.5', '0x10', '1\n\n', '9223372036854775807'])
    assert.throws(() => parseInteger(text), IioError, text);
  for (const [text, micro] of [
    ['-10.25', -10_250_000],
    ['0.0000019', 1],
    ['3', 3_000_000],
    ['-0.5\n', -500_000],
  ] as const) {
    assert.equal(parseMicro(text), micro);
  }
  for (const text of ['10 dB', '1e3', '.', '--1', '']) assert.throws(() => parseMicro(text), IioError, text);
  fc.assert(
    fc.property(fc.integer({ min: -9e8, max: 9e8 }), (micro) => assert.equal(parseMicro(formatMicro(micro)), micro)),
  );
});

// Step of the carrier: 80 MHz / 8388593 / divider, at most 2.4 Hz with a divider of 4 (9.5 Hz at 6 GHz); of the BBPLL: 19.1 Hz / divider.
test('carriers and rates come out within a step of the PLLs', () => {
  fc.assert(
    fc.property(fc.integer({ min: 325e6, max: 3.8e9 }), fc.integer({ min: -8000, max: 8000 }), (hz, off) => {
      const got = carrierHz(hz, 40e6 + off);
      assert.ok(got % 2 === 0 && Math.abs(got - hz) <= 5, `${hz}: ${got}`);
    }),
  );
  fc.assert(
    fc.property(fc.integer({ min: RATE_HZ.min, max: RATE_HZ.max }), (hz) => {
      const { sampleHz, adcHz, bbpllHz } = pathRates(hz, 40e6);
      assert.ok(Math.abs(sampleHz - hz) <= 2, `${hz}: ${sampleHz}`);
      assert.ok(adcHz >= 24.9e6 && bbpllHz >= 714.9e6 && bbpllHz <= 1430.1e6);
    }),
  );
  // The rate of a Pluto as it comes: BBPLL:983040002 ADC:245760000 R2:122880000 R1:61440000 (context of a real board).
  const { bbpllHz, adcHz, r2Hz, r1Hz, dacHz } = pathRates(30_720_000, 40_000_159);
  assert.ok(Math.abs(bbpllHz - 983_040_002) <= 19);
  assert.deepEqual(
    [adcHz, r2Hz, r1Hz, dacHz].map((v) => Math.round(v / 1e3)),
    [245_760, 122_880, 61_440, 122_880],
  );
});

test('gains keep to their tables: the range follows the carrier, steps of 1 and of 0.25 dB', async () => {
  const host = new Host(rig().iiod);
  const gain = 'ad9361-phy INPUT voltage0 hardwaregain';
  await host.set('ad9361-phy INPUT voltage0 gain_control_mode', 'manual');
  assert.equal(await host.get(`${gain}_available`), '[-3 1 71]');
  assert.equal(await host.set(gain, '72'), '-22\n');
  await host.set('ad9361-phy OUTPUT RX_LO frequency', '915000000');
  assert.equal(await host.get(`${gain}_available`), '[-1 1 73]');
  assert.equal(await host.set(gain, '73.9'), '5\n');
  assert.equal(await host.get(gain), '73.000000 dB');
  await host.set('ad9361-phy OUTPUT RX_LO frequency', '2400000000');
  assert.equal(await host.get(gain), '71.000000 dB', 'what the other table has not');
  const attenuation = 'ad9361-phy OUTPUT voltage0 hardwaregain';
  for (const [asked, got] of [
    ['-10.1', '-10.000000 dB'],
    ['0', '0.000000 dB'],
    ['-89.75', '-89.750000 dB'],
  ]) {
    assert.equal(await host.set(attenuation, asked), `${asked.length + 1}\n`);
    assert.equal(await host.get(attenuation), got);
  }
  for (const asked of ['0.25', '-90']) assert.equal(await host.set(attenuation, asked), '-22\n');
});

test('asleep the chip takes no settings; initialised it is as after power-on', async () => {
  const host = new Host(rig().iiod);
  await host.set('ad9361-phy OUTPUT RX_LO frequency', '900000000');
  await host.set('ad9361-phy ensm_mode', 'sleep');
  assert.equal(await host.set('ad9361-phy OUTPUT RX_LO frequency', '1000000000'), '-22\n');
  assert.equal(await host.set('ad9361-phy INPUT voltage0 sampling_frequency', '4000000'), '-22\n');
  assert.equal(await host.set('ad9361-phy DEBUG initialize', '1'), '2\n');
  assert.equal(await host.get('ad9361-phy ensm_mode'), 'fdd');
  assert.equal(await host.get('ad9361-phy OUTPUT RX_LO frequency'), '2400000000');
});

test('registers: bits of the DMA stay until 1 is written; addresses out of range are refused', async () => {
  const { iiod, clock } = rig({ source: () => {} });
  const host = new Host(iiod);
  const register = 'cf-ad9361-lpc DEBUG direct_reg_access';
  await host.set(register, '0x80000088');
  assert.equal(await host.get(register), '0x0');
  await host.ask('OPEN iio:device3 64 00000003\r\n');
  await clock.advance(1e-3);
  assert.equal(await host.get(register), '0x4');
  assert.equal(await host.get(register), '0x4');
  assert.equal(await host.set(register, '0x80000088 0x4'), '15\n');
  assert.equal(await host.get(register), '0x0');
  for (const text of ['0x80000089', '0x80010000', 'x', '1 2 3'])
    assert.equal(await host.set(register, text), '-22\n', text);
});
