import assert from 'node:assert/strict';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ExitCode, UsageError } from '../../src/common/errors.ts';
import { objectOf } from '../../src/experiment/send/push-run.ts';
import { takePush } from '../../src/link/push/push-receiver.ts';
import { pushOver } from '../../src/link/push/push-sender.ts';
import { PushedStore } from '../../src/sct/knowledge/pushed-store.ts';
import { shippedModelsDir } from '../../src/sct/semantics/model-files.ts';
import { type ModelSetInfo, readModelSets, setHash } from '../../src/sct/semantics/model-set.ts';
import { linkPair } from '../link/push/memory-link.ts';
import { loopback, photo, replay, scratch } from './link-helpers.ts';

const LIVE = { codec: 'integrated', size: 'live', numerology: 6, snrDb: 12, cbr: 1 / 12 } as const;

/** A folder with a set like live of another version; another name of one file makes it another set. */
async function versionOf(dir: string, version: number): Promise<ModelSetInfo> {
  await mkdir(dir, { recursive: true });
  const manifest = JSON.parse(await readFile(join(shippedModelsDir(), 'models.json'), 'utf8'));
  const set = manifest.sets.find((s: ModelSetInfo) => s.name === 'live');
  set.files[0].name = `v${version}-${set.files[0].name}`;
  set.version = version;
  set.sha256 = setHash(set.files);
  set.id = set.sha256.slice(0, 8);
  manifest.sets = [set];
  await cp(join(shippedModelsDir(), 'live'), join(dir, 'live'), { recursive: true });
  await writeFile(join(dir, 'models.json'), JSON.stringify(manifest));
  return (await readModelSets(dir))[0];
}

/** Pushes the set of a folder to a store, and allows it. */
async function pushTo(store: PushedStore, dir: string, allowed = true): Promise<void> {
  const { offer, files } = await objectOf('live', dir);
  const { a, b } = linkPair();
  await Promise.all([pushOver(a, offer, files), takePush(b, store)]);
  if (allowed) await store.allow(offer.sha256);
}

async function record(directory: string) {
  return JSON.parse(await readFile(join(directory, 'run.json'), 'utf8'));
}

test('--pushed: the newest version that both ends hold is used, whichever end lacks the newest; an explicit folder stays', async (t) => {
  const at = await scratch(t);
  const path = await photo(join(at, 'photo.png'), 192, 160);
  const shipped = (await readModelSets(shippedModelsDir())).find((s) => s.name === 'live')!;
  const [v8, v9] = [join(at, 'v8'), join(at, 'v9')];
  const [second, third] = [await versionOf(v8, 8), await versionOf(v9, 9)];
  const pushedDir = join(at, 'pushed');
  const store = await PushedStore.open(pushedDir);
  await pushTo(store, v8);
  await pushTo(store, v9, false);

  // Version 9 is here and nobody has allowed it: it is as if it were not.
  const both = await loopback(path, join(at, 'both'), { ...LIVE, pushedDir });
  assert.deepEqual([both.exitCode, both.metrics.modelSet], [ExitCode.ok, second.id]);
  assert.equal((await record(join(at, 'both'))).knowledge.state, 'agreed');
  assert.deepEqual((await replay(join(at, 'both'), join(at, 'again'), true)).differences, []);
  await store.allow(third.sha256);
  const newest = await loopback(path, join(at, 'newest'), { ...LIVE, pushedDir });
  assert.equal(newest.metrics.modelSet, third.id);

  // The receiver holds 8 alone, or only what ships: the sender goes back to that, and says so.
  for (const [rxModelsDir, set] of [
    [v8, second],
    [shippedModelsDir(), shipped],
  ] as const) {
    const directory = join(at, `to-${set.version}`);
    const back = await loopback(path, directory, { ...LIVE, pushedDir, rxModelsDir });
    assert.deepEqual([back.exitCode, back.metrics.modelSet], [ExitCode.ok, set.id]);
    const { knowledge, models } = await record(directory);
    assert.deepEqual([knowledge.state, knowledge.using], ['agreed', set.sha256]);
    assert.deepEqual(models, [{ name: 'live', sha256: set.sha256 }]);
    const page = await readFile(join(directory, 'report.html'), 'utf8');
    assert.match(
      page,
      new RegExp(`the receiver lacks live version 9 \\(${third.id}\\).*version ${set.version} \\(${set.id}`),
    );
  }
  // Who names a folder means its set.
  await assert.rejects(
    loopback(path, join(at, 'exact'), { ...LIVE, modelsDir: v9, pushedDir, rxModelsDir: v8 }),
    /the receiver does not hold the model set that the transmitter codes with/,
  );
  await assert.rejects(loopback(path, join(at, 'none'), { ...LIVE, pushedDir: join(at, 'nowhere') }), UsageError);
});
