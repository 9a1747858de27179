// Two radios in use while a new model set is pushed: processes of the built program, emulated boards between them.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { shippedModelsDir } from '../../src/sct/semantics/model-files.ts';
import { type ModelSetInfo, readModelSets, setHash } from '../../src/sct/semantics/model-set.ts';
import { type SctProcess, scratch, sct, startSct } from '../cli/helpers.ts';
import { NO_NATS, TestNats } from '../nats-server.ts';
import { smallPhoto } from './small-photo.ts';

const BOARD = (n: number) => `hackrf:0000000000000000e5c700000000000${n}?usbip=unix:./boards`;
const MODEM = '-f 868.3M --numerology 6 --feedback-token token --json'.split(' ');
const PICTURE =
  '--codec integrated --size live --cbr 1/8 --max-csi-age 60000 --tx-gain 40 --cabled 60 --pushed mine'.split(' ');

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

/** Pushes the set to whoever accepts; the folder of the other end. */
async function pushSet(cwd: string, way: string): Promise<string> {
  const words = ['models', 'push', 'live', '--models', 'new', '--feedback', way, '--feedback-token', 'token', '--json'];
  const { code, stdout, stderr } = await sct(words, cwd);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout).state;
}

async function twoRadios(t: TestContext, at: string): Promise<void> {
  const cwd = await scratch(t);
  writeFileSync(join(cwd, 'token'), '0123456789abcdef0123456789abcdef');
  await smallPhoto(join(cwd, 'photo.png'), 128, 96);
  const shipped = (await readModelSets(shippedModelsDir())).find((s) => s.name === 'live')!;
  const newer = await versionOf(join(cwd, 'new'), shipped.version + 1);
  const secret = ['--feedback-token', 'token'];

  // The sender's end gets the set by a push, too, and allows it.
  const mine = startSct(['models', 'accept', '--feedback', at, ...secret, '--pushed', 'mine', '-n', '1'], cwd);
  t.after(() => mine.kill('SIGKILL'));
  const [, own] = await mine.stderrMatches(/pushes are taken at (\S+)/);
  assert.equal(await pushSet(cwd, own), 'waiting');
  assert.equal((await mine.ended).code, 0);
  assert.equal((await sct(['models', 'allow', newer.sha256, '--pushed', 'mine'], cwd)).code, 0);

  const boards = startSct(['emulate', 'hackrf', 'hackrf', '--usbip', './boards', '--speed', '0.03'], cwd);
  t.after(() => boards.kill('SIGKILL'));
  await boards.stderrMatches(/2 boards/);
  const from = ['receive', '--from', BOARD(2), '-n', '4', '--feedback', at, '--pushed', 'theirs', ...MODEM, '-o', 'rx'];
  const receiver = startSct(from, cwd);
  t.after(() => receiver.kill('SIGKILL'));
  const [, way] = await receiver.stderrMatches(/feedback at (\S+)/);
  // It listens: the way back is open before its board is.
  await receiver.stderrMatches(/receive {2}\d/);
  const startSend = (seed: number) => {
    const to = ['send', 'photo.png', '--to', BOARD(1), '--feedback', way, '--seed', String(seed), ...MODEM, ...PICTURE];
    return startSct([...to, '-o', `tx${seed}`], cwd);
  };
  const setOf = async ({ ended }: SctProcess): Promise<string> => {
    const { code, stdout, stderr } = await ended;
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout).modelSet;
  };
  // The set comes while a picture is on its way: neither this one nor the next has it, for nobody there has allowed it.
  const first = startSend(1);
  assert.equal(await pushSet(cwd, way), 'waiting');
  assert.equal(await setOf(first), shipped.id);
  assert.equal(await setOf(startSend(2)), shipped.id);
  // It is allowed while a picture is on its way, before its session has begun or after: either set may be right, but only one of them.
  const third = startSend(3);
  assert.equal((await sct(['models', 'allow', newer.sha256, '--pushed', 'theirs'], cwd)).code, 0);
  const either = await setOf(third);
  assert.ok([shipped.id, newer.id].includes(either), either);
  assert.equal(await setOf(startSend(4)), newer.id, 'both hold it: the newest is used');
  const { code, stderr } = await receiver.ended;
  assert.equal(code, 0, stderr);
  assert.match(stderr, /from this session on: pushed set live/);
  // What every burst said that was heard: no picture changes its set. The sounding before it names the newest that the sender has.
  const bursts: { session: number; use: string; modelSet: string }[] = (
    await readFile(join(cwd, 'rx', 'frames.jsonl'), 'utf8')
  )
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ use }) => use !== 'sounding');
  const sessions = [...new Set(bursts.map(({ session }) => session))];
  assert.deepEqual(
    sessions.map((id) => [...new Set(bursts.filter((b) => b.session === id).map((b) => b.modelSet))]),
    [[shipped.id], [shipped.id], [either], [newer.id]],
  );
  // Both ends say in run.json what went over the way back, and that their clocks are one: two processes' starts aside.
  for (const [run, least] of [
    ['tx4', 'received'],
    ['rx', 'sent'],
  ] as const) {
    const { feedback } = JSON.parse(await readFile(join(cwd, run, 'run.json'), 'utf8')).device;
    assert.ok(feedback[least] > 0 && feedback.connections > 0, JSON.stringify(feedback));
    const { offsetMs, uncertaintyMs, samples } = feedback.clock;
    assert.ok(samples > 0 && Math.abs(offsetMs) <= uncertaintyMs + 1, JSON.stringify(feedback.clock));
  }
}

test('a set is pushed between two radios in use: held, allowed, then used (WebSocket)', { timeout: 400_000 }, (t) =>
  twoRadios(t, 'ws://127.0.0.1:0'),
);

test('the same through a NATS server', { timeout: 400_000, skip: NO_NATS }, async (t) =>
  twoRadios(t, `${(await TestNats.start(t, [], false)).url}/roof`),
);
