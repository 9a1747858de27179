import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { compareMetrics } from '../../../src/experiment/compare-metrics.ts';
import type { LinkInput } from '../../../src/experiment/link-config.ts';
import { expandSweep } from '../../../src/experiment/sweep/expand.ts';
import { LocalPointRunner } from '../../../src/experiment/sweep/local-runner.ts';
import { readSweep } from '../../../src/experiment/sweep/read-sweep.ts';
import { runSweep } from '../../../src/experiment/sweep/run-sweep.ts';
import { parseSweepFile, readSweepFile } from '../../../src/experiment/sweep/sweep-file.ts';
import { loopback, photo, scratch } from '../link-helpers.ts';
import { sweepIo } from './sweep-helpers.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** A sweep's figures without what differs from run to run, by id. */
async function figures(folder: string): Promise<Map<string, unknown>> {
  const { results } = await readSweep(folder);
  return new Map([...results].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, { metrics }]) => [id, metrics]));
}

async function runFile(path: string, folder: string, jobs: number, resume = false) {
  return runSweep({ file: await readSweepFile(path), folder, resume, jobs }, sweepIo());
}

test('a point has the metrics that sct loopback has, of every codec, and one after another as alone', async (t) => {
  const at = await scratch(t);
  const picture = await photo(join(at, 'a.png'), 192, 128);
  const cases: [text: string, flags: LinkInput][] = [
    [
      'codec: classical\nformat: jpeg\nchannel: epa\nsnr: 12',
      { codec: 'classical', format: 'jpeg', channel: 'epa', snrDb: 12 },
    ],
    [
      'codec: integrated\nsize: live\nmapping: uniform\nsnr: 6',
      { codec: 'integrated', size: 'live', mapping: 'uniform', snrDb: 6 },
    ],
    [
      'codec: modular\nsize: live\nchannel: tdl-a\nsnr: 14',
      { codec: 'modular', size: 'live', channel: 'tdl-a', snrDb: 14 },
    ],
  ];
  const runner = new LocalPointRunner();
  for (const [i, [text, flags]] of cases.entries()) {
    const file = parseSweepFile(join(at, 'a.yaml'), `photo: a.png\ncbr: 1/4\nnumerology: 15\nseed: [4, 5]\n${text}\n`);
    for (const point of (await expandSweep(file)).points) {
      const outcome = await runner.run(point);
      if (outcome.kind === 'failed') assert.fail(outcome.failure.message);
      const run = await loopback(picture, join(at, `run-${i}`), {
        ...flags,
        cbr: 1 / 4,
        numerology: 15,
        seed: point.config.seed,
      });
      assert.ok(run.metrics.psnrDb !== null && run.metrics.sfvs !== null);
      assert.deepEqual(compareMetrics(run.metrics, outcome.result.metrics), [], `${text} seed ${point.config.seed}`);
      assert.equal(outcome.result.exitCode, run.exitCode);
    }
  }
  await runner.close();
});

test('a point that cannot be measured says why, and the next one is measured', async (t) => {
  const at = await scratch(t);
  await photo(join(at, 'a.png'), 64, 48);
  const file = parseSweepFile(
    join(at, 'a.yaml'),
    'photo: a.png\ncodec: classical\nformat: jpeg\ncbr: 1\nnumerology: 6\nsnr: 20\nseed: [1, 2]\n',
  );
  const { points } = await expandSweep(file);
  const runner = new LocalPointRunner();
  await writeFile(join(at, 'a.png'), 'no picture');
  const first = await runner.run(points[0]);
  assert.ok(first.kind === 'failed' && first.failure.exitCode === 2 && first.failure.id === points[0].id);
  await photo(join(at, 'a.png'), 64, 48);
  assert.equal((await runner.run(points[1])).kind, 'measured');
});

test('the results do not depend on the number of threads', async (t) => {
  const at = await scratch(t);
  await photo(join(at, 'a.png'), 192, 128);
  const path = join(at, 'sweep.yaml');
  const text =
    'photo: a.png\nsize: live\ncodec: [integrated, classical]\nformat: jpeg\nchannel: [awgn, epa]\nsnr: 14\ncbr: 1/4\nnumerology: 15\nseed: 1..6\n';
  await writeFile(path, `${text}stop: {metric: psnrDb, halfWidth: 0.5, min: 3}\n`);
  const one = await runFile(path, join(at, 'one'), 1);
  const three = await runFile(path, join(at, 'three'), 3);
  assert.equal(one.ok, true);
  assert.ok(one.needless > 0 && one.stoppedGroups < one.groups, 'some groups stop early, some do not');
  assert.deepEqual([three.measured, three.needless], [one.measured, one.needless]);
  assert.deepEqual(await figures(join(at, 'three')), await figures(join(at, 'one')));
});

test('kill -9 in the middle: resume finds every point once, as if nothing had been', {
  timeout: 300_000,
}, async (t) => {
  const at = await scratch(t);
  await photo(join(at, 'a.png'), 64, 48);
  const path = join(at, 'sweep.yaml');
  const text = 'photo: a.png\ncodec: classical\nformat: jpeg\ncbr: 1\nnumerology: 6\nsnr: [14, 20]\nseed: 1..30\n';
  await writeFile(path, text);
  const out = join(at, 'out');
  const main = pathToFileURL(join(ROOT, 'src', 'cli', 'main.ts')).href;
  const script = `const { main } = await import('${main}'); process.exit(await main(process.argv.slice(1)));`;
  const loader = pathToFileURL(join(ROOT, 'node_modules', 'tsx', 'dist', 'loader.mjs')).href;
  const words = ['sweep', path, '--jobs', '2', '-q', '-o', out];
  const child = spawn(process.execPath, ['--import', loader, '--input-type=module', '-e', script, '--', ...words], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = new Promise<NodeJS.Signals | null>((resolve) => child.on('close', (_, signal) => resolve(signal)));
  const results = join(out, 'results.jsonl');
  const lines = async () => (existsSync(results) ? (await readFile(results, 'utf8')).split('\n').length - 1 : 0);
  while ((await lines()) < 3 && child.exitCode === null) await sleep(10);
  child.kill('SIGKILL');
  assert.equal(await ended, 'SIGKILL');
  const before = await lines();
  assert.ok(before >= 3 && before < 60, `${before} results when it was killed`);
  // As a write that was cut in two leaves it.
  await appendFile(results, '{"exitCode":0,"id":"0123');
  const summary = await runFile(path, out, 2, true);
  assert.deepEqual([summary.ok, summary.measured, summary.before, summary.points], [true, 60, before, 60]);
  const stored = await readSweep(out);
  assert.equal(stored.results.size, 60);
  assert.equal(stored.plan.state, 'done');
  assert.equal(await lines(), 60);
});
