import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import fc from 'fast-check';
import { CRC16, crcBytes } from '../../../src/common/crc.ts';
import { ExitCode, FormatError, UsageError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { flatImage, rgbImage } from '../../../src/sct/image/rgb-image.ts';
import { agreeKnowledge, KnowledgeError } from '../../../src/sct/knowledge/agreement.ts';
import {
  decodeKnowledge,
  encodeKnowledge,
  type Knowledge,
  type KnownSet,
  MAX_KNOWLEDGE_BYTES,
} from '../../../src/sct/knowledge/knowledge-message.ts';
import { KnowledgeStore, referenceHash, shortId } from '../../../src/sct/knowledge/knowledge-store.ts';
import type { FeatureMap } from '../../../src/sct/semantics/feature-map.ts';
import type { ModelSetInfo } from '../../../src/sct/semantics/model-set.ts';

const hex = (text: string) => createHash('sha256').update(text).digest('hex');
const OLD = { name: 'base', version: 1, bytes: 17_000_000, sha256: hex('old') };
const NEW = { name: 'base', version: 2, bytes: 18_000_000, sha256: hex('new') };
const LIVE = { name: 'live', version: 1, bytes: 3_000_000, sha256: hex('live') };
const picture = (text: string) => ({ sha256: hex(text), width: 640, height: 480 });
const hash = fc.integer({ min: 0, max: 1e9 }).map((n) => hex(`${n}`));
const plain = { noNullPrototype: true };
const px = fc.integer({ min: 1, max: 8192 });
const bySha = { selector: (v: { sha256: string }) => v.sha256 };
const set = fc.record(
  {
    name: fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,31}$/),
    version: fc.integer({ min: 0, max: 65_535 }),
    bytes: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
    sha256: hash,
  },
  plain,
);
const knowledge: fc.Arbitrary<Knowledge> = fc
  .record(
    {
      modelSets: fc.uniqueArray(set, { maxLength: 16, ...bySha }),
      references: fc.uniqueArray(fc.record({ sha256: hash, width: px, height: px }, plain), {
        maxLength: 16,
        ...bySha,
      }),
    },
    plain,
  )
  .map(({ modelSets, references }) => {
    const taken = new Set(modelSets.map((s) => s.sha256));
    return { modelSets, references: references.filter((r) => !taken.has(r.sha256)) };
  });

test('the message: what is written is read, and is never longer than its bound', () => {
  fc.assert(
    fc.property(knowledge, (k) => {
      const bytes = encodeKnowledge(k);
      assert.ok(bytes.length <= MAX_KNOWLEDGE_BYTES);
      assert.deepEqual(decodeKnowledge(bytes), k);
    }),
  );
  const bytes = encodeKnowledge({ modelSets: [{ ...LIVE, bytes: 0x01020304 }], references: [picture('a')] });
  assert.equal(
    Buffer.from(bytes.subarray(0, -2)).toString('hex'),
    `4b020101046c697665000101020304${LIVE.sha256}028001e0${hex('a')}`,
  );
  const long = (i: number) => ({ name: 'x'.repeat(32), version: 65_535, bytes: 1, sha256: hex(`${i}`) });
  const full = {
    modelSets: Array.from({ length: 16 }, (_, i) => long(i)),
    references: Array.from({ length: 16 }, (_, i) => picture(`r${i}`)),
  };
  assert.equal(encodeKnowledge(full).length, MAX_KNOWLEDGE_BYTES);
});

test('what cannot be said is refused', () => {
  const many = (n: number) => Array.from({ length: n }, (_, i) => ({ ...LIVE, sha256: hex(`${i}`) }));
  for (const bad of [
    { modelSets: many(17), references: [] },
    { modelSets: [LIVE], references: Array.from({ length: 17 }, (_, i) => picture(`${i}`)) },
    { modelSets: [LIVE, LIVE], references: [] },
    { modelSets: [], references: [picture('a'), picture('a')] },
    { modelSets: [{ ...LIVE, name: 'Live!' }], references: [] },
    { modelSets: [{ ...LIVE, sha256: 'abc' }], references: [] },
    { modelSets: [{ ...LIVE, bytes: 2 ** 32 }], references: [] },
    { modelSets: [{ ...LIVE, version: 65_536 }], references: [] },
    { modelSets: [], references: [{ ...picture('a'), width: 0 }] },
    { modelSets: [], references: [{ ...picture('a'), height: 8193 }] },
  ]) {
    assert.throws(() => encodeKnowledge(bad), UsageError);
  }
});

test('fuzz: 50 000 damaged messages end in knowledge or a FormatError; single errors never pass', () => {
  const random = new RandomStream('knowledge');
  const good = encodeKnowledge({ modelSets: [NEW, LIVE], references: [picture('a'), picture('b')] });
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
      assert.ok(modelSets.length <= 16 && references.length <= 16);
      const hashes = [...modelSets, ...references].map((v) => v.sha256);
      assert.equal(new Set(hashes).size, hashes.length);
    } catch (error) {
      assert.ok(error instanceof FormatError, String(error));
      fields.add(error.field);
    }
  }
  for (const name of [
    'knowledge',
    'form',
    'version',
    'model sets',
    'references',
    'name',
    'bytes',
    'width',
    'reference',
  ]) {
    assert.ok(fields.has(name), name);
  }
});

test('a message that lies: entries twice, thousands of them, lengths beyond its end', () => {
  const sealed = (body: number[]) => {
    const crc = crcBytes(CRC16, Uint8Array.from(body));
    return Uint8Array.from([...body, crc >> 8, crc & 255]);
  };
  const one = [...encodeKnowledge({ modelSets: [LIVE], references: [] })].slice(4, -2);
  assert.deepEqual(decodeKnowledge(sealed([0x4b, 2, 1, 0, ...one])).modelSets, [LIVE]);
  // Version 1 said no versions of sets.
  const old = [...one.slice(0, 5), ...one.slice(7)];
  assert.deepEqual(decodeKnowledge(sealed([0x4b, 1, 1, 0, ...old])).modelSets, [{ ...LIVE, version: 0 }]);
  const cases: [number[], RegExp][] = [
    [[0x4b, 2, 2, 0, ...one, ...one], /stands there twice/],
    [[0x4b, 2, 255, 255, ...one], /model sets: 255, allowed 0 to 16/],
    [[0x4b, 2, 0, 17], /references: 17/],
    [[0x4b, 2, 2, 0, ...one], /needs 1 bytes, only 0 left/],
    [[0x4b, 2, 1, 0, 200, ...one.slice(1)], /of 200 letters/],
    [[0x4b, 2, 0, 0, ...one], /bytes too many/],
    [[0x4b, 3, 0, 0], /version: 3/],
    [[0x4b, 2, 255, 255, ...Array.from({ length: 5000 }, () => one).flat()], /bytes, allowed 6 to/],
  ];
  for (const [body, what] of cases) {
    assert.throws(
      () => decodeKnowledge(sealed(body)),
      (error: unknown) => error instanceof FormatError && what.test(error.message),
      String(what),
    );
  }
});

test('the set in use must be at the receiver by its full hash; else both sides are named, and what would do', () => {
  const sender = { modelSets: [NEW, OLD], references: [picture('a'), picture('b')] };
  const flags = (s: KnownSet) => `--models old --size ${s.name}`;
  const receiver = { modelSets: [LIVE, OLD], references: [picture('b'), picture('c')] };
  assert.deepEqual(agreeKnowledge(OLD, sender, receiver, flags), [picture('b')]);
  const failure = (theirs: KnownSet[]): KnowledgeError => {
    try {
      agreeKnowledge(NEW, sender, { modelSets: theirs, references: [] }, flags);
    } catch (error) {
      assert.ok(error instanceof KnowledgeError);
      return error;
    }
    assert.fail('agreed');
  };
  const both = failure([LIVE, OLD]);
  assert.equal(both.exitCode, ExitCode.usage);
  const text = (s: KnownSet) => `${s.name} ${s.sha256.slice(0, 8)} (${s.bytes / 1e6}.0 MB, sha256 ${s.sha256})`;
  assert.match(both.message, /codes with, base/);
  assert.ok(both.message.includes(`Transmitter: ${text(NEW)}, ${text(OLD)}`), both.message);
  assert.ok(both.message.includes(`Receiver: ${text(LIVE)}, ${text(OLD)}`), both.message);
  assert.equal(both.hint, `both ends hold base ${OLD.sha256.slice(0, 8)}: --models old --size base`);
  assert.match(failure([]).message, /Receiver: no model set$/);
  assert.match(failure([LIVE]).hint!, /same models.json and networks/);
  // What the header's 32 bits cannot tell apart.
  const alike = { ...NEW, sha256: NEW.sha256.slice(0, 8) + LIVE.sha256.slice(8) };
  assert.match(failure([alike]).message, /first 32 bits of .* are the same, the rest is not/);
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
  const set = (s: KnownSet) => {
    const files = [{ bytes: s.bytes - 1 }, { bytes: 1 }];
    return {
      name: s.name,
      version: s.version,
      sha256: s.sha256,
      id: s.sha256.slice(0, 8),
      files,
    } as unknown as ModelSetInfo;
  };
  store.addModelSet('models', set(NEW));
  store.addModelSet('old', set(OLD));
  store.addModelSet('again', set(OLD));
  assert.deepEqual(store.knowledge(), { modelSets: [NEW, OLD], references: [] });
  assert.equal(store.modelSet(shortId(OLD.sha256)).dir, 'old');
  assert.throws(
    () => store.modelSet(shortId(LIVE.sha256)),
    new RegExp(`model set ${LIVE.sha256.slice(0, 8)}; this receiver has base ${NEW.sha256.slice(0, 8)}`),
  );
  for (let i = 0; i < 14; i++)
    store.addModelSet('more', set({ name: 'x', version: 1, bytes: 2, sha256: hex(`x${i}`) }));
  assert.throws(() => store.addModelSet('more', set(LIVE)), /more than 16 model sets/);
});
