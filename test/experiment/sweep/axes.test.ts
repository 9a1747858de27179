import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AXES, AXIS_NAMES, axisValues, MAX_VALUES } from '../../../src/experiment/sweep/axes.ts';

const axis = (name: string) => AXES.find((a) => a.name === name)!;

function values(name: string, raw: unknown): unknown[] {
  const found = axisValues(axis(name), raw);
  if ('message' in found) assert.fail(`${name}: ${found.message}`);
  return found.map((v) => v[axis(name).key]);
}

function issue(name: string, raw: unknown) {
  const found = axisValues(axis(name), raw);
  if (!('message' in found)) assert.fail(`${name} took ${JSON.stringify(raw)}`);
  return found;
}

test('axes have the names of the flags', () => {
  for (const name of ['codec', 'mode', 'mapping', 'channel', 'snr', 'seed', 'cbr', 'doppler', 'csi-delay', 'models']) {
    assert.ok(AXIS_NAMES.includes(name), name);
  }
  assert.equal(new Set(AXIS_NAMES).size, AXIS_NAMES.length);
});

test('values as flags take them, with units, ratios and ranges', () => {
  assert.deepEqual(values('snr', [0, '5', '10 dB', '15..25..5']), [0, 5, 10, 15, 20, 25]);
  assert.deepEqual(values('snr', '-2..1'), [-2, -1, 0, 1]);
  assert.deepEqual(values('snr', '4..0..-2'), [4, 2, 0]);
  assert.deepEqual(values('cbr', ['1/16', 0.125, '0.25']), [1 / 16, 0.125, 0.25]);
  assert.deepEqual(values('seed', '1..4'), [1, 2, 3, 4]);
  assert.deepEqual(values('correction', ['on', 'off', true]), [true, false, true]);
  assert.deepEqual(values('cfo', '12k'), [12000]);
  assert.deepEqual(values('channel', ['awgn', 'trace:runs/first']), ['awgn', 'trace:runs/first']);
  assert.deepEqual(axisValues(axis('iq'), '0.5,3'), [{ iqDb: 0.5, iqDeg: 3 }]);
  assert.deepEqual(axisValues(axis('jammer'), { kind: 'tone', powerDb: 10 }), [
    { jammer: { kind: 'tone', powerDb: 10 } },
  ]);
});

test('decimal steps stay decimal numbers', () => {
  assert.deepEqual(values('snr', '0..0.3..0.1'), [0, 0.1, 0.2, 0.3]);
});

test('a wrong value is refused with what is allowed and its place in the list', () => {
  assert.deepEqual(issue('codec', ['integrated', 'modula']), {
    at: 1,
    message: '"modula" is not one of integrated, modular, classical, onnx:DIR',
  });
  assert.match(issue('mapping', 'best').message, /matched, uniform, random, worst/);
  assert.deepEqual(issue('snr', [0, 999]), { at: 1, message: '999 dB is out of range: allowed -60 to 200 dB' });
  assert.match(issue('seed', '1..2..0.5').message, /whole number/);
  assert.match(issue('numerology', 24).message, /4, 6, 15, 25, 50/);
  assert.match(issue('ideal', 'maybe').message, /on or off/);
  assert.match(issue('codec', 3).message, /text/);
  assert.match(issue('codec', null).message, /no value/);
  assert.match(issue('snr', []).message, /empty list/);
  assert.match(issue('snr', 'loud').message, /not a number in dB/);
  assert.match(issue('snr', '1..2..3..4').message, /FROM\.\.TO/);
  assert.match(issue('snr', '5..1').message, /holds nothing: did you mean 5\.\.1\.\.-1\?/);
  assert.match(issue('snr', '1..5..0').message, /FROM\.\.TO/);
  assert.match(issue('iq', '0.5').message, /DB,DEG/);
  assert.match(issue('jammer', { kind: 'tone' }).message, /powerDb/);
});

test('the number of values is bounded before they are made', () => {
  assert.match(issue('seed', '0..4e9').message, new RegExp(`allowed 1 to ${MAX_VALUES}`));
  assert.match(issue('snr', '0..1..1e-300').message, /allowed 1 to|FROM/);
});

test('whatever stands there: values or a reason, never another error', () => {
  fc.assert(
    fc.property(fc.constantFrom(...AXES), fc.anything({ maxDepth: 2 }), (a, raw) => {
      const found = axisValues(a, raw);
      assert.ok('message' in found ? found.message.length > 0 : found.length > 0);
    }),
  );
  const words = fc.stringMatching(/^[-0-9.e/k,]{0,12}(\.\.[-0-9.ekM]{0,8}){0,3}$/);
  fc.assert(
    fc.property(fc.constantFrom(...AXES), words, (a, raw) => {
      axisValues(a, raw);
    }),
  );
});
