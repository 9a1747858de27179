import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FormatError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import {
  CHUNK_BYTES,
  decodePush,
  encodePush,
  MAX_PUSH_FILES,
  MAX_PUSH_MESSAGE,
  type PushMessage,
  VERDICTS,
  WINDOW_BYTES,
} from '../../../src/link/push/push-messages.ts';
import { MAX_INDEX_BYTES, MAX_PUSH_BYTES, type PushOffer, pictureName } from '../../../src/sct/knowledge/push-offer.ts';
import '../../fixed-seed.js';

const hash = fc.stringMatching(/^[0-9a-f]{64}$/);
const name = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,31}$/);
const px = fc.integer({ min: 1, max: 8192 });
const bytes = fc.integer({ min: 2, max: MAX_PUSH_BYTES });
const offset = fc.integer({ min: 0, max: MAX_PUSH_BYTES - 1 });

const setOffer = fc
  .tuple(name, fc.integer({ min: 1, max: 65_535 }), hash, bytes, fc.integer({ min: 1, max: MAX_INDEX_BYTES }), hash)
  .map(([name, version, sha256, bytes, first, firstSha256]): PushOffer => {
    const firstBytes = Math.min(first, bytes - 1);
    return { kind: 'set', name, version, sha256, width: 0, height: 0, bytes, firstBytes, firstSha256 };
  });
const pictureOffer = fc
  .tuple(name, hash, px, px, bytes, hash)
  .map(([name, sha256, width, height, bytes, firstSha256]): PushOffer => {
    return { kind: 'picture', name, version: 0, sha256, width, height, bytes, firstBytes: bytes, firstSha256 };
  });
const message: fc.Arbitrary<PushMessage> = fc.oneof(
  fc.oneof(setOffer, pictureOffer).map((offer) => ({ type: 'offer' as const, offer })),
  fc
    .tuple(fc.integer({ min: 0, max: MAX_PUSH_FILES - 1 }), offset, fc.integer({ min: 1, max: WINDOW_BYTES }))
    .map(([file, offset, length]) => ({ type: 'want' as const, file, offset, length })),
  fc
    .tuple(offset, fc.uint8Array({ minLength: 1, maxLength: 300 }))
    .map(([offset, bytes]) => ({ type: 'data' as const, offset, bytes })),
  fc
    .tuple(fc.constantFrom(...VERDICTS), fc.string({ unit: 'binary', maxLength: 60 }))
    .filter(([, reason]) => Buffer.from(reason, 'utf8').toString('utf8') === reason)
    .map(([state, reason]) => ({ type: 'verdict' as const, state, reason })),
);

function plain(m: PushMessage) {
  return m.type === 'data' ? { ...m, bytes: [...m.bytes] } : m;
}

test('what is written is read, and is never longer than its bound', () => {
  fc.assert(
    fc.property(message, (m) => {
      const bytes = encodePush(m);
      assert.ok(bytes.length <= MAX_PUSH_MESSAGE);
      assert.deepEqual(plain(decodePush(bytes)), plain(m));
    }),
  );
  const whole = encodePush({ type: 'data', offset: 5, bytes: new Uint8Array(CHUNK_BYTES) });
  assert.equal(whole.length, MAX_PUSH_MESSAGE);
  assert.equal(
    Buffer.from(encodePush({ type: 'want', file: 3, offset: 0x01020304, length: 0x10000 })).toString('hex'),
    '020103'.concat('01020304', '00010000'),
  );
});

test('a long reason is cut between letters', () => {
  const message = decodePush(encodePush({ type: 'verdict', state: 'refused', reason: 'ä'.repeat(300) }));
  assert.ok(message.type === 'verdict');
  assert.equal(message.reason, 'ä'.repeat(127));
});

test('fuzz: 50 000 damaged messages end in a message or a FormatError, and every field is looked at', () => {
  const random = new RandomStream('push messages');
  const offer = {
    kind: 'set',
    name: 'live',
    version: 2,
    sha256: 'a'.repeat(64),
    width: 0,
    height: 0,
    bytes: 1000,
    firstBytes: 100,
    firstSha256: 'b'.repeat(64),
  } as const;
  const good = [
    encodePush({ type: 'offer', offer }),
    encodePush({ type: 'want', file: 1, offset: 7, length: 9 }),
    encodePush({ type: 'data', offset: 7, bytes: Uint8Array.of(1, 2, 3) }),
    encodePush({ type: 'verdict', state: 'waiting', reason: 'why' }),
  ];
  const fields = new Set<string>();
  let read = 0;
  for (let i = 0; i < 50_000; i++) {
    let bytes = Uint8Array.from(good[i % good.length]);
    if (random.integer(3) === 0) bytes = bytes.slice(0, random.integer(bytes.length + 1));
    if (random.integer(5) === 0) bytes = Uint8Array.of(...bytes, random.integer(256));
    for (let n = random.integer(4); n > 0 && bytes.length > 0; n--) {
      bytes[random.integer(bytes.length)] = random.integer(256);
    }
    try {
      const m = decodePush(bytes);
      assert.deepEqual(plain(decodePush(encodePush(m))), plain(m));
      read++;
    } catch (error) {
      assert.ok(error instanceof FormatError, String(error));
      fields.add(error.field);
    }
  }
  assert.ok(read > 5000, `${read}`);
  const all = ['message', 'type', 'version', 'kind', 'name', 'width', 'height', 'bytes', 'firstBytes', 'firstSha256'];
  for (const field of [...all, 'file', 'offset', 'length', 'state', 'reason']) assert.ok(fields.has(field), field);
  assert.throws(() => decodePush(new Uint8Array(MAX_PUSH_MESSAGE + 1)), /allowed 2 to/);
});

test('an offer must fit together', () => {
  const set: PushOffer = {
    kind: 'set',
    name: 'live',
    version: 2,
    sha256: 'a'.repeat(64),
    width: 0,
    height: 0,
    bytes: 1000,
    firstBytes: 100,
    firstSha256: 'b'.repeat(64),
  };
  const picture: PushOffer = { ...set, kind: 'picture', version: 0, width: 3, height: 2, firstBytes: 1000 };
  for (const offer of [set, picture]) assert.doesNotThrow(() => encodePush({ type: 'offer', offer }));
  for (const [offer, what] of [
    [{ ...set, version: 0 }, /version: 0, allowed 1 to 65535/],
    [{ ...set, width: 1 }, /width: 1, allowed 0 to 0/],
    [{ ...set, firstBytes: 1000 }, /firstBytes: 1000, allowed 1 to 999/],
    [{ ...set, bytes: MAX_PUSH_BYTES + 1 }, /bytes: /],
    [{ ...set, name: 'Live' }, /name: /],
    [{ ...set, sha256: 'A'.repeat(64) }, /sha256: must be 64/],
    [{ ...picture, version: 1 }, /version: 1, allowed 0 to 0/],
    [{ ...picture, height: 8193 }, /height: 8193, allowed 1 to 8192/],
    [{ ...picture, firstBytes: 999 }, /firstBytes: 999, allowed 1000 to 1000/],
  ] as const) {
    assert.throws(
      () => encodePush({ type: 'offer', offer }),
      (error: unknown) => error instanceof FormatError && what.test(error.message),
      String(what),
    );
  }
  assert.deepEqual(['Street 7.b', '--', 'ÄÖ', `x${'-'.repeat(40)}`].map(pictureName), [
    'street-7-b',
    'picture',
    'picture',
    'x',
  ]);
});
