import assert from 'node:assert/strict';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { CRC16, crcBytes } from '../../src/common/crc.ts';
import { ExitCode, UsageError } from '../../src/common/errors.ts';
import { decodeOptions, senderCodec } from '../../src/experiment/config/link-codecs.ts';
import { type LinkInput, resolveLinkConfig } from '../../src/experiment/config/link-config.ts';
import { setupLink } from '../../src/experiment/config/link-setup.ts';
import { LoopbackExchange } from '../../src/experiment/loopback/exchange.ts';
import { loadDemoPhoto } from '../../src/sct/image/demo.ts';
import { rgbImage } from '../../src/sct/image/rgb-image.ts';
import { cropImage, encodePng } from '../../src/sct/image/save.ts';
import { KnowledgeError } from '../../src/sct/knowledge/agreement.ts';
import { shippedModelsDir } from '../../src/sct/semantics/model-files.ts';
import { type ModelSetInfo, readModelSets, setHash } from '../../src/sct/semantics/model-set.ts';
import { loopback, photo, receive, replay, scratch, send } from './link-helpers.ts';

const LIVE = { codec: 'integrated', size: 'live', numerology: 6, snrDb: 12, cbr: 1 / 12 } as const;
let live: ModelSetInfo;

before(async () => {
  live = (await readModelSets(shippedModelsDir())).find((s) => s.name === 'live')!;
});

/**
 * A folder with a set like live, but another: the name of one file is, so its hash is. With `both` the real one lies in it too.
 *
 * @returns id of the other set
 */
async function otherSet(dir: string, both = false): Promise<string> {
  await mkdir(dir, { recursive: true });
  const manifest = JSON.parse(await readFile(join(shippedModelsDir(), 'models.json'), 'utf8'));
  const set = structuredClone(manifest.sets.find((s: ModelSetInfo) => s.name === 'live'));
  set.files[0].name = `old-${set.files[0].name}`;
  set.name = both ? 'old' : 'live';
  set.sha256 = setHash(set.files);
  set.id = set.sha256.slice(0, 8);
  manifest.sets = both ? [manifest.sets.find((s: ModelSetInfo) => s.name === 'live'), set] : [set];
  await cp(join(shippedModelsDir(), 'live'), join(dir, 'live'), { recursive: true });
  await writeFile(join(dir, 'models.json'), JSON.stringify(manifest));
  assert.notEqual(set.id, live.id);
  return set.id;
}

async function record(directory: string) {
  return JSON.parse(await readFile(join(directory, 'run.json'), 'utf8'));
}

test('send and receive: an old set decodes where it is kept; where it is not, the error names both sides', async (t) => {
  const at = await scratch(t);
  const path = await photo(join(at, 'photo.png'), 192, 160);
  const old = join(at, 'old');
  const oldId = await otherSet(old);
  const air = { old: join(at, 'air-old'), live: join(at, 'air-live') };
  const sent = await send(path, `file:${air.old}`, join(at, 's1'), { ...LIVE, snrDb: undefined, modelsDir: old });
  assert.equal(sent.metrics.modelSet, oldId);
  await send(path, `file:${air.live}`, join(at, 's2'), { ...LIVE, snrDb: undefined });
  const said = await record(join(at, 's1'));
  assert.deepEqual(said.models, [{ name: 'live', sha256: said.knowledge.using }]);
  assert.equal(said.knowledge.using.slice(0, 8), oldId);
  assert.deepEqual([said.knowledge.state, said.knowledge.receiver], ['unheard', null]);

  // Both sets at the receiver: pictures of either.
  for (const [which, id] of [['old', oldId] as const, ['live', live.id] as const]) {
    const got = await receive(`file:${air[which]}`, join(at, `r-${which}`), { numerology: 6, modelsDir: old });
    assert.deepEqual([got.exitCode, got.metrics.modelSet, got.metrics.codec], [ExitCode.ok, id, 'integrated']);
    const { knowledge } = await record(join(at, `r-${which}`));
    const ids = knowledge.receiver.modelSets.map((s: { sha256: string }) => s.sha256.slice(0, 8));
    assert.ok(ids.includes(oldId) && ids.includes(live.id));
  }
  // Only the one that ships: the sender's is named, and what is here.
  await assert.rejects(receive(`file:${air.old}`, join(at, 'r3'), { numerology: 6 }), (error: unknown) => {
    assert.ok(error instanceof KnowledgeError);
    assert.equal(error.exitCode, ExitCode.usage);
    assert.ok(error.message.includes(`model set ${oldId}; this receiver has`), error.message);
    assert.ok(error.message.includes(`live ${live.id} (`) && error.message.includes(live.sha256), error.message);
    assert.match(error.hint!, /--models DIR/);
    return true;
  });
});

test('loopback: the transmitter learns what the receiver lacks before it codes, and says what both hold', async (t) => {
  const at = await scratch(t);
  const path = await photo(join(at, 'photo.png'), 192, 160);
  const [old, two] = [join(at, 'old'), join(at, 'two')];
  const oldId = await otherSet(old);
  await otherSet(two, true);

  const same = await loopback(path, join(at, 'same'), { ...LIVE, modelsDir: old });
  assert.deepEqual([same.exitCode, same.metrics.modelSet], [ExitCode.ok, oldId]);
  const agreed = (await record(join(at, 'same'))).knowledge;
  assert.equal(agreed.state, 'agreed');
  assert.deepEqual(agreed.receiver, agreed.transmitter);
  assert.match(
    await readFile(join(at, 'same', 'report.html'), 'utf8'),
    new RegExp(`model set ${oldId}, held by the rec`),
  );
  assert.deepEqual((await replay(join(at, 'same'), join(at, 'again'), true)).differences, []);

  // The receiver keeps both and is sent either: its networks are its own.
  for (const [modelsDir, id] of [
    [old, oldId],
    [shippedModelsDir(), live.id],
  ]) {
    const got = await loopback(path, join(at, `to-two-${id}`), { ...LIVE, modelsDir, rxModelsDir: two });
    assert.deepEqual([got.exitCode, got.metrics.modelSet], [ExitCode.ok, id]);
  }

  // The receiver has only the old one, the transmitter codes with the new: both sides named, and the set that both hold.
  const directory = join(at, 'mismatch');
  await assert.rejects(loopback(path, directory, { ...LIVE, rxModelsDir: old }), (error: unknown) => {
    assert.ok(error instanceof KnowledgeError && error.exitCode === ExitCode.usage);
    assert.ok(error.message.includes(`codes with, live ${live.id}`), error.message);
    assert.match(error.message, new RegExp(`Transmitter: .*live ${live.id} .*Receiver: live ${oldId} `));
    assert.match(error.hint!, /same models.json/);
    return true;
  });
  const failed = await record(directory);
  assert.deepEqual([failed.exit.code, failed.knowledge.state], [ExitCode.usage, 'mismatch']);
  assert.deepEqual(
    failed.knowledge.receiver.modelSets.map((s: ModelSetInfo) => s.sha256.slice(0, 8)),
    [oldId],
  );
  // What both hold is named with what to give for it.
  await assert.rejects(
    loopback(path, join(at, 'm2'), { ...LIVE, modelsDir: old, rxModelsDir: shippedModelsDir() }),
    (error: unknown) => {
      assert.ok(error instanceof KnowledgeError);
      assert.match(error.hint!, new RegExp(`both ends hold live ${live.id}: --models .*models --size live; base `));
      return true;
    },
  );
});

/** A picture over a link whose way back is spoiled by `change`; null loses a message. */
async function spoiled(input: LinkInput, change: (bytes: Uint8Array) => Uint8Array | null) {
  const config = resolveLinkConfig({ ...LIVE, ...input });
  const exchange = new LoopbackExchange(config, setupLink(config, null, await senderCodec(config)));
  const back = exchange.feedback.send.bind(exchange.feedback);
  let sent = 0;
  exchange.feedback.send = (bytes, nowS) => {
    if (bytes[0] >> 6 !== 3) return back(bytes, nowS);
    sent++;
    const changed = change(bytes);
    if (changed) back(changed, nowS);
  };
  await exchange.open();
  const data = new Uint8Array(3 * 192 * 160).map((_, i) => 90 + 60 * Math.sin(i / 700) + (i % 3) * 20);
  await exchange.sendPicture(rgbImage(192, 160, data));
  await exchange.close();
  const picture = exchange.chain.receiver.received.at(-1)!;
  const decoded = await exchange.chain.receiver.picture(picture, decodeOptions(config));
  return { exchange, decoded, sent };
}

test('the message is lost or wrong: the picture goes all the same, what was refused is counted', async (t) => {
  const at = await scratch(t);
  await otherSet(join(at, 'old'));
  const lost = await spoiled({}, () => null);
  assert.ok(lost.decoded.decodable && lost.sent > 0);
  assert.equal(lost.exchange.knowledge!.facts.state, 'unheard');
  const damaged = await spoiled({}, (bytes) => bytes.map((b, i) => (i === 9 ? b ^ 1 : b)));
  assert.ok(damaged.decoded.decodable);
  assert.equal(damaged.exchange.transmitter.harq.counters.corrupt, damaged.sent);
  // A CRC that is right over a message that is not.
  const lying = await spoiled({}, (bytes) => {
    const body = bytes.slice(0, -2).map((b, i) => (i === 12 ? b ^ 1 : b));
    const crc = crcBytes(CRC16, body);
    return Uint8Array.of(...body, crc >> 8, crc & 255);
  });
  assert.ok(lying.decoded.decodable);
  const { state, refused } = lying.exchange.knowledge!.facts;
  assert.deepEqual([state, refused], ['unheard', 1]);
  assert.equal((await spoiled({ feedback: 'none' }, () => null)).exchange.knowledge!.facts.state, 'unheard');
  // Nobody said that the set is missing there, so the receiver finds it out by the header.
  await assert.rejects(
    spoiled({ rxModelsDir: join(at, 'old') }, () => null),
    /was sent with model set .*; this receiver/,
  );
});

test('--known: a picture of the scene restores what was not sent; without it the receiver decodes and says so', async (t) => {
  const at = await scratch(t);
  const demo = await loadDemoPhoto();
  const [path, known, folder] = [join(at, 'photo.png'), join(at, 'known.png'), join(at, 'pictures')];
  await writeFile(path, await encodePng(cropImage(demo, 300, 120, 192, 160)));
  await writeFile(known, await encodePng(cropImage(demo, 302, 121, 192, 160)));
  await mkdir(folder);
  const empty = join(at, 'empty');
  await mkdir(empty);
  await writeFile(join(folder, 'a.png'), await encodePng(cropImage(demo, 100, 0, 192, 160)));
  const input = { ...LIVE, codec: 'modular', mode: 'selective', roi: '64,64,32,32', cbr: 1 / 16 } as const;
  const plain = await loopback(path, join(at, 'plain'), input);
  const helped = await loopback(path, join(at, 'helped'), { ...input, known });
  const gain = helped.metrics.psnrDb! - plain.metrics.psnrDb!;
  assert.ok(gain > 2, `${gain} dB`);
  const { knowledge } = await record(join(at, 'helped'));
  assert.equal(knowledge.receiver.references[0].sha256, knowledge.reference);
  assert.deepEqual([knowledge.receiver.references[0].width, knowledge.receiver.references[0].height], [192, 160]);
  assert.match(await readFile(join(at, 'helped', 'report.html'), 'utf8'), /reference picture [0-9a-f]{8} named/);
  assert.deepEqual((await replay(join(at, 'helped'), join(at, 'again'), true)).differences, []);
  // One of another place would mislead: held, not named.
  await loopback(path, join(at, 'other'), { ...input, known: folder });
  const other = (await record(join(at, 'other'))).knowledge;
  assert.deepEqual([other.reference, other.receiver.references.length], [null, 1]);
  assert.match(await readFile(join(at, 'other', 'report.html'), 'utf8'), /none is named to the receiver/);

  // Without a way back it is named on trust.
  const air = join(at, 'air');
  await send(path, `file:${air}`, join(at, 's'), { ...input, snrDb: undefined, known });
  const options = { numerology: 6 };
  const lacking = await receive(`file:${air}`, join(at, 'r1'), options);
  const page = await readFile(join(at, 'r1', 'report.html'), 'utf8');
  assert.match(page, new RegExp(`names reference picture ${knowledge.reference.slice(0, 8)}, which is not here`));
  assert.ok(lacking.metrics.sfvs.some((s) => s.state === 'synthesised'));
  await receive(`file:${air}`, join(at, 'r2'), { ...options, known });
  assert.doesNotMatch(await readFile(join(at, 'r2', 'report.html'), 'utf8'), /which is not here/);
  const pictures = await Promise.all(['r1', 'r2'].map((r) => readFile(join(at, r, 'received.png'))));
  assert.ok(!pictures[0].equals(pictures[1]));

  for (const [bad, what] of [
    [{ known: join(at, 'nowhere') }, /--known .*nowhere is not there/],
    [{ known: empty }, /has no PNG, JPEG, WebP or AVIF/],
    [
      { known, codec: 'classical' as const, mode: undefined, roi: undefined, size: undefined },
      /--known: only a codec with/,
    ],
  ] as const) {
    await assert.rejects(loopback(path, join(at, 'bad'), { ...input, ...bad } as LinkInput), (error: unknown) => {
      assert.ok(error instanceof UsageError, String(error));
      assert.match(error.message, what);
      return true;
    });
  }
});

test('a reference that the receiver says it lacks is not named', async (t) => {
  const at = await scratch(t);
  const demo = await loadDemoPhoto();
  const known = join(at, 'known.png');
  await writeFile(known, await encodePng(cropImage(demo, 302, 121, 192, 160)));
  const config = resolveLinkConfig({ ...LIVE, known });
  const coding = await senderCodec(config);
  const link = coding.knowledge!;
  for (const references of [[], link.receiver!.references]) {
    const receiver = { ...link.receiver!, references };
    const exchange = new LoopbackExchange(config, {
      ...setupLink(config, null, coding),
      knowledge: { ...link, receiver },
    });
    await exchange.open();
    const plan = await exchange.sendPicture(cropImage(demo, 300, 120, 192, 160));
    await exchange.close();
    const { reference, state } = exchange.knowledge!.facts;
    assert.equal(state, 'agreed');
    assert.equal(reference, references[0]?.sha256 ?? null);
    assert.equal(plan.settings.reference, references[0]?.sha256.slice(0, 8));
  }
});
