import '../fixed-seed.js';
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { parseRequest } from '../../src/dashboard/requests.ts';

const RUNS = Number(process.env.SCT_FUZZ ?? 5000);

test('what a page may ask', () => {
  const parse = (value: unknown) => parseRequest(JSON.stringify(value));
  const job = { command: 'loopback', options: { snr: 5, channel: 'eva', ideal: true }, source: 'photo.png' };
  assert.deepEqual(parse({ id: 1, do: 'start', ...job }), { id: 1, do: 'start', job });
  assert.deepEqual(parse({ id: 2, do: 'stop' }), { id: 2, do: 'stop' });
  const loop = { action: 'loop', value: [1, 2] };
  assert.deepEqual(parse({ id: 3, do: 'replay', ...loop }), { id: 3, do: 'replay', message: loop });
  const options = { estimator: 'ls' };
  assert.deepEqual(parse({ id: 3, do: 'again', options }), { id: 3, do: 'again', options });
  assert.deepEqual(parse({ id: 3, do: 'again' }), { id: 3, do: 'again', options: null });
  assert.deepEqual(parse({ id: 4, do: 'export', value: [0, 1.5] }), { id: 4, do: 'export', fromS: 0, toS: 1.5 });
});

test('what it may not', () => {
  for (const [value, why] of [
    ['{', /not JSON/],
    ['[]', /not an object/],
    ['{"do":"stop"}', /id/],
    ['{"id":-1,"do":"stop"}', /id/],
    ['{"id":1,"do":"format"}', /do:/],
    ['{"id":1,"do":"start"}', /command/],
    ['{"id":1,"do":"start","command":"loopback","options":{"--snr":1}}', /options/],
    ['{"id":1,"do":"start","command":"loopback","options":{"snr":[1]}}', /snr/],
    ['{"id":1,"do":"start","command":"loopback","source":""}', /source/],
    ['{"id":1,"do":"start","command":"loopback","source":"a\\u0000b"}', /source/],
    ['{"id":1,"do":"start","command":"loopback","options":{"__proto__":1}}', /options/],
    ['{"id":1,"do":"start","command":"loopback","options":{"constructor":1}}', /options/],
    ['{"id":1,"do":"start","command":{"__proto__":"loopback"}}', /command/],
    ['{"id":1,"do":"replay","action":"rewind"}', /action/],
    ['{"id":1,"do":"export"}', /value/],
    ['{"id":1,"do":"export","value":[1,1]}', /value/],
    ['{"id":1,"do":"export","value":[-1,1]}', /value/],
    ['{"id":1,"do":"export","value":[0,1e999]}', /value/],
    ['{"id":1,"do":"export","value":[0,1,2]}', /value/],
    [`{"id":1,"do":"start","command":"${'x'.repeat(70_000)}"}`, /characters/],
    [`${'['.repeat(60_000)}`, /not JSON/],
    [`${'['.repeat(30_000)}${']'.repeat(30_000)}`, /not an object/],
    ['{"id":1,"do":"replay","action":"seek","value":"1"}', /value/],
  ] as const) {
    const parsed = parseRequest(value);
    assert.ok(typeof parsed === 'string' && why.test(parsed), `${value}: ${JSON.stringify(parsed)}`);
  }
});

/** Longest text in a value, however deep; names count. */
function longestText(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.entries(value).reduce((most, [name, v]) => Math.max(most, name.length, longestText(v)), 0);
}

// SCT_FUZZ=1000000 for a long look.
test('whatever text comes: a request or a reason', () => {
  const key = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString', 'snr'));
  const near = fc.record(
    {
      id: fc.oneof(fc.nat(), fc.integer(), fc.anything()),
      do: fc.oneof(fc.constantFrom('start', 'stop', 'replay', 'again', 'export', '__proto__'), fc.anything()),
      command: fc.oneof(fc.string(), fc.string({ minLength: 4000, maxLength: 5000 }), fc.anything()),
      options: fc.oneof(fc.dictionary(key, fc.oneof(fc.string(), fc.double(), fc.anything())), fc.anything()),
      source: fc.oneof(fc.string(), fc.anything()),
      action: fc.oneof(fc.constantFrom('seek', 'loop', 'step'), fc.anything()),
      value: fc.oneof(fc.double(), fc.array(fc.double(), { minLength: 1, maxLength: 3 }), fc.anything()),
    },
    { requiredKeys: [] },
  );
  const text = (value: unknown) => {
    try {
      return JSON.stringify(value) ?? 'null';
    } catch {
      return 'null';
    }
  };
  // A message cut short, or with one character changed.
  const broken = fc.tuple(near, fc.nat(), fc.nat(65_535)).map(([value, at, code]) => {
    const whole = text(value);
    const i = at % whole.length;
    return code % 3 === 0 ? whole.slice(0, i) : whole.slice(0, i) + String.fromCharCode(code) + whole.slice(i + 1);
  });
  let requests = 0;
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), near.map(text), broken), (given) => {
      const parsed = parseRequest(given);
      if (typeof parsed === 'string') return assert.ok(parsed.length < 200);
      requests++;
      assert.ok(['start', 'stop', 'replay', 'again', 'export'].includes(parsed.do));
      assert.ok(Number.isSafeInteger(parsed.id) && parsed.id >= 0);
      assert.ok(longestText(parsed) <= 4096);
      if (parsed.do === 'start' || parsed.do === 'again') {
        const options = parsed.do === 'start' ? parsed.job.options : (parsed.options ?? {});
        assert.equal(Object.getPrototypeOf(options), Object.prototype);
        for (const name of Object.keys(options)) assert.ok(!(name in Object.prototype), name);
      }
      if (parsed.do === 'export') assert.ok(parsed.fromS >= 0 && parsed.toS > parsed.fromS && parsed.toS < Infinity);
      return undefined;
    }),
    { numRuns: RUNS },
  );
  assert.ok(requests > RUNS / 100, `${requests} of ${RUNS} were requests`);
});
