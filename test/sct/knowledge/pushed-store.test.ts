import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FormatError, UsageError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { flatImage } from '../../../src/sct/image/rgb-image.ts';
import { KnowledgeStore } from '../../../src/sct/knowledge/knowledge-store.ts';
import { openPushed, PushedKnowledge } from '../../../src/sct/knowledge/pushed-knowledge.ts';
import { PushedStore } from '../../../src/sct/knowledge/pushed-store.ts';
import { onnxModel } from '../semantics/onnx-writer.ts';
import { TINY_CHANNELS, tinyFiles, tinyNetwork, writeTinySet } from '../semantics/tiny-models.ts';
import { type Pushable, pushablePicture, pushableSet } from './pushed-objects.ts';

async function storeIn(t: TestContext) {
  const at = await mkdtemp(join(tmpdir(), 'sct-pushed-'));
  t.after(() => rm(at, { recursive: true, force: true }));
  writeTinySet(join(at, 'models'));
  return { at, store: await PushedStore.open(join(at, 'pushed')) };
}

/** Puts something into a store as a push does. */
async function put(store: PushedStore, { offer, files }: Pushable): Promise<void> {
  const arrival = await store.begin(offer);
  assert.ok(arrival);
  await arrival.write(0, 0, files[0]);
  assert.ok(await arrival.check(0, arrival.first));
  const claims = [arrival.first, ...(await arrival.others())];
  for (let i = 1; i < claims.length; i++) {
    await arrival.write(i, 0, files[i]);
    assert.ok(await arrival.check(i, claims[i]));
  }
  await arrival.commit(claims);
}

test('allow and forget by the start of a hash; a whole one before anything is here', async (t) => {
  const { at, store } = await storeIn(t);
  const set = await pushableSet(join(at, 'models'));
  const { sha256 } = set.offer;
  await put(store, set);
  assert.equal((await store.find(sha256.slice(0, 8)))?.allowed, false);
  const allowed = await store.allow(sha256.slice(0, 10));
  assert.deepEqual([allowed.sha256, allowed.object?.allowed], [sha256, true]);
  assert.ok(await store.isAllowed(sha256));
  assert.equal(await store.begin(set.offer), null, 'here already');
  const other = createHash('sha256').update('other').digest('hex');
  assert.deepEqual(await store.allow(other), { sha256: other, object: null });
  for (const [start, what] of [
    ['abc', /is no hash: 8 to 64/],
    [sha256.toUpperCase(), /is no hash/],
    ['../../../etc/passwd', /is no hash/],
    [other.slice(0, 12), /nothing that was pushed has a hash/],
  ] as const) {
    await assert.rejects(
      store.allow(start),
      (error: unknown) => error instanceof UsageError && what.test(error.message),
    );
  }
  const second = await PushedStore.existing(join(at, 'pushed'));
  assert.ok((await second.isAllowed(sha256)) && (await second.isAllowed(other)));
  assert.equal(await second.forget(sha256.slice(0, 8)), sha256);
  assert.deepEqual(
    [await store.held(), await store.isAllowed(sha256), await store.isAllowed(other)],
    [[], false, true],
  );
  await assert.rejects(PushedStore.existing(join(at, 'nowhere')), /no such folder/);
});

test('a list of allowed hashes that was damaged allows nothing, and is not written over', async (t) => {
  const { at, store } = await storeIn(t);
  const set = await pushableSet(join(at, 'models'));
  await put(store, set);
  const path = join(at, 'pushed', 'allowed.json');
  for (const text of [
    '',
    '[]',
    '{"schema":"sct-allowed/1"}',
    `{"schema":"sct-allowed/2","sha256":["${set.offer.sha256}"]}`,
    '{"schema":"sct-allowed/1","sha256":["x"]}',
    JSON.stringify({ schema: 'sct-allowed/1', sha256: new Array(257).fill(set.offer.sha256) }),
    ' '.repeat(70_000),
  ]) {
    writeFileSync(path, text);
    await assert.rejects(store.held(), /allowed\.json/);
    await assert.rejects(store.allow(set.offer.sha256), /allowed\.json/);
    assert.equal(readFileSync(path, 'utf8'), text);
    const notes: string[] = [];
    const known = new KnowledgeStore();
    const pushed = new PushedKnowledge(store, (note) => notes.push(note));
    await pushed.refresh();
    assert.deepEqual([pushed.activate(known), known.knowledge().modelSets], [[], []]);
    assert.match(notes.join(), /allowed\.json/);
  }
});

test('folders that no push made, or that lie, are left out', async (t) => {
  const { at, store } = await storeIn(t);
  const set = await pushableSet(join(at, 'models'));
  await put(store, set);
  const held = join(at, 'pushed', 'held');
  const record = JSON.parse(readFileSync(join(held, set.offer.sha256, 'object.json'), 'utf8'));
  const lies: [string, unknown][] = [
    ['1'.repeat(64), record],
    ['2'.repeat(64), { ...record, sha256: '2'.repeat(64), schema: 'other' }],
    ['3'.repeat(64), { ...record, sha256: '3'.repeat(64), bytes: -1 }],
    ['4'.repeat(64), null],
    ['name', record],
  ];
  for (const [name, json] of lies) {
    mkdirSync(join(held, name));
    writeFileSync(join(held, name, 'object.json'), JSON.stringify(json));
  }
  mkdirSync(join(held, '5'.repeat(64)));
  assert.deepEqual(
    (await store.held()).map((o) => o.offer.sha256),
    [set.offer.sha256],
  );
});

test('parts of another offer of the same hash are dropped', async (t) => {
  const { at, store } = await storeIn(t);
  const set = await pushableSet(join(at, 'models'));
  const first = await store.begin(set.offer);
  await first!.write(0, 0, Uint8Array.of(1, 2, 3));
  await first!.pause();
  const same = await store.begin(set.offer);
  assert.equal(await same!.have(0, same!.first), 3);
  await same!.pause();
  const other = await store.begin({ ...set.offer, firstSha256: '0'.repeat(64) });
  assert.equal(await other!.have(0, other!.first), 0);
  await assert.rejects(other!.have(300, other!.first), FormatError);
  await other!.discard();
  assert.deepEqual(readdirSync(join(at, 'pushed', 'arriving')), []);
});

test('what is allowed is used from the next activation on, and not before; what is not allowed never', async (t) => {
  const { at, store } = await storeIn(t);
  const set = await pushableSet(join(at, 'models'));
  const known = new KnowledgeStore();
  const pushed = new PushedKnowledge(store);
  const refresh = async () => {
    await pushed.refresh();
    return pushed.waiting;
  };
  await put(store, set);
  assert.equal(await refresh(), 0, 'nobody has allowed it');
  await store.allow(set.offer.sha256);
  assert.equal(await refresh(), 1);
  assert.deepEqual(known.knowledge().modelSets, [], 'ready is not in use');
  assert.deepEqual(
    pushed.activate(known).map((o) => o.offer),
    [set.offer],
  );
  assert.equal(known.modelSet(Number.parseInt(set.offer.sha256.slice(0, 8), 16)).set.name, 'tiny');
  const picture = await pushablePicture(flatImage(4, 4, 1, 2, 3));
  await store.allow(picture.offer.sha256);
  await put(store, picture);
  assert.deepEqual([await refresh(), pushed.activate(known).length, await refresh()], [1, 1, 0]);
  assert.deepEqual(known.knowledge().references, [{ sha256: picture.offer.sha256, width: 4, height: 4 }]);
  // What was in use from the start is not taken twice.
  const later = new PushedKnowledge(store, undefined, [set.offer.sha256]);
  await later.refresh();
  assert.equal(later.waiting, 1);
});

test('files with the right hashes that are no networks of their role are not used', async (t) => {
  const { at, store } = await storeIn(t);
  const notes: string[] = [];
  for (const [name, bytes, what] of [
    ['noise', new RandomStream('noise').bytes(5000), /analysis\.onnx: is no ONNX file/],
    ['cut', onnxModel(tinyNetwork('analysis', TINY_CHANNELS)).slice(0, -40), /analysis\.onnx: is no ONNX file/],
    ['older', onnxModel({ ...tinyNetwork('analysis', TINY_CHANNELS), opset: 12 }), /has operator set 12/],
  ] as const) {
    const dir = join(at, name);
    writeTinySet(
      dir,
      tinyFiles().map((f) => (f.role === 'analysis' ? { ...f, bytes } : f)),
    );
    const set = await pushableSet(dir);
    await put(store, set);
    const { object } = await store.allow(set.offer.sha256);
    await assert.rejects(openPushed(object!), what);
    notes.length = 0;
    const pushed = new PushedKnowledge(store, (text) => notes.push(text));
    await pushed.refresh();
    assert.equal(pushed.waiting, 0);
    assert.match(notes.join('\n'), what);
    await store.forget(set.offer.sha256);
  }
});

test('what was changed on disk after it was allowed is noted and not used', async (t) => {
  const { at, store } = await storeIn(t);
  const set = await pushableSet(join(at, 'models'));
  await put(store, set);
  const { object } = await store.allow(set.offer.sha256);
  const path = join(object!.dir, 'tiny', 'labels.onnx');
  writeFileSync(
    path,
    readFileSync(path).map((b, i) => (i === 40 ? b ^ 1 : b)),
  );
  const notes: string[] = [];
  const pushed = new PushedKnowledge(store, (note) => notes.push(note));
  await pushed.refresh();
  assert.equal(pushed.waiting, 0);
  assert.match(notes.join(), /is not used: model file tiny\/labels\.onnx/);
});

test('a set beyond what an end can hold is noted, and the others are used', async (t) => {
  const { at, store } = await storeIn(t);
  const known = new KnowledgeStore();
  for (let i = 0; i < 16; i++) known.addReference(flatImage(1, 1, i, 0, 0));
  await put(store, await pushablePicture(flatImage(2, 2, 9, 9, 9)));
  await put(store, await pushableSet(join(at, 'models')));
  for (const { offer } of await store.held()) await store.allow(offer.sha256);
  const notes: string[] = [];
  const pushed = new PushedKnowledge(store, (note) => notes.push(note));
  await pushed.refresh();
  assert.deepEqual(
    pushed.activate(known).map((o) => o.offer.kind),
    ['set'],
  );
  assert.match(notes.join(), /pushed picture .* is not used: .*allowed 16 pictures/);
});
