// The built program from end to end: `sct dashboard`, a page that starts runs of it, and what these tell.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { BIN, scratch } from '../cli/helpers.ts';
import { get, page } from '../dashboard/helpers.ts';

/** A dashboard in a process and folder of its own, and a page with control of it. */
async function dashboard(t: TestContext) {
  const cwd = await scratch(t);
  const child = spawn(process.execPath, [BIN, 'dashboard', '--port', '0', '--json'], { cwd });
  t.after(() => child.kill('SIGKILL'));
  const [line] = await once(child.stdout, 'data');
  const { control, url } = JSON.parse(String(line)) as { control: string; url: string };
  const token = control.split('#token=')[1];
  const server = { port: Number(new URL(url).port) };
  const opened = await page(server, token);
  return { cwd, child, server, token, ...opened };
}

test('a picture from start to end: every topic is told, and what is told is what the run wrote', async (t) => {
  const { cwd, child, server, token, ask, until, frames, texts, socket } = await dashboard(t);
  const options = { demo: true, codec: 'classical', format: 'jpeg', channel: 'epa', snr: 12, cbr: '1/4' };
  assert.equal((await ask({ do: 'start', command: 'loopback', options })).ok, true);
  await until(() => texts.some((m) => m.job === null && m.exitCode !== undefined));
  assert.equal(texts.at(-1)!.exitCode, 0);

  const of = (topic: string) => frames.filter((f) => f.topic === topic);
  const [begun, ...runs] = of('run');
  assert.deepEqual([begun.data.state, runs.at(-1)!.data.state], ['starting', 'ended']);
  const name = String(begun.data.directory);
  const metrics = JSON.parse(await readFile(join(cwd, 'runs', name, 'metrics.json'), 'utf8'));
  assert.equal((runs.at(-1)!.data.metrics as { psnrDb: number }).psnrDb, metrics.psnrDb);
  assert.equal(of('picture').at(-1)!.data.psnrDb, metrics.psnrDb);

  const written = (await readFile(join(cwd, 'runs', name, 'frames.jsonl'), 'utf8')).trim().split('\n');
  const bursts = of('burst');
  assert.deepEqual(
    bursts.map(({ data }) => data.use),
    written.map((row) => JSON.parse(row).use),
  );
  const data = bursts.find((b) => b.data.use === 'data')!;
  const { slots, subbands } = data.data as { slots: number; subbands: number };
  assert.equal(data.arrays.rbSnrDb.length, slots * subbands);
  assert.equal(data.arrays.subbandSnrDb.length, subbands);
  assert.equal(data.arrays.reportedDb.length, subbands);
  assert.ok(of('spectrum').length > 0 && of('status').length > 0);
  const source = of('source')[0];
  assert.deepEqual([...source.arrays.bytes.subarray(0, 2)], [0xff, 0xd8], 'a JPEG');

  const listed = await get(server, `/api/runs/${name}`, { Authorization: `Bearer ${token}` });
  assert.equal(JSON.parse(listed.text).metrics.psnrDb, metrics.psnrDb);
  socket.close();
  child.kill('SIGINT');
  await once(child, 'close');
});

test('a bad request says why; a run that is stopped ends, keeps what it recorded, and another may start', async (t) => {
  const { ask, until, frames, texts, child } = await dashboard(t);
  const refused = await ask({ do: 'start', command: 'sound', options: { channel: 'nowhere' } });
  assert.equal(refused.ok, false);
  assert.match((refused.error as { message: string }).message, /^--channel.*nowhere/);

  await ask({ do: 'start', command: 'sound', options: { channel: 'eva', period: '20', count: '100000' } });
  await until(() => frames.filter((f) => f.topic === 'burst').length > 3);
  assert.equal((await ask({ do: 'start', command: 'sound' })).ok, false);
  assert.equal((await ask({ do: 'stop' })).ok, true);
  await until(() => texts.some((m) => m.job === null && m.exitCode === 130));

  await ask({ do: 'start', command: 'sound', options: { channel: 'awgn', count: '3' } });
  await until(() => texts.some((m) => m.job === null && m.exitCode === 0));
  child.kill('SIGTERM');
  await once(child, 'close');
});
