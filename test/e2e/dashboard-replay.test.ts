// A run of the dashboard, replayed from it: steered as a page does, and left to itself.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { BIN, scratch } from '../cli/helpers.ts';
import { page } from '../dashboard/helpers.ts';

test('a run is replayed from the page: paused, sent elsewhere, let go; left alone it gives the same metrics', async (t) => {
  const cwd = await scratch(t);
  const child = spawn(process.execPath, [BIN, 'dashboard', '--port', '0', '--json'], { cwd });
  t.after(() => child.kill('SIGKILL'));
  const [line] = await once(child.stdout, 'data');
  const { control, url } = JSON.parse(String(line)) as { control: string; url: string };
  const { socket, ask, until, frames, texts } = await page(
    { port: Number(new URL(url).port) },
    control.split('#token=')[1],
  );
  const ends = () => texts.filter((m) => m.job === null && m.exitCode !== undefined);
  const of = (topic: string) => frames.filter((f) => f.topic === topic).map((f) => f.data as Record<string, unknown>);
  const file = async (run: string, name: string) => readFile(join(cwd, 'runs', run, name), 'utf8');
  const replay = (action: string, value: unknown = null) => ask({ do: 'replay', action, value });

  const options = { demo: true, codec: 'classical', format: 'jpeg', channel: 'awgn', snr: 15, cbr: '1/8' };
  await ask({ do: 'start', command: 'loopback', options });
  await until(() => ends().length === 1);
  const recorded = String(of('run')[0].directory);
  const { psnrDb } = JSON.parse(await file(recorded, 'metrics.json'));

  // Both are said before the replay has begun: it is held at its first sample.
  const source = join('runs', recorded);
  socket.send(JSON.stringify({ id: 1000, do: 'start', command: 'replay', source }));
  assert.equal((await replay('pause')).ok, true);
  await until(() => of('replay').some((e) => e.paused));
  const lengthS = Number(of('replay')[0].lengthS);
  assert.ok(lengthS > 0);
  assert.deepEqual(of('replay').at(-1)!.positionS, 0);
  await replay('seek', lengthS / 2);
  await until(() => of('replay').some((e) => e.paused && e.positionS === lengthS / 2));
  await replay('seek', 2 * lengthS);
  await until(() => of('log').some((e) => /seek: from 0/.test(String(e.text))));
  await replay('seek', 0);
  await until(() => of('replay').at(-1)!.positionS === 0);
  const before = of('burst').length;
  await replay('step');
  await until(() => of('burst').length === before + 1 && of('replay').at(-1)!.paused === true);
  assert.equal(of('burst').at(-1)!.use, 'sounding');
  await replay('resume');
  await until(() => ends().length === 2);
  assert.equal(ends()[1].exitCode, 0);
  assert.equal(of('picture').at(-1)!.psnrDb, psnrDb);
  const steered = of('run').at(-1)!;
  assert.deepEqual([steered.state, steered.metrics], ['ended', null]);
  assert.ok(!(await readdir(join(cwd, 'runs', String(steered.directory)))).includes('metrics.json'));

  await ask({ do: 'start', command: 'replay', source });
  await until(() => ends().length === 3);
  const alone = of('run').at(-1)!;
  assert.equal((alone.metrics as { psnrDb: number }).psnrDb, psnrDb);
  assert.equal(JSON.parse(await file(String(alone.directory), 'metrics.json')).psnrDb, psnrDb);
  child.kill('SIGINT');
  await once(child, 'close');
});
