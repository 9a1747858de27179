import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import fc from 'fast-check';
import { CRC16, crcBytes } from '../../../src/common/crc.ts';
import { ExitCode, FormatError, UsageError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { flatImage, rgbImage } from '../../../src/sct/image/rgb-image.ts';
import {
  commonKnowledge,
  decodeKnowledge,
  encodeKnowledge,
  type Knowledge,
  KnowledgeError,
  MAX_KNOWLEDGE_BYTES,
} from '../../../src/sct/knowledge/knowledge-message.ts';
import { KnowledgeStore, referenceHash, shortId } from '../../../src/sct/knowledge/knowledge-store.ts';
import type { FeatureMap } from '../../../src/sct/semantics/feature-map.ts';
import type { ModelSetInfo } from '../../../src/sct/semantics/model-set.ts';

const hex = (text: string) => createHash('sha256').update(text).digest('hex');
const OLD = { name: 'base', sha256: hex('old') };
const NEW = { name: 'base', sha256: hex('new') };
const LIVE = { name: 'live', sha256: hex('live') };
const hash = fc.integer({ min: 0, max: 1e9 }).map((n) => hex(`${n}`));
const plain = { noNullPrototype: true };
const set = fc.record({ name: fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,31}$/), sha256: hash }, plain);
const knowledge: fc.Arbitrary<Knowledge> = fc.record(
  { modelSets: fc.array(set, { minLength: 1, maxLength: 8 }), references: fc.array(hash, { maxLength: 16 }) },
  plain,
);

test('the message: what is written is read, and is never longer than its bound', () => {
  fc.assert(
    fc.property(knowledge, (k) => {
      const bytes = encodeKnowledge(k);
      assert.ok(bytes.length <= MAX_KNOWLEDGE_BYTES);
      assert.deepEqual(decodeKnowledge(bytes), k);
    }),
  );
  const bytes = encodeKnowledge({ modelSets: [LIVE], references: [] });
  assert.equal(Buffer.from(bytes.subarray(0, -2)).toString('hex'), `4b010100046c697665${LIVE.sha256}`);
});

test('what cannot be said is refused', () => {
  for (const bad of [
    { modelSets: [], references: [] },
    { modelSets: Array.from({ length: 9 }, () => LIVE), references: [] },
    { modelSets: [LIVE], references: Array.from({ length: 17 }, () => hex('x')) },
    { modelSets: [{ ...LIVE, name: 'Live!' }], references: [] },
    { modelSets: [{ ...LIVE, sha256: 'abc' }], references: [] },
  ]) {
    assert.throws(() => encodeKnowledge(bad), UsageError);
  }
});

test('fuzz: 50 000 damaged messages end in knowledge or a FormatError; single errors never pass', () => {
  const random = new RandomStream('knowledge');
  const good = encodeKnowledge({ modelSets: [NEW, LIVE], references: [hex('a'), hex('b')] });
  for (let bit = 0; bit < 8 * good.length; bit++) {
    const bytes = Uint8Array.from(good);
    bytes[bit >> 3] ^= 1 << (bit & 7);
    assert.throws(() => decodeKnowledge(bytes), FormatError);
  }
  const fields = new Set<string>();
  for (let i = 0; i < 50_000; i++) {
    let bytes = Uint8Array.from(good);
    if (i % 3 === 0) bytes = bytes.slice(0, random.integer(good.length + 1));
    for (let n = random.integer(4); n > 0 && bytes.length > 0; n--) {
      bytes[random.integer(Math.min(bytes.length, 45))] = random.integer(256);
    }
    if (i % 2 === 0 && bytes.length > 2) {
      // A CRC that fits, to get past it.
      const sum = crcBytes(CRC16, bytes, 0, bytes.length - 2);
      bytes[bytes.length - 2] = sum >> 8;
      bytes[bytes.length - 1] = sum & 255;
    }
    try {
      const { modelSets, references } = decodeKnowledge(bytes);
      assert.ok(modelSets.length >= 1 && modelSets.length <= 8 && references.length <= 16);
    } catch (error) {
      assert.ok(error instanceof FormatError, String(error));
      fields.add(error.field);
    }
  }
  for (const name of ['knowledge', 'form', 'version', 'model sets', 'references', 'name', 'reference']) {
    assert.ok(fields.has(name), name);
  }
});

test('the first common set is used, so an old one still serves; no common one names both sides', () => {
  const sender = { modelSets: [NEW, OLD], references: [hex('a'), hex('b')] };
  const found = commonKnowledge(sender, { modelSets: [LIVE, OLD], references: [hex('b'), hex('c')] });
  assert.deepEqual(found, { modelSet: OLD, references: [hex('b')] });
  assert.throws(
    () => commonKnowledge(sender, { modelSets: [LIVE], references: [] }),
    (error: unknown) => {
      assert.ok(error instanceof KnowledgeError && error.exitCode === ExitCode.device);
      for (const set of [NEW, OLD, LIVE]) {
        assert.ok(error.message.includes(`${set.name} ${set.sha256.slice(0, 8)}`), error.message);
      }
      assert.match(error.message, /the transmitter has base .*; the receiver has live/);
      return true;
    },
  );
});

test('the store: references by the hash of their samples, bounded, features made once', async () => {
  const store = new KnowledgeStore();
  const image = rgbImage(2, 1, Uint8Array.of(1, 2, 3, 4, 5, 6));
  const bytes = Buffer.concat([Buffer.from('sct-reference/1'), Buffer.from('0000000200000001010203040506', 'hex')]);
  assert.equal(referenceHash(image), createHash('sha256').update(bytes).digest('hex'));
  const sha256 = store.addReference(image);
  assert.equal(store.addReference(rgbImage(2, 1, image.data.slice())), sha256);
  let runs = 0;
  const y = { channels: 1 } as unknown as FeatureMap;
  const models = {
    set: { sha256: hex('set') } as ModelSetInfo,
    analyse: async () => {
      runs++;
      return y;
    },
  };
  const reference = store.referenceFeatures(models);
  assert.deepEqual([await reference(shortId(sha256)), await reference(shortId(sha256))], [y, y]);
  assert.equal(await reference(shortId(hex('other'))), undefined);
  assert.equal(runs, 1);
  for (let i = 1; i < 16; i++) store.addReference(flatImage(1, 1, i, 0, 0));
  assert.throws(() => store.addReference(flatImage(1, 1, 99, 0, 0)), /allowed 16 pictures/);
  const large = new KnowledgeStore();
  large.addReference(flatImage(8192, 8192, 0, 0, 0));
  assert.throws(() => large.addReference(flatImage(1, 1, 0, 0, 0)), /67108864 pixels/);
});

test('the store: sets by id; one that is not here is named with those that are', () => {
  const store = new KnowledgeStore();
  const set = (s: { name: string; sha256: string }) => ({ ...s, id: s.sha256.slice(0, 8) }) as unknown as ModelSetInfo;
  store.addModelSet('models', set(NEW));
  store.addModelSet('old', set(OLD));
  store.addModelSet('again', set(OLD));
  assert.deepEqual(store.knowledge(), { modelSets: [NEW, OLD], references: [] });
  assert.equal(store.modelSet(shortId(OLD.sha256)).dir, 'old');
  assert.throws(
    () => store.modelSet(shortId(LIVE.sha256)),
    new RegExp(`model set ${LIVE.sha256.slice(0, 8)}, which is not here: this end has base ${NEW.sha256.slice(0, 8)}`),
  );
  for (let i = 0; i < 6; i++) store.addModelSet('more', set({ name: 'x', sha256: hex(`x${i}`) }));
  assert.throws(() => store.addModelSet('more', set(LIVE)), /more than 8 model sets/);
});
