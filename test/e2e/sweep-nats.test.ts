// A sweep on several machines from end to end: sct sweep --nats and sct worker as processes of their own, one of them killed, gives what sct sweep gives in threads.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratch, sct, startSct } from '../cli/helpers.ts';
import { NO_NATS, TestNats, until } from '../nats-server.ts';
import { smallPhoto } from './small-photo.ts';

const FILE = `
photo: photo.png
codec: classical
format: jpeg
numerology: 6
cbr: 1
snr: [8, 15]
channel: [awgn, epa]
seed: 1..6
`;
const POINTS = 24;

/** Metrics by point id. */
async function resultsOf(folder: string): Promise<Map<string, unknown>> {
  const lines = (await readFile(join(folder, 'results.jsonl'), 'utf8')).trim().split('\n');
  const results = lines.map((line) => JSON.parse(line) as { id: string; metrics: unknown; exitCode: number });
  const out = new Map(results.map(({ id, metrics, exitCode }) => [id, { metrics, exitCode }]));
  assert.equal(out.size, lines.length, 'no point twice');
  return out;
}

test('a sweep over NATS with a worker and a coordinator killed', { skip: NO_NATS, timeout: 600_000 }, async (t) => {
  const cwd = await scratch(t);
  await smallPhoto(join(cwd, 'photo.png'), 160, 96);
  await writeFile(join(cwd, 'sweep.yaml'), FILE);
  const alone = await sct(['sweep', 'sweep.yaml', '-o', 'alone', '--jobs', '2', '--json'], cwd);
  assert.equal(alone.code, 0, alone.stderr);
  const nats = await TestNats.start(t);
  const worker = (name: string) => {
    const args = ['worker', '--nats', nats.url, '--jobs', '1', '--cache', `cache-${name}`, '--json'];
    const process = startSct(args, cwd);
    t.after(() => process.kill('SIGKILL'));
    return process;
  };
  const sweep = () => startSct(['sweep', 'sweep.yaml', '-o', 'shared', '--nats', nats.url, '--resume', '--json'], cwd);
  const doomed = worker('a');
  const first = sweep();
  t.after(() => first.kill('SIGKILL'));
  const lines = async () =>
    (await readFile(join(cwd, 'shared', 'results.jsonl'), 'utf8').catch(() => '')).split('\n').length - 1;
  await until(async () => (await lines()) >= 4, 'the first results');
  first.kill('SIGKILL');
  await first.ended;
  doomed.kill('SIGKILL');
  const good = worker('b');
  const shared = await sweep().ended;
  assert.equal(shared.code, 0, shared.stderr);
  assert.equal(JSON.parse(shared.stdout).measured, POINTS);
  assert.deepEqual(await resultsOf(join(cwd, 'shared')), await resultsOf(join(cwd, 'alone')));
  good.kill('SIGINT');
  const { code, stdout } = await good.ended;
  assert.equal(code, 130);
  const said = JSON.parse(stdout);
  assert.ok(
    said.schema === 'sct.worker/1' && said.measured > 0 && said.measured <= POINTS && said.refused === 0,
    stdout,
  );
});

test('wrong words of sct worker', async (t) => {
  const cwd = await scratch(t);
  for (const [args, code, says] of [
    [[], 2, /--nats URL is missing/],
    [['--nats', 'http://x'], 2, /is not nats:\/\/HOST/],
    [['--nats', 'nats://me:secret@x'], 2, /no place for a password/],
    [['--nats', 'nats://127.0.0.1:1'], 3, /no NATS server answers/],
    [['--nats', 'nats://127.0.0.1:1', '--jobs', '0'], 2, /allowed 1 to/],
    [['--nats', 'nats://127.0.0.1:1', '--until-idle', 'x'], 2, /allowed 1 to/],
  ] as const) {
    const ended = await sct(['worker', ...args], cwd);
    assert.equal(ended.code, code, ended.stderr);
    assert.match(ended.stderr, says);
  }
});
