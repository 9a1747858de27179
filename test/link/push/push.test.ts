import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DeviceError, FormatError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { PushAcceptor } from '../../../src/link/push/push-acceptor.ts';
import { encodePush } from '../../../src/link/push/push-messages.ts';
import { type PushTaken, takePush } from '../../../src/link/push/push-receiver.ts';
import { pushOver } from '../../../src/link/push/push-sender.ts';
import { rgbImage } from '../../../src/sct/image/rgb-image.ts';
import { openPushed } from '../../../src/sct/knowledge/pushed-knowledge.ts';
import { MOST_WAITING, PushedStore } from '../../../src/sct/knowledge/pushed-store.ts';
import { pushablePicture, served, sha256 } from '../../sct/knowledge/pushed-objects.ts';
import { linkPair } from './memory-link.ts';
import { connection, ends, got, scratch } from './push-ends.ts';

test('a set comes whole, waits, is opened only when allowed, and is not sent twice', async (t) => {
  const { at, set, store } = await ends(t);
  const { pushed, taken } = await connection(set, store);
  const end = got(pushed);
  assert.deepEqual([end.state, end.sentBytes], ['waiting', set.offer.bytes]);
  assert.match(end.reason, new RegExp(`sct models allow ${set.offer.sha256.slice(0, 12)}`));
  assert.deepEqual(got(taken).receivedBytes, set.offer.bytes);
  const [object] = await store.held();
  assert.deepEqual([object.offer, object.allowed], [set.offer, false]);
  const names = readdirSync(join(at, 'models', 'tiny'));
  for (const name of names) {
    assert.deepEqual(readFileSync(join(object.dir, 'tiny', name)), readFileSync(join(at, 'models', 'tiny', name)));
  }
  assert.deepEqual(readdirSync(join(at, 'pushed', 'arriving')), []);
  const opened = await openPushed(object);
  assert.ok(opened.kind === 'set' && opened.set.sha256 === set.offer.sha256);

  const again = await connection(set, store);
  assert.deepEqual([got(again.pushed).state, again.sentBytes], ['waiting', 0]);
  await store.allow(set.offer.sha256);
  const third = await connection(set, store);
  assert.deepEqual([got(third.pushed).state, got(third.taken).state, third.sentBytes], ['trusted', 'trusted', 0]);
});

test('what is allowed before it comes is trusted when it is here', async (t) => {
  const { store } = await ends(t);
  const picture = await pushablePicture(rgbImage(5, 3, new RandomStream('p').bytes(45)));
  await store.allow(picture.offer.sha256);
  const { pushed } = await connection(picture, store);
  assert.equal(got(pushed).state, 'trusted');
  const opened = await openPushed((await store.held())[0]);
  assert.ok(opened.kind === 'picture');
  assert.deepEqual([opened.image.width, opened.image.height], [5, 3]);
});

test('cut off at every message: the next push goes on there, and nothing arrives but the truth', async (t) => {
  const { at, set } = await ends(t);
  let messages = 0;
  for (let cut = 0; ; cut++) {
    const store = await PushedStore.open(join(at, `cut-${cut}`));
    const first = await connection(set, store, cut);
    if (first.pushed.status === 'fulfilled') {
      messages = cut;
      break;
    }
    assert.ok(first.pushed.reason instanceof DeviceError, String(first.pushed.reason));
    assert.deepEqual(await store.held(), [], 'nothing is here before it is whole');
    const second = await connection(set, store);
    assert.equal(got(second.pushed).state, 'waiting');
    // Whatever was written before the cut does not travel again.
    const { receivedBytes, resumedBytes } = got(second.taken);
    assert.equal(receivedBytes + resumedBytes, set.offer.bytes);
    assert.equal(second.sentBytes, receivedBytes);
    assert.ok(
      resumedBytes >= first.sentBytes - 32 * 1024 && resumedBytes <= first.sentBytes,
      `${cut}: ${resumedBytes}`,
    );
    await openPushed((await store.held())[0]);
  }
  assert.ok(messages > 10, `${messages} messages`);
});

test('random cuts, one after the other, in files of several spans: every byte travels about once', async (t) => {
  const at = await scratch(t);
  const store = await PushedStore.open(join(at, 'pushed'));
  const random = new RandomStream('cuts');
  const picture = await pushablePicture(rgbImage(900, 700, random.bytes(3 * 900 * 700)));
  assert.ok(picture.offer.bytes > 1.5 * 2 ** 20);
  let [sent, connections] = [0, 0];
  for (;;) {
    const { pushed, sentBytes } = await connection(picture, store, 1 + random.integer(20));
    sent += sentBytes;
    connections++;
    if (pushed.status === 'fulfilled') break;
    assert.ok(connections < 200);
  }
  assert.ok(connections > 4, `${connections}`);
  assert.ok(sent - picture.offer.bytes <= connections * 32 * 1024, `${sent} of ${picture.offer.bytes}`);
  await openPushed((await store.held())[0]);
});

test('parts that a killed program left damaged or too long come once more', async (t) => {
  const { at, set, store } = await ends(t);
  await connection(set, store, 6);
  const dir = join(at, 'pushed', 'arriving', set.offer.sha256);
  const parts = readdirSync(dir).filter((n) => n.endsWith('.part'));
  assert.ok(parts.length >= 2, parts.join());
  writeFileSync(join(dir, '0.part'), Buffer.alloc(set.files[0].length));
  writeFileSync(join(dir, '1.part'), Buffer.alloc(set.files[1].length + 5));
  assert.equal(got((await connection(set, store)).pushed).state, 'waiting');
  await openPushed((await store.held())[0]);
});

test('what is not what it says is refused, and nothing of it stays', async (t) => {
  const { at, set, store } = await ends(t);
  const manifest = JSON.parse(new TextDecoder().decode(set.files[0]));
  const changed = (change: (m: typeof manifest) => void): Uint8Array => {
    const copy = structuredClone(manifest);
    change(copy);
    return new TextEncoder().encode(JSON.stringify(copy));
  };
  const file = (change: (f: Record<string, unknown>) => void) => changed((m) => change(m.sets[0].files[0]));
  const wrong: [Uint8Array, RegExp][] = [
    [new TextEncoder().encode('{'), /is not JSON/],
    [file((f) => Object.assign(f, { sha256: 'c'.repeat(64) })), /its hash is not that of its files/],
    [file((f) => Object.assign(f, { path: '../../out.onnx' })), /path below the folder/],
    [file((f) => Object.assign(f, { path: 'MODELS.json' })), /MODELS\.json is not a name/],
    [file((f) => Object.assign(f, { path: 'Tiny/synthesis.onnx' })), /stands in the way/],
    [file((f) => Object.assign(f, { path: 'tiny' })), /stands in the way/],
    [file((f) => Object.assign(f, { bytes: 5 })), /bytes: .* where .* were offered/],
    [file((f) => Object.assign(f, { card: 'card.md' })), /card: of .* is not pushed/],
    [file((f) => Object.assign(f, { int8: { path: 'x', bytes: 1, sha256: 'd'.repeat(64) } })), /bytes|int8/],
    [changed((m) => Object.assign(m.sets[0], { version: 9 })), /tiny 9 where tiny 1 was offered/],
    [changed((m) => m.sets.push({ ...m.sets[0], name: 'other' })), /2 in a pushed models.json, allowed 1/],
  ];
  for (const [first, what] of wrong) {
    const files = [first, ...set.files.slice(1)];
    const bytes = files.reduce((sum, f) => sum + f.length, 0);
    const offer = { ...set.offer, bytes, firstBytes: first.length, firstSha256: sha256(first) };
    const { pushed } = await connection({ offer, files }, store);
    const { state, reason } = got(pushed);
    assert.equal(state, 'refused', reason);
    assert.match(reason, what);
    assert.deepEqual([await store.held(), readdirSync(join(at, 'pushed', 'arriving'))], [[], []]);
  }
  // A file that is not the one of its hash, however often it is asked for.
  const files = set.files.map((f, i) => (i === 3 ? f.map((b) => b ^ 1) : f));
  const { pushed, sentBytes } = await connection({ offer: set.offer, files }, store);
  assert.match(got(pushed).reason, /does not have the hash/);
  assert.ok(sentBytes < 2 * set.offer.bytes);
  assert.deepEqual(await store.held(), []);
  // A picture with the samples of another: found when it is to be allowed, and never used.
  const picture = await pushablePicture(rgbImage(2, 1, Uint8Array.of(1, 2, 3, 4, 5, 6)));
  const lying = { ...picture, offer: { ...picture.offer, sha256: 'e'.repeat(64) } };
  assert.equal(got((await connection(lying, store)).pushed).state, 'waiting');
  await assert.rejects(openPushed((await store.held())[0]), /has the hash/);
});

test('a peer that breaks the protocol ends its connection and no more', async (t) => {
  const { set, store } = await ends(t);
  const want = encodePush({ type: 'want', file: 0, offset: 0, length: 1 });
  const data = encodePush({ type: 'data', offset: 1, bytes: Uint8Array.of(1) });
  const long = encodePush({ type: 'data', offset: 0, bytes: new Uint8Array(32 * 1024) });
  for (const messages of [
    [want],
    [new Uint8Array(0)],
    [null, want],
    [null, data],
    [null, long],
    [null, Uint8Array.of(9, 9)],
  ]) {
    const { a, b } = linkPair();
    const taking = takePush(b, store);
    for (const m of messages) await a.send(m ?? encodePush({ type: 'offer', offer: set.offer }));
    await assert.rejects(taking, FormatError);
  }
  // And one that asks for what is not there, or never has enough.
  const verdict = encodePush({ type: 'verdict', state: 'trusted', reason: '' });
  for (const [message, what] of [
    [encodePush({ type: 'want', file: 60, offset: 0, length: 1 }), /file: 60, there are/],
    [encodePush({ type: 'want', file: 0, offset: set.files[0].length, length: 1 }), /leads out of a file/],
    [encodePush({ type: 'offer', offer: set.offer }), /offer where want or verdict is due/],
  ] as const) {
    const { a, b } = linkPair();
    const pushing = pushOver(a, set.offer, served(set.files));
    await b.send(message);
    await b.send(verdict);
    await assert.rejects(pushing, what);
  }
  const { a, b } = linkPair();
  const pushing = pushOver(a, set.offer, served(set.files));
  const all = encodePush({ type: 'want', file: 0, offset: 0, length: set.files[0].length });
  for (let i = 0; i < 4 * Math.ceil(set.offer.bytes / set.files[0].length); i++) await b.send(all);
  await assert.rejects(pushing, /asks for more than 3 times/);
  assert.equal(got((await connection(set, store)).pushed).state, 'waiting');
});

test('a store takes so much and no more from who has not been allowed', async (t) => {
  const { set, store } = await ends(t);
  for (let i = 0; i < MOST_WAITING; i++) {
    const picture = await pushablePicture(rgbImage(1, 1, Uint8Array.of(i, 0, 0)), `p${i}`);
    assert.equal(got((await connection(picture, store)).pushed).state, 'waiting');
  }
  const refused = await connection(set, store);
  assert.match(got(refused.pushed).reason, /16 pushes wait to be allowed or forgotten/);
  await store.allow(set.offer.sha256);
  assert.equal(got((await connection(set, store)).pushed).state, 'trusted');
  const large = { ...set.offer, sha256: 'f'.repeat(64), bytes: 250 * 2 ** 20 };
  await store.allow(large.sha256);
  // Offers that were begun count with all they will bring.
  for (const c of '0123') {
    const offer = { ...large, sha256: c.repeat(64) };
    await store.allow(offer.sha256);
    await (await store.begin(offer))?.pause();
  }
  await assert.rejects(store.begin(large), /no room: \d+ bytes with what is here, allowed 1073741824/);
});

test('the acceptor serves one after the other, cuts off who is silent, and ends what is under way when it closes', async (t) => {
  const { set, store } = await ends(t);
  const taken: PushTaken[] = [];
  const notes: string[] = [];
  const acceptor = new PushAcceptor({
    keeper: store,
    patienceMs: 300,
    taken: (push) => taken.push(push),
    note: (text) => notes.push(text),
  });
  const silent = linkPair();
  const real = linkPair();
  const serving = [acceptor.serve(silent.b), acceptor.serve(real.b)];
  const end = await pushOver(real.a, set.offer, served(set.files));
  await real.a.close();
  await Promise.all(serving);
  assert.equal(end.state, 'waiting');
  assert.deepEqual(
    taken.map((p) => p.state),
    ['waiting'],
  );
  assert.match(notes.join(), /cut off/);
  assert.equal(await silent.a.receive(), null);
  const late = linkPair();
  const picture = await pushablePicture(rgbImage(1, 1, Uint8Array.of(1, 2, 3)));
  const cut = pushOver(late.a, picture.offer, served(picture.files)).catch((error: unknown) => error);
  await acceptor.close();
  await acceptor.serve(late.b);
  assert.ok((await cut) instanceof DeviceError);
});

test('whether the other end has heard the verdict is known by how it goes', async (t) => {
  const { set, store } = await ends(t);
  const told: boolean[] = [];
  const acceptor = new PushAcceptor({ keeper: store, taken: (_, isTold) => void told.push(isTold) });
  t.after(() => acceptor.close());
  for (const leave of ['break', 'close'] as const) {
    const { a, b } = linkPair();
    const serving = acceptor.serve(b);
    assert.equal((await pushOver(a, set.offer, served(set.files))).state, 'waiting');
    await a[leave]();
    await serving;
  }
  assert.deepEqual(told, [false, true]);
});
