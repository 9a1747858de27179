import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { CRC16, crcBytes } from '../../../src/common/crc.ts';
import { FormatError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import {
  KnowledgeListener,
  knowledgePieces,
  MAX_PIECES,
  PIECE_BYTES,
} from '../../../src/link/reverse/knowledge-pieces.ts';
import {
  decodeReverseMessage,
  encodeKnowledgePiece,
  MAX_REVERSE_BYTES,
} from '../../../src/link/reverse/reverse-messages.ts';
import type { Knowledge } from '../../../src/sct/knowledge/knowledge-message.ts';

const hex = (text: string) => createHash('sha256').update(text).digest('hex');

/** So many sets and references, all of the longest kind. */
function holding(sets: number, references: number): Knowledge {
  return {
    modelSets: Array.from({ length: sets }, (_, i) => ({
      name: 'n'.repeat(32),
      version: i,
      bytes: i + 1,
      sha256: hex(`s${i}`),
    })),
    references: Array.from({ length: references }, (_, i) => ({ sha256: hex(`r${i}`), width: 8192, height: i + 1 })),
  };
}

/** Takes a message from the way back, as the transmitter does. */
function hear(listener: KnowledgeListener, bytes: Uint8Array): void {
  const message = decodeReverseMessage(bytes);
  assert.equal(message.type, 'knowledge');
  if (message.type === 'knowledge') listener.take(message.piece);
}

test('what an end holds comes whole in whatever order its pieces come, and twice', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 16 }), fc.integer({ min: 0, max: 16 }), fc.nat(), (sets, pictures, seed) => {
      const held = holding(sets, pictures);
      const messages = knowledgePieces(held, 7).map(encodeKnowledgePiece);
      assert.ok(messages.length <= MAX_PIECES && messages.every((m) => m.length <= MAX_REVERSE_BYTES));
      const random = new RandomStream(seed);
      const order = [...messages, ...messages.slice(0, seed % 3)].map((m) => ({ m, at: random.uniform() }));
      order.sort((a, b) => a.at - b.at);
      const listener = new KnowledgeListener(7);
      for (const { m } of order) hear(listener, m);
      assert.deepEqual(listener.knowledge, held);
      assert.equal(listener.refused, 0);
    }),
    { numRuns: 60 },
  );
  assert.equal(knowledgePieces(holding(16, 16), 1).length, MAX_PIECES);
  assert.equal(knowledgePieces(holding(0, 0), 1).length, 1);
});

test('a piece that is lost leaves nothing known; one of another session, size or content is refused', () => {
  const pieces = knowledgePieces(holding(3, 2), 7);
  assert.ok(pieces.length > 2);
  const listener = new KnowledgeListener(7);
  for (const piece of pieces.slice(1)) listener.take(piece);
  assert.equal(listener.knowledge, null);
  listener.take({ ...pieces[0], session: 8 });
  listener.take({ ...pieces[0], last: pieces[0].last + 1 });
  listener.take({ ...pieces[1], bytes: pieces[1].bytes.map((b) => b ^ 1) });
  assert.deepEqual([listener.refused, listener.knowledge], [3, null]);
  listener.take(pieces[0]);
  assert.deepEqual(listener.knowledge, holding(3, 2));
  // Said again, otherwise: known is known.
  listener.take({ ...pieces[0], bytes: pieces[0].bytes.map((b) => b ^ 1) });
  assert.deepEqual([listener.refused, listener.knowledge], [4, holding(3, 2)]);
});

test('pieces that fit together to a wrong message are dropped, and the right ones are taken after them', () => {
  const right = knowledgePieces(holding(1, 0), 1);
  assert.equal(right.length, 1);
  const listener = new KnowledgeListener(1);
  listener.take({ ...right[0], bytes: right[0].bytes.map((b, i) => (i === 20 ? b ^ 4 : b)) });
  assert.deepEqual([listener.refused, listener.knowledge], [1, null]);
  listener.take(right[0]);
  assert.deepEqual(listener.knowledge, holding(1, 0));
});

test('fuzz: 100 000 mutated and made-up pieces never crash, and end in nothing or in the truth', () => {
  const random = new RandomStream('knowledge pieces');
  const held = holding(4, 3);
  const good = knowledgePieces(held, 3).map(encodeKnowledgePiece);
  let listener = new KnowledgeListener(3);
  let [heard, wrong, complete] = [0, 0, 0];
  for (let i = 0; i < 100_000; i++) {
    let body: Uint8Array = good[random.integer(good.length)].slice(0, -2);
    const kind = random.integer(4);
    if (kind === 1) body[random.integer(Math.min(body.length, 6))] ^= 1 << random.integer(8);
    if (kind === 2) body[random.integer(body.length)] = random.integer(256);
    if (kind === 3) {
      body = random.bytes(1 + random.integer(PIECE_BYTES + 4));
      body[0] |= 0xc0;
    }
    const crc = crcBytes(CRC16, body);
    try {
      hear(listener, Uint8Array.of(...body, crc >> 8, crc & 255));
      heard++;
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      wrong++;
    }
    if (i % 40 < 39) continue;
    if (listener.knowledge) {
      // Sixteen bits protect the whole beside each piece's own: nothing wrong gets in by these draws.
      assert.deepEqual(listener.knowledge, held);
      complete++;
    }
    listener = new KnowledgeListener(3);
  }
  assert.ok(heard > 30_000 && wrong > 20_000 && complete > 25, `${heard} heard, ${wrong} wrong, ${complete} complete`);
});
