import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { killedSweep, plainResults, resultLines, startSweep } from '../../../bench/sweep/killed-sweep.ts';
import { readSweep } from '../../../src/experiment/sweep/read-sweep.ts';
import { photo, scratch } from '../link-helpers.ts';

/** Some groups stop early, some take all their seeds. */
const SWEEP = `photo: a.png
codec: classical
format: jpeg
numerology: 6
seed: 1..30
cases:
- {snr: [9, 12, 16, 20, 24], cbr: 1}
- {snr: [5.5, 6], cbr: 0.5}
stop: {metric: psnrDb, halfWidth: 0.02, min: 10}
`;

test('killed 20 times at random moments (SIGKILL), a sweep has every result of one that was left alone, once, byte by byte', {
  timeout: 600_000,
}, async (t) => {
  const at = await scratch(t);
  await photo(join(at, 'a.png'), 64, 48);
  const file = join(at, 'sweep.yaml');
  await writeFile(file, SWEEP);
  const alone = join(at, 'alone');
  const left = await startSweep({ file, folder: alone, jobs: [2] }).ended;
  assert.equal(left.code, 0, left.stderr);
  const expected = plainResults(alone);
  const folder = join(at, 'killed');
  const plan = { file, folder, kills: 20, seed: 3, jobs: [1, 1, 2], mostResults: 3 };
  const { resultsAtKill, early } = await killedSweep(plan);
  assert.ok(resultsAtKill[19] < expected.length && new Set(resultsAtKill).size > 6, `killed at ${resultsAtKill}`);
  assert.ok(early < 12, `${early} kills before the first result of their run`);
  // As a write that was cut in two leaves it.
  await appendFile(join(folder, 'results.jsonl'), '{"schema":"sct.sweep-result/1","id":"0123');
  const end = await startSweep(plan).ended;
  assert.equal(end.code, 0, end.stderr);
  const summary = JSON.parse(end.stdout);
  assert.deepEqual([summary.ok, summary.measured, summary.before], [true, expected.length, resultsAtKill[19]]);
  assert.equal(resultLines(folder).length, expected.length);
  assert.deepEqual(plainResults(folder), expected);
  const stored = await readSweep(folder);
  assert.deepEqual([stored.plan.state, stored.results.size], ['done', expected.length]);
  assert.deepEqual(readdirSync(folder).sort(), ['points.jsonl', 'results.jsonl', 'sweep.json', 'sweep.yaml']);
  assert.ok(summary.needless > 0 && summary.stoppedGroups < summary.groups, 'some groups stop early, some do not');
});
