import '../../fixed-seed.js';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { DeviceError, FormatError, SctError, UsageError } from '../../../src/common/errors.ts';
import { findParts } from '../../../src/radio/pluto/ad936x-parts.ts';
import { parseContext, parseScanFormat } from '../../../src/radio/pluto/context.ts';
import { planRate } from '../../../src/radio/pluto/rate-plan.ts';
import { parseList, parseNumber, parseRange, parseRegister } from '../../../src/radio/pluto/values.ts';
import { parseXml } from '../../../src/radio/pluto/xml.ts';
import type { IiodRecording } from './iiod-recording.ts';

/** The context that the server of the recordings sent: `PRINT`'s reply without its length. */
function recordedContext(): string {
  const url = new URL('../../vectors/radio/iiod-context.json', import.meta.url);
  const recording: IiodRecording = JSON.parse(readFileSync(url, 'utf8'));
  const text = recording.runs[0].connections[0].find(({ latin1 }) => latin1.includes('<context'))!.latin1;
  return Buffer.from(text.slice(text.indexOf('<?xml')), 'latin1').toString('utf8');
}

test('elements, attributes, entities; comments, CDATA, processing instructions and DOCTYPE are passed over', () => {
  const root = parseXml(
    `\uFEFF<?xml version="1.0"?><!DOCTYPE a [<!ELEMENT a (b)*><!ENTITY x "y">]><!-- <b> --><a one='1' two = "&lt;&amp;&#65;&#x42;">
     text <![CDATA[<b>]]> <b/><b c="d"><e></e></b></a> `,
  );
  assert.equal(root.name, 'a');
  assert.deepEqual(
    [...root.attributes],
    [
      ['one', '1'],
      ['two', '<&AB'],
    ],
  );
  assert.deepEqual(
    root.children.map(({ name, attributes }) => [name, ...attributes.values()]),
    [['b'], ['b', 'd']],
  );
  assert.equal(root.children[1].children[0].name, 'e');
});

test('what is no XML, or too much of it, is a FormatError that names the place', () => {
  for (const [text, message] of [
    ['', /no element/],
    ['<a>', /not closed/],
    ['<a></b>', /closes <a>/],
    ['</a>', /closes nothing/],
    ['<a/><b/>', /second root/],
    ['x<a/>', /outside/],
    ['<a/>x', /outside/],
    ['<a b=1/>', /without quotes/],
    ['<a b="1"c="2"/>', /no space/],
    ['<a b="1" b="2"/>', /twice/],
    ['<a b="1/>', /does not end/],
    ['<a b="&x;"/>', /no entity/],
    ['<a b="&#0;"/>', /no entity/],
    ['<a b="&#xD800;"/>', /no entity/],
    ['<a b="&lt"/>', /no entity/],
    ['<a b="<"/>', /has a </],
    ['<a><!-- </a>', /no "-->"/],
    ['<a><!DOCTYPE b></a>', /inside/],
    ['<1/>', /name is missing/],
    ['<a'.repeat(3), /no space|name/],
    ['<a>'.repeat(40), /nested deeper/],
    [`<a ${Array.from({ length: 40 }, (_, i) => `b${i}="1"`).join(' ')}/>`, /more than 32/],
    [`<a>${'<b/>'.repeat(20_001)}</a>`, /more than 20000/],
    [`<a b="${'x'.repeat(70_000)}"/>`, /over 65536/],
    [' '.repeat(5_000_000), /characters/],
  ] as const) {
    assert.throws(
      () => parseXml(text),
      (error) => error instanceof FormatError && message.test(error.message),
      text.slice(0, 60),
    );
  }
});

test('a context: devices, channels, scan formats, attributes of all kinds', () => {
  const context = parseContext(recordedContext());
  assert.equal(context.attributes.get('hw_model'), 'Analog Devices PlutoSDR Rev.C (Z7010-AD9363A)');
  const { rx, tx, toneSwitches } = findParts(context);
  assert.deepEqual([rx.mask, tx.mask], [[3], [3]]);
  assert.deepEqual([rx.format.bits, tx.format.bits], [12, 16]);
  assert.equal(toneSwitches.length, 4);
  assert.equal(rx.registers?.name, 'direct_reg_access');
  assert.deepEqual(rx.frequency.place, { kind: 'channel', channel: 'altvoltage0', output: true });
  assert.deepEqual(tx.frequency.place, { kind: 'channel', channel: 'altvoltage1', output: true });
});

test('a server that is no Pluto, or lies about one, is refused by what is missing', () => {
  const xml = recordedContext();
  for (const [from, to, message] of [
    ['ad9361-phy"', 'adxl345"', /no device ad9361-phy \(it has: adxl345/],
    ['name="RX_LO"', 'name="LO"', /no output channel RX_LO/],
    ['le:S12/16&gt;&gt;0', 'be:S12/16&gt;&gt;0', /16-bit little-endian/],
    ['le:S12/16&gt;&gt;0', 'le:S12/16&gt;&gt;9', /does not fit/],
    ['scan-element index="1"', 'scan-element index="7"', /one after the other/],
    ['id="iio:device0"', 'id="a b"', /is no word/],
    ['id="iio:device0"', 'id="iio:device1"', /twice/],
    ['name="hardwaregain"', 'name="gain"', /no attribute hardwaregain/],
    ['type="input"', 'type="both"', /type "both"/],
  ] as const) {
    assert.ok(xml.includes(from), from);
    const check = (error: unknown) => error instanceof SctError && message.test((error as Error).message);
    assert.throws(() => findParts(parseContext(xml.replaceAll(from, to))), check, `${from} -> ${to}`);
  }
});

test('a context with bytes changed, cut or repeated: an error of ours or a context, quickly', () => {
  const xml = recordedContext();
  const edit = fc.record({
    at: fc.nat(xml.length),
    cut: fc.nat(40),
    put: fc.oneof(fc.string({ maxLength: 6 }), fc.constantFrom('<', '>', '"', '&', '/>', '<device ')),
  });
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      let text = xml;
      for (const { at, cut, put } of edits) text = text.slice(0, at) + put + text.slice(at + cut);
      try {
        findParts(parseContext(text));
      } catch (error) {
        assert.ok(error instanceof FormatError || error instanceof DeviceError, String(error));
      }
    }),
    { numRuns: 300 },
  );
});

test('scan formats and values', () => {
  assert.deepEqual(parseScanFormat('le:S12/16>>0'), {
    littleEndian: true,
    signed: true,
    extended: true,
    bits: 12,
    containerBits: 16,
    repeat: 1,
    shift: 0,
  });
  assert.deepEqual(parseScanFormat('be:u24/32X2>>8').repeat, 2);
  for (const text of [
    '',
    'le:S12/16',
    'le:S17/16>>0',
    'le:S12/17>>0',
    'le:S0/16>>0',
    'me:S12/16>>0',
    'le:S12/16X0>>0',
  ]) {
    assert.throws(() => parseScanFormat(text), FormatError, text);
  }
  assert.equal(parseNumber('g', '71.000000 dB'), 71);
  assert.equal(parseNumber('g', ' -89.75'), -89.75);
  assert.deepEqual(parseRange('r', '[325000000 1 3800000000]'), { min: 325e6, max: 3.8e9, step: 1 });
  assert.deepEqual(parseList('l', '30720000 3840000 '), [30_720_000, 3_840_000]);
  assert.equal(parseRegister('d', '0x4'), 4);
  for (const text of ['', 'dB', '1;2', '1 2', 'NaN', '1e999', '0x10', '--1'])
    assert.throws(() => parseNumber('g', text), FormatError, text);
  for (const text of ['', '[1 2]', '[3 1 2]', '[1 -1 2]', '1 1 2', `[${'1 '.repeat(99)}]`])
    assert.throws(() => parseRange('r', text), FormatError);
  assert.throws(() => parseList('l', '1 '.repeat(70)), FormatError);
  for (const text of ['', '-1', '0x', '0x123456789', '5000000000', '4 4'])
    assert.throws(() => parseRegister('d', text), FormatError);
});

test('rates: the chip as it is, or eight times the rate and the divider; what needs a filter is refused', () => {
  const range = { min: 2_083_333, max: 61_440_000, step: 1 };
  assert.deepEqual(planRate(3_840_000, range, true), { chipHz: 3_840_000, divided: false });
  assert.deepEqual(planRate(1_920_000, range, true), { chipHz: 15_360_000, divided: true });
  assert.deepEqual(planRate(260_417, range, true), { chipHz: 2_083_336, divided: true });
  assert.throws(() => planRate(260_416, range, true), /allowed 260417 to 61440000/);
  assert.throws(() => planRate(1_920_000, range, false), /allowed 2083333/);
  assert.throws(() => planRate(61_440_001, range, true), UsageError);
  assert.throws(() => planRate(2.5e6 + 0.5, range, true), /whole hertz/);
});
