import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { RandomStream } from '../../../src/common/random.ts';
import {
  KnowledgeListener,
  knowledgePieces,
  MAX_PIECES,
  PIECE_BYTES,
} from '../../../src/link/reverse/knowledge-pieces.ts';
import {
  decodeReverseMessage,
  encodeAckMessage,
  encodeCsiMessage,
  encodeKnowledgePiece,
  MAX_REVERSE_BYTES,
  REVERSE_SCHEMAS,
} from '../../../src/link/reverse/reverse-messages.ts';
import { schemaTable } from '../../../src/phy/frame/schema.ts';
import type { Knowledge } from '../../../src/sct/knowledge/knowledge-message.ts';

const document = readFileSync(new URL('../../../docs/air-interface.md', import.meta.url), 'utf8');
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** What stands between a pair of markers. */
function section(name: string): string {
  const match = new RegExp(`<!-- ${name} -->\n([^]*?)<!-- /${name} -->`).exec(document);
  assert.ok(match, `marker ${name}`);
  return match[1].trim();
}

const CSI = { number: 9, session: 3, burst: 700, codes: Uint8Array.of(80, 140, 255) };
const ACK = { session: 3, burst: 701, extensionOk: true, process: 5, newData: 1, blocks: [true, false], asked: [4, 2] };
const HELD: Knowledge = {
  modelSets: ['base', 'live'].map((name, i) => ({
    name,
    version: i + 1,
    bytes: 30_134_741 - i,
    sha256: createHash('sha256').update(name).digest('hex'),
  })),
  references: [{ sha256: createHash('sha256').update('picture').digest('hex'), width: 640, height: 481 }],
};

test('the document has the tables, bounds and examples of the way back', () => {
  assert.equal(section('csi-fields'), schemaTable(REVERSE_SCHEMAS.csi));
  assert.equal(section('ack-fields'), schemaTable(REVERSE_SCHEMAS.ack));
  assert.equal(section('knowledge-fields'), schemaTable(REVERSE_SCHEMAS.knowledge));
  assert.ok(document.includes(`at most ${MAX_REVERSE_BYTES} bytes`));
  assert.ok(document.includes(`at most ${MAX_PIECES} pieces of ${PIECE_BYTES} bytes`));
  for (const bytes of [encodeCsiMessage(CSI), encodeAckMessage(ACK)]) {
    assert.ok(document.includes(`\`${hex(bytes)}\``), hex(bytes));
  }
});

const python = ['/usr/bin/python3', 'python3'].find(
  (path) => spawnSync(path, ['-c', ''], { stdio: 'ignore' }).status === 0,
);
const reader = fileURLToPath(new URL('../../vectors/air-interface/reverse.py', import.meta.url));

/** What the reader that follows the document and shares no code with ours makes of messages. */
function read(...messages: Uint8Array[]): unknown {
  const run = spawnSync(python!, [reader, ...messages.map(hex)], { encoding: 'utf8' });
  assert.equal(run.status, 0, run.stderr);
  return JSON.parse(run.stdout);
}

test('a reader of its own reads every kind of message', {
  skip: python ? false : 'SKIPPED: no python3 on this machine, the independent reader did not run',
}, () => {
  const { codes, ...report } = CSI;
  assert.deepEqual(read(encodeCsiMessage(CSI)), { type: 'csi', ...report, snrDb: [0, 15, 43.75] });
  const ack = { ...ACK, type: 'ack', extensionOk: 1, blocks: [1, 0] };
  assert.deepEqual(read(encodeAckMessage(ACK)), ack);
  assert.deepEqual(read(encodeAckMessage({ ...ACK, asked: undefined })), { ...ack, asked: null });
  const pieces = knowledgePieces(HELD, 200).map(encodeKnowledgePiece);
  assert.equal(pieces.length, 2);
  assert.deepEqual(read(...pieces.reverse()), HELD);
  assert.equal(spawnSync(python!, [reader, hex(pieces[0])]).status, 1, 'a piece is missing');
  const random = new RandomStream('document');
  const long = encodeCsiMessage({ ...CSI, codes: random.bytes(50) });
  assert.equal((read(long) as { snrDb: number[] }).snrDb.length, 50);
});

test('pieces of the example, in one message each', () => {
  const listener = new KnowledgeListener(200);
  for (const piece of knowledgePieces(HELD, 200)) {
    const message = decodeReverseMessage(encodeKnowledgePiece(piece));
    assert.ok(message.type === 'knowledge');
    listener.take(message.piece);
  }
  assert.deepEqual(listener.knowledge, HELD);
});
