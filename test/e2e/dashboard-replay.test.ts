// A run of the dashboard, replayed from the page: steered as a page does, and checked; the metrics are those of the command line.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { sct } from '../cli/helpers.ts';
import { type Facts, figures, opened } from './replaying.ts';

const source = 'runs/first';

test('a replay that ran through gives the metrics of the command line, however it was paced; one left in the middle none', async (t) => {
  const { cwd, json, child, socket, until, of, ends, ended, replayed, replay } = await opened(t);
  assert.equal((await sct(['replay', join('runs', 'first'), '-o', 'cli'], cwd)).code, 0);
  const expected = figures(await json('cli', 'metrics.json'));
  assert.equal(expected.psnrDb, (await json('runs', 'first', 'metrics.json')).psnrDb);

  // Pause, place, a step and a pace are said before and while it goes; the last pass runs through.
  socket.send(JSON.stringify({ id: 1000, do: 'start', command: 'replay', source }));
  assert.equal((await replay('pause')).ok, true);
  await until(() => of('replay').some((e) => e.paused === true));
  const lengthS = Number(of('replay')[0].lengthS);
  assert.ok(lengthS > 0);
  assert.equal(of('replay').at(-1)!.positionS, 0, 'it is held at its first sample');
  await replay('seek', lengthS / 2);
  await until(() => of('replay').some((e) => e.paused === true && Math.abs(Number(e.positionS) - lengthS / 2) < 1e-5));
  await replay('seek', 2 * lengthS);
  await until(() => of('log').some((e) => /seek: from 0/.test(String(e.text))));
  await replay('seek', 0);
  await until(() => of('replay').at(-1)!.positionS === 0);
  const heard = of('burst').length;
  await replay('step');
  await until(() => of('burst').length === heard + 1 && of('replay').at(-1)!.paused === true);
  assert.equal(of('burst').at(-1)!.use, 'sounding');
  await replay('speed', 0.5);
  await replay('resume');
  const steered = await ended(0);
  assert.equal(steered.exitCode, 0);
  assert.deepEqual(figures(steered.run.metrics), expected);
  assert.deepEqual(figures(await json('runs', String(steered.run.directory), 'metrics.json')), expected);
  const overview = of('overview').at(-1)!;
  assert.equal(overview.lengthS, lengthS);
  assert.ok((overview.bursts as Facts[]).some(({ use }) => use === 'data'));

  const part = await replayed({ command: 'replay', source }, async () => {
    await replay('speed', 0);
    await replay('seek', lengthS / 2);
  });
  assert.deepEqual([part.exitCode, part.run.metrics, ends().length], [0, null, 2]);
  assert.ok(!(await readdir(join(cwd, 'runs', String(part.run.directory)))).includes('metrics.json'));
  child.kill('SIGINT');
  await once(child, 'close');
});

test('--check from the page says whether the metrics are those of the run', async (t) => {
  const { cwd, json, replayed } = await opened(t);
  const same = await replayed({ command: 'replay', source, options: { check: true } });
  assert.deepEqual([same.exitCode, same.run.outcome], [0, 'the replay gives the metrics of the run']);
  const metrics = { ...(await json('runs', 'first', 'metrics.json')), psnrDb: 1 };
  await writeFile(join(cwd, 'runs', 'first', 'metrics.json'), JSON.stringify(metrics));
  const other = await replayed({ command: 'replay', source, options: { check: true } });
  assert.equal(other.exitCode, 7);
  assert.match(String(other.run.outcome), /^the replay does not give the metrics of the run: psnrDb 1 in the run, /);
});
