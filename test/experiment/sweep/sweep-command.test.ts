import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { resultLines, startSweep } from '../../../bench/sweep/killed-sweep.ts';
import { sctInside } from '../../cli/helpers.ts';
import { photo, scratch } from '../link-helpers.ts';

const SWEEP = 'photo: a.png\ncodec: classical\nformat: jpeg\ncbr: 1\nnumerology: 6\nsnr: 20\n';

test('sct sweep: one object with --json, words without, and the exit codes that scripts depend on', async (t) => {
  const at = await scratch(t);
  await photo(join(at, 'a.png'), 64, 48);
  const file = join(at, 'short.yaml');
  await writeFile(file, `${SWEEP}seed: [1, 2]\n`);
  const folder = join(at, 'out');
  const first = await sctInside(['sweep', file, '-o', folder, '--jobs', '1', '--json']);
  const summary = JSON.parse(first.stdout);
  assert.deepEqual([first.code, summary.ok, summary.measured, summary.exitCode], [0, true, 2, 0]);
  assert.equal(summary.files.results, join(folder, 'results.jsonl'));
  const again = await sctInside(['sweep', file, '-o', folder, '--resume']);
  assert.match(again.stdout, /^short: 2 of 2 points measured, 2 of them before\nresults in /);
  const refused: [words: string[], message: RegExp][] = [
    [[file, '-o', folder], /holds a sweep/],
    [[join(at, 'not-there.yaml')], /cannot be read \(no such file or folder\)/],
    [[file, '--jobs', '0'], /--jobs 0 is out of range: allowed 1 to 256/],
    [[file, '--jobs', '2', '--nats', 'nats://127.0.0.1'], /--jobs and --nats/],
    [[file, '-o', join(at, 'a.png')], /cannot be used as a folder \(ENOTDIR\)/],
  ];
  for (const [words, message] of refused) {
    const { code, stderr, stdout } = await sctInside(['sweep', ...words]);
    assert.match(stderr, message);
    assert.deepEqual([code, stdout], [2, '']);
  }
  // Damage behind the header is found out when it is read.
  const whole = await readFile(await photo(join(at, 'b.png'), 64, 48));
  await writeFile(join(at, 'b.png'), whole.subarray(0, whole.length / 2));
  await writeFile(file, `${SWEEP.replace('a.png', '[a.png, b.png]')}seed: 1\n`);
  const half = await sctInside(['sweep', file, '-o', join(at, 'half'), '--jobs', '1', '--json']);
  const failed = JSON.parse(half.stdout);
  assert.deepEqual([half.code, failed.ok, failed.measured, failed.failed], [2, false, 1, 1]);
  assert.match(await readFile(failed.files.failures, 'utf8'), /b\.png cannot be decoded/);
});

test('a terminal that is closed, as Ctrl-C: exit code 130, what was measured stays, and --resume goes on', {
  timeout: 300_000,
}, async (t) => {
  const at = await scratch(t);
  await photo(join(at, 'a.png'), 64, 48);
  const plan = { file: join(at, 'long.yaml'), folder: join(at, 'out'), jobs: [2] };
  await writeFile(plan.file, `${SWEEP}seed: 1..2000\n`);
  const run = startSweep(plan);
  while (resultLines(plan.folder).length < 2 && run.process.exitCode === null) await sleep(10);
  run.process.kill('SIGHUP');
  const { code, stdout } = await run.ended;
  const said = JSON.parse(stdout);
  assert.deepEqual([code, said.ok, said.exitCode], [130, false, 130]);
  assert.ok(said.measured >= 2 && said.measured < 2000);
  assert.equal(resultLines(plan.folder).length, said.measured);
  assert.equal(JSON.parse(await readFile(join(plan.folder, 'sweep.json'), 'utf8')).state, 'interrupted');
});
