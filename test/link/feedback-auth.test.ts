import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { FormatError } from '../../src/common/errors.ts';
import {
  FEEDBACK_USE,
  FeedbackHandshake,
  feedbackToken,
  type HandshakeUse,
  MAX_FRAME_BYTES,
} from '../../src/link/feedback-auth.ts';
import '../fixed-seed.js';

const TOKEN = feedbackToken('0123456789abcdef0123456789abcdef');
const SHARED: HandshakeUse = { ...FEEDBACK_USE, medium: 'shared' };

function shaken(use: HandshakeUse) {
  const client = new FeedbackHandshake('client', TOKEN, randomBytes(32), use);
  const server = new FeedbackHandshake('server', TOKEN, randomBytes(32), use);
  server.take(client.take(server.take(client.opening!).reply!).reply!);
  assert.ok(client.ready && server.ready);
  return { client, server };
}

test('on a shared medium messages may be missing, never come twice or late, and strangers end nothing', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ heard: fc.boolean(), again: fc.boolean(), noise: fc.uint8Array({ maxLength: 200 }) }), {
        maxLength: 20,
      }),
      (steps) => {
        const { client, server } = shaken(SHARED);
        const old: Uint8Array[] = [];
        for (const [i, { heard, again, noise }] of steps.entries()) {
          const frame = client.seal(Uint8Array.of(i, 7));
          assert.throws(() => server.take(noise), FormatError);
          if (heard) {
            assert.deepEqual(server.take(frame).message, Uint8Array.of(i, 7));
            old.push(frame);
          }
          if (again) for (const one of old) assert.throws(() => server.take(one), /is due/);
          assert.ok(server.ready);
        }
      },
    ),
    { numRuns: 200 },
  );
});

test('what never came is counted by the numbers of what did', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 40 }), (heard) => {
      const { client, server } = shaken(SHARED);
      for (const [i, comes] of heard.entries()) {
        const frame = client.seal(Uint8Array.of(i, 7));
        if (comes) server.take(frame);
      }
      const upToLast = heard.slice(0, heard.lastIndexOf(true) + 1);
      assert.equal(server.lost, upToLast.filter((comes) => !comes).length);
    }),
    { numRuns: 200 },
  );
});

test('on an ordered medium strangers end nothing, and the first message after a gap ends it', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 10 }), fc.nat({ max: 9 }), (noises, gapAt) => {
      const { client, server } = shaken({ ...FEEDBACK_USE, medium: 'ordered' });
      const old: Uint8Array[] = [];
      for (const [i, noise] of noises.entries()) {
        assert.throws(() => server.take(noise), FormatError);
        for (const frame of old) assert.throws(() => server.take(frame), /is due/);
        const frame = client.seal(Uint8Array.of(i, 7));
        assert.ok(server.ready && !server.ended);
        if (i !== gapAt) assert.deepEqual(server.take(frame).message, Uint8Array.of(i, 7));
        else {
          assert.throws(() => server.take(client.seal(Uint8Array.of(i, 8))), /is due/);
          assert.ok(server.ended);
          assert.throws(() => server.take(client.seal(Uint8Array.of(i, 9))), /had failed/);
          return;
        }
        old.push(frame);
      }
    }),
    { numRuns: 200 },
  );
});

test('a stranger who speaks during the proof hinders nobody', () => {
  const client = new FeedbackHandshake('client', TOKEN, randomBytes(32), SHARED);
  const server = new FeedbackHandshake('server', TOKEN, randomBytes(32), SHARED);
  const noise = () => randomBytes(64);
  assert.throws(() => server.take(noise()), FormatError);
  const proof = server.take(client.opening!).reply!;
  assert.throws(() => client.take(noise()), FormatError);
  const answer = client.take(proof).reply!;
  assert.throws(() => server.take(noise()), FormatError);
  assert.ok(!server.ready);
  server.take(answer);
  assert.deepEqual(server.take(client.seal(Uint8Array.of(1))).message, Uint8Array.of(1));
});

test('another use of the token has other keys, and a message that is too long for its use is refused', () => {
  const other: HandshakeUse = { ...FEEDBACK_USE, label: 'sct other', mostBytes: 1000 };
  const client = new FeedbackHandshake('client', TOKEN, randomBytes(32), other);
  const server = new FeedbackHandshake('server', TOKEN, randomBytes(32));
  assert.throws(() => client.take(server.take(client.opening!).reply!), /different tokens/);
  const pair = shaken(other);
  assert.equal(pair.server.take(pair.client.seal(new Uint8Array(1000))).message?.length, 1000);
  assert.throws(() => pair.client.seal(new Uint8Array(1001)), /at most 1000 bytes/);
  const feedback = shaken(FEEDBACK_USE);
  assert.throws(() => feedback.server.take(new Uint8Array(MAX_FRAME_BYTES + 1)), /allowed/);
});
