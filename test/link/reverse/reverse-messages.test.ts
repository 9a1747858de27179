import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CRC16, crcBytes } from '../../../src/common/crc.ts';
import { FormatError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { MAX_PIECES, PIECE_BYTES } from '../../../src/link/reverse/knowledge-pieces.ts';
import {
  decodeReverseMessage,
  encodeAckMessage,
  encodeCsiMessage,
  encodeKnowledgePiece,
  MAX_ASKED,
  MAX_REVERSE_BYTES,
} from '../../../src/link/reverse/reverse-messages.ts';

const whole = (min: number, max: number) => fc.integer({ min, max });
const anyReport = fc.record(
  {
    number: whole(1, 63),
    session: whole(0, 255),
    burst: whole(0, 1023),
    codes: fc.uint8Array({ minLength: 1, maxLength: 50 }),
  },
  { noNullPrototype: true },
);
const anyAck = fc
  .record(
    {
      session: whole(0, 255),
      burst: whole(0, 1023),
      extensionOk: fc.boolean(),
      process: whole(0, 15),
      newData: whole(0, 1),
      blocks: fc.array(fc.boolean(), { maxLength: 255 }),
      asked: fc.option(fc.uniqueArray(whole(0, 254), { maxLength: MAX_ASKED }), { nil: undefined }),
    },
    { noNullPrototype: true },
  )
  .map(({ asked, ...ack }) => {
    if (!ack.extensionOk) return { ...ack, process: 0, newData: 0, blocks: [] };
    return asked ? { ...ack, asked } : ack;
  });

test('reports and acknowledgements come back, within the stated length', () => {
  fc.assert(
    fc.property(anyReport, (report) => {
      const bytes = encodeCsiMessage(report);
      assert.ok(bytes.length <= MAX_REVERSE_BYTES);
      assert.deepEqual(decodeReverseMessage(bytes), { type: 'csi', report });
    }),
  );
  fc.assert(
    fc.property(anyAck, (ack) => {
      const bytes = encodeAckMessage(ack);
      assert.ok(bytes.length <= MAX_REVERSE_BYTES);
      assert.deepEqual(decodeReverseMessage(bytes), { type: 'ack', ack });
    }),
  );
});

test('values out of range are refused by name when sent', () => {
  const report = { number: 1, session: 1, burst: 1, codes: Uint8Array.of(5) };
  const ack = { session: 1, burst: 1, extensionOk: true, process: 3, newData: 1, blocks: [true] };
  const refused = (body: () => unknown, field: string) =>
    assert.throws(body, (e: unknown) => e instanceof FormatError && e.field === field, field);
  refused(() => encodeCsiMessage({ ...report, number: 0 }), 'number');
  refused(() => encodeCsiMessage({ ...report, number: 64 }), 'number');
  refused(() => encodeCsiMessage({ ...report, session: 256 }), 'session');
  refused(() => encodeCsiMessage({ ...report, burst: 1024 }), 'burst');
  refused(() => encodeCsiMessage({ ...report, codes: new Uint8Array(0) }), 'subbands');
  refused(() => encodeCsiMessage({ ...report, codes: new Uint8Array(51) }), 'subbands');
  refused(() => encodeAckMessage({ ...ack, session: -1 }), 'session');
  refused(() => encodeAckMessage({ ...ack, burst: 2.5 }), 'burst');
  refused(() => encodeAckMessage({ ...ack, process: 16 }), 'process');
  refused(() => encodeAckMessage({ ...ack, newData: 2 }), 'newData');
  refused(() => encodeAckMessage({ ...ack, blocks: new Array(256).fill(true) }), 'blockCount');
  refused(() => encodeAckMessage({ ...ack, asked: Array.from({ length: 64 }, (_, i) => i) }), 'askedCount');
  assert.throws(() => encodeAckMessage({ ...ack, asked: [255] }), /255 is outside 0 to 254/);
});

const ANSWER = { session: 1, burst: 1, extensionOk: true, process: 3, newData: 1, blocks: [] };

/** Puts the right CRC behind a body. */
function seal(body: Uint8Array): Uint8Array {
  const crc = crcBytes(CRC16, body);
  return Uint8Array.of(...body, crc >> 8, crc & 0xff);
}

test('wrong messages with a right CRC are refused by name', () => {
  const body = encodeCsiMessage({ number: 9, session: 1, burst: 2, codes: Uint8Array.of(1, 2, 3) }).slice(0, -2);
  const cases: [string, Uint8Array][] = [
    ['codes', seal(body.subarray(0, body.length - 1))],
    ['padding', seal(Uint8Array.of(...body, 1))],
    ['number', seal(Uint8Array.of(body[0] & 0xc0, ...body.subarray(1)))],
    ['type', seal(Uint8Array.of(0, 0, 0, 0))],
    ['message', new Uint8Array(MAX_REVERSE_BYTES + 1)],
    ['message', new Uint8Array(2)],
    ['crc', Uint8Array.of(...body, 0, 0)],
    // Streams asked for: named twice, of an extension that was not understood, of another form.
    ['asked', encodeAckMessage({ ...ANSWER, asked: [3, 4, 3] })],
    ['extensionOk', encodeAckMessage({ ...ANSWER, extensionOk: false, process: 0, newData: 0, asked: [] })],
    // A piece behind the last, one that is too short for where it stands, one of another form.
    ['index', encodeKnowledgePiece({ session: 1, index: 2, last: 1, bytes: Uint8Array.of(1) })],
    ['length', encodeKnowledgePiece({ session: 1, index: 0, last: 1, bytes: Uint8Array.of(1) })],
    ['form', seal(Uint8Array.of(0xd0, 0, 0, 0, 0))],
    ['form', seal(Uint8Array.of(encodeAckMessage(ANSWER)[0] ^ 0x18, ...encodeAckMessage(ANSWER).slice(1, -2)))],
  ];
  for (const [field, bytes] of cases) {
    assert.throws(
      () => decodeReverseMessage(bytes),
      (e: unknown) => e instanceof FormatError && e.field === field,
      field,
    );
  }
});

test('half a million random and mutated reverse messages: a message or a FormatError, nothing else', () => {
  const random = new RandomStream('reverse fuzz');
  const valid = [
    encodeCsiMessage({ number: 63, session: 255, burst: 1023, codes: random.bytes(50) }),
    encodeAckMessage({
      session: 1,
      burst: 2,
      extensionOk: true,
      process: 5,
      newData: 1,
      blocks: new Array(255).fill(true),
      asked: Array.from({ length: MAX_ASKED }, (_, i) => i),
    }),
    encodeKnowledgePiece({ session: 1, index: 3, last: 4, bytes: random.bytes(PIECE_BYTES) }),
  ].map((bytes) => bytes.slice(0, -2));
  assert.equal(valid[1].length + 2, MAX_REVERSE_BYTES, 'the largest message');
  const good = { csi: 0, ack: 0, knowledge: 0 };
  for (let i = 0; i < 500_000; i++) {
    let body: Uint8Array;
    if (i % 4 === 0) body = random.bytes(1 + random.integer(MAX_REVERSE_BYTES - 2));
    else {
      body = valid[i % 3].slice();
      for (let k = 0; k <= (i % 5) >> 1; k++) body[random.integer(body.length)] ^= 1 << random.integer(8);
    }
    // The CRC is right nearly always, so that what lies behind it is reached.
    const bytes = i % 16 === 1 ? body : seal(body);
    try {
      const message = decodeReverseMessage(bytes);
      good[message.type]++;
      if (message.type === 'csi') assert.ok(message.report.codes.length <= 50 && message.report.number >= 1);
      else if (message.type === 'knowledge') {
        const { index, last, bytes } = message.piece;
        assert.ok(index <= last && last < MAX_PIECES && bytes.length >= 1 && bytes.length <= PIECE_BYTES);
      } else assert.ok(message.ack.blocks.length <= 255 && (message.ack.asked?.length ?? 0) <= MAX_ASKED);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
    }
  }
  for (const [type, count] of Object.entries(good)) assert.ok(count > 20_000, `${type}: ${count} accepted`);
  assert.ok(good.csi + good.ack + good.knowledge < 450_000);
});
