import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SctError, UsageError } from '../../../src/common/errors.ts';
import { describePlace, hostPortOf, isNatsUrl, parseNatsUrl } from '../../../src/link/nats/nats-url.ts';
import '../../fixed-seed.js';

test('host, port and name of a NATS server', () => {
  const plain = { host: 'lab', port: 4222, tls: false, name: null };
  assert.deepEqual(parseNatsUrl('nats://lab', '--nats'), plain);
  assert.deepEqual(parseNatsUrl('nats://lab/', '--nats'), plain);
  assert.deepEqual(parseNatsUrl('tls://lab:4443/night-run', '--nats'), {
    host: 'lab',
    port: 4443,
    tls: true,
    name: 'night-run',
  });
  const six = parseNatsUrl('nats://[::1]:80/a', '--nats');
  assert.deepEqual([six.host, six.port, hostPortOf(six)], ['::1', 80, '[::1]:80']);
});

test('what is no such URL is refused, and no password is repeated', () => {
  const wrong = [
    ...['http://lab', 'nats:', 'nats://', 'nats://lab:0', 'nats://lab:99999', 'nats://lab/a/b', 'nats://lab/a.b'],
    ...['nats://lab/>', 'nats://lab/*', 'nats://lab?x=1', 'nats://lab#x', `nats://${'a'.repeat(2000)}`],
  ];
  for (const text of wrong) assert.throws(() => parseNatsUrl(text, '--nats'), UsageError, text);
  assert.throws(
    () => parseNatsUrl('nats://me:secret@lab', '--nats'),
    (error: SctError) => /no place for a password/.test(error.message) && !error.message.includes('secret'),
  );
});

test('any text is a place, which says itself again, or a UsageError', () => {
  const parts = fc.tuple(
    fc.constantFrom('nats:', 'tls:', 'ws:', ''),
    fc.oneof(fc.webAuthority(), fc.string()),
    fc.oneof(fc.webPath(), fc.string()),
  );
  fc.assert(
    fc.property(
      parts.map(([scheme, host, path]) => `${scheme}//${host}${path}`),
      (text) => {
        try {
          const place = parseNatsUrl(text, '--nats');
          assert.ok(isNatsUrl(text) && place.port >= 1 && place.port <= 65535);
          assert.match(place.name ?? 'none', /^[A-Za-z0-9_-]{1,64}$/);
          assert.deepEqual(parseNatsUrl(describePlace(place), '--nats'), place);
        } catch (error) {
          if (!(error instanceof SctError)) throw error;
        }
      },
    ),
  );
});
