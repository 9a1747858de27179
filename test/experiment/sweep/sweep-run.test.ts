import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { expandSweep } from '../../../src/experiment/sweep/expand.ts';
import { LocalPointRunner } from '../../../src/experiment/sweep/local-runner.ts';
import { readSweep } from '../../../src/experiment/sweep/read-sweep.ts';
import { runSweep } from '../../../src/experiment/sweep/run-sweep.ts';
import { parseSweepFile, readSweepFile } from '../../../src/experiment/sweep/sweep-file.ts';
import { photo, scratch } from '../link-helpers.ts';
import { sweepIo } from './sweep-helpers.ts';

/** A sweep's figures without what differs from run to run, by id. */
async function figures(folder: string): Promise<Map<string, unknown>> {
  const { results } = await readSweep(folder);
  return new Map([...results].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, { metrics }]) => [id, metrics]));
}

const CLASSICAL = 'photo: a.png\ncodec: classical\nformat: jpeg\ncbr: 1\nnumerology: 6\nsnr: 20\nseed: [1, 2]\n';

test('a point that cannot be measured says why, and the next one is measured', async (t) => {
  const at = await scratch(t);
  await photo(join(at, 'a.png'), 64, 48);
  const { points } = await expandSweep(parseSweepFile(join(at, 'a.yaml'), CLASSICAL));
  const runner = new LocalPointRunner();
  await writeFile(join(at, 'a.png'), 'no picture');
  const first = await runner.run(points[0]);
  assert.ok(first.kind === 'failed' && first.failure.exitCode === 2 && first.failure.id === points[0].id);
  await photo(join(at, 'a.png'), 64, 48);
  assert.equal((await runner.run(points[1])).kind, 'measured');
});

test('a photo and a reference that are no longer what the sweep was made of are not measured', async (t) => {
  const at = await scratch(t);
  const [picture, known] = [join(at, 'a.png'), join(at, 'known.png')];
  for (const path of [picture, known]) await photo(path, 64, 48);
  const text = CLASSICAL.replace('classical', 'integrated').replace('format: jpeg', 'size: live\nknown: known.png');
  const { points } = await expandSweep(parseSweepFile(join(at, 'a.yaml'), text));
  for (const path of [picture, known]) {
    await photo(path, 65, 48);
    const runner = new LocalPointRunner();
    const changed = await runner.run(points[0]);
    assert.ok(changed.kind === 'failed' && changed.failure.message.startsWith(path), JSON.stringify(changed));
    assert.match(changed.failure.message, /is no longer what it was when the sweep was made/);
    await photo(path, 64, 48);
    assert.equal((await runner.run(points[0])).kind, 'measured');
    await runner.close();
  }
});

test('the results do not depend on the number of threads', async (t) => {
  const at = await scratch(t);
  await photo(join(at, 'a.png'), 64, 48);
  const path = join(at, 'sweep.yaml');
  const text = 'photo: a.png\nsize: live\nformat: jpeg\ncbr: 1\nnumerology: 6\nseed: 1..5\n';
  const cases = 'cases:\n- {codec: integrated, channel: [awgn, epa], snr: 9}\n- {codec: classical, snr: 20}\n';
  await writeFile(path, `${text}${cases}stop: {metric: psnrDb, halfWidth: 0.5, min: 3}\n`);
  const run = async (jobs: number) =>
    runSweep({ file: await readSweepFile(path), folder: join(at, String(jobs)), resume: false, jobs }, sweepIo());
  const one = await run(1);
  const three = await run(3);
  assert.equal(one.ok, true);
  assert.ok(one.needless > 0 && one.stoppedGroups < one.groups, 'some groups stop early, some do not');
  assert.deepEqual([three.measured, three.needless], [one.measured, one.needless]);
  assert.deepEqual(await figures(join(at, '3')), await figures(join(at, '1')));
});
