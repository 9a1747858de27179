import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { parseRequest } from '../../src/dashboard/requests.ts';

test('what a page may ask', () => {
  const parse = (value: unknown) => parseRequest(JSON.stringify(value));
  const job = { command: 'loopback', options: { snr: 5, channel: 'eva', ideal: true }, source: 'photo.png' };
  assert.deepEqual(parse({ id: 1, do: 'start', ...job }), { id: 1, do: 'start', job });
  assert.deepEqual(parse({ id: 2, do: 'stop' }), { id: 2, do: 'stop' });
  const loop = { action: 'loop', value: [1, 2] };
  assert.deepEqual(parse({ id: 3, do: 'replay', ...loop }), { id: 3, do: 'replay', message: loop });
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
    ['{"id":1,"do":"replay","action":"rewind"}', /action/],
    ['{"id":1,"do":"replay","action":"seek","value":"1"}', /value/],
  ] as const) {
    const parsed = parseRequest(value);
    assert.ok(typeof parsed === 'string' && why.test(parsed), `${value}: ${JSON.stringify(parsed)}`);
  }
});

test('whatever text comes: a request or a reason', () => {
  const near = fc.record(
    {
      id: fc.oneof(fc.integer(), fc.anything()),
      do: fc.oneof(fc.constantFrom('start', 'stop', 'replay'), fc.anything()),
      command: fc.oneof(fc.string(), fc.anything()),
      options: fc.oneof(fc.dictionary(fc.string(), fc.anything()), fc.anything()),
      source: fc.anything(),
      action: fc.oneof(fc.constantFrom('seek', 'loop'), fc.anything()),
      value: fc.anything(),
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
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), near.map(text)), (given) => {
      const parsed = parseRequest(given);
      if (typeof parsed === 'string') assert.ok(parsed.length < 200);
      else assert.ok(['start', 'stop', 'replay'].includes(parsed.do));
    }),
    { numRuns: Number(process.env.SCT_FUZZ ?? 2000) },
  );
});
