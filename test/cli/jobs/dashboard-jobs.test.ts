import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import { get, page, type TestPage } from '../../dashboard/helpers.ts';
import { BIN } from '../helpers.ts';

/** A dashboard as a user starts it, in a folder that is not the project's, with folders of other names. */
describe('jobs that a page starts', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sct-jobs-'));
  let dashboard: ChildProcess;
  let at = { port: 0 };
  let bearer = { Authorization: '' };
  let watching: TestPage;
  before(async () => {
    mkdirSync(join(folder, 'elsewhere'));
    const words = ['dashboard', '--port', '0', '--json', '--runs', '../my runs', '--captures', '../recorded'];
    dashboard = spawn(process.execPath, [BIN, ...words, '--pictures', '../photos'], {
      cwd: join(folder, 'elsewhere'),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(dashboard.stdout!, 'data')) as [Buffer];
    const { port, hash } = new URL((JSON.parse(String(line)) as { control: string }).control);
    const token = hash.slice('#token='.length);
    at = { port: Number(port) };
    bearer = { Authorization: `Bearer ${token}` };
    watching = await page(at, token);
  });
  after(async () => {
    watching.socket.terminate();
    dashboard.kill();
    await once(dashboard, 'close');
    rmSync(folder, { recursive: true });
  });

  const json = async (path: string) => JSON.parse((await get(at, path, bearer)).text);
  /** Starts a command and waits for its end; what it said last of its run. */
  const run = async (command: string, options: Record<string, unknown>, source?: string) => {
    const ends = watching.texts.filter((t) => t.how !== undefined).length;
    const frames = watching.frames.length;
    const answer = await watching.ask({ do: 'start', command, options, ...(source === undefined ? {} : { source }) });
    assert.equal(answer.ok, true, JSON.stringify(answer));
    const ended = () => watching.frames.slice(frames).filter((f) => f.topic === 'run' && f.data.state === 'ended');
    await watching.until(() => watching.texts.filter((t) => t.how !== undefined).length > ends && ended().length > 0);
    return ended().at(-1)!.data;
  };

  it('a picture that the page brought is sent; its run is in the list at once, and its report opens', async () => {
    const picture = await sharp({ create: { width: 256, height: 192, channels: 3, background: '#4a8' } })
      .png()
      .toBuffer();
    const brought = JSON.parse((await get(at, '/api/pictures/My%20photo.png', bearer, 'POST', picture)).text);
    assert.equal(brought.name, 'My-photo.png');
    const options = { codec: 'classical', snr: 20, pace: 0 };
    const { exitCode, directory } = await run('loopback', options, brought.name);
    assert.equal(exitCode, 0);
    assert.deepEqual(readdirSync(join(folder, 'my runs')), [directory]);
    const [listed] = await json('/api/runs');
    assert.deepEqual([listed.name, listed.source], [directory, `runs/${directory}`]);
    const body = JSON.stringify({ path: `/api/runs/${directory}/files/report.html` });
    const asJson = { ...bearer, 'Content-Type': 'application/json' };
    const { url } = JSON.parse((await get(at, '/api/tickets', asJson, 'POST', body)).text);
    assert.match((await get(at, url)).text, /^<!doctype html>/i);
  });

  it('what was received is recorded again, found, replayed and downloaded', async () => {
    await run('sound', { pace: 0, count: 2, period: 20 });
    const [sounded] = await json('/api/runs');
    assert.equal((await run('replay', {}, sounded.source)).exitCode, 0);
    const of = (name: string) => join(folder, 'my runs', sounded.name, name);
    mkdirSync(join(folder, 'recorded'));
    for (const end of ['meta', 'data']) {
      copyFileSync(of(`rx.sigmf-${end}`), join(folder, 'recorded', `air.sigmf-${end}`));
    }
    assert.equal((await run('record', { from: 'file:air' })).exitCode, 0);
    const captures = (await json('/api/captures')) as { name: string; bytes: number; files: { name: string }[] }[];
    assert.deepEqual([captures.length, captures[0].bytes], [2, captures[1].bytes]);
    const made = captures.find(({ name }) => name !== 'air')!;
    assert.match(made.name, /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ_air_[0-9a-f]{6}$/);
    const data = `/api/captures/${made.name}/files/${made.files[1].name}`;
    const { status, headers } = await get(at, data, { ...bearer, Range: 'bytes=0-7' });
    assert.deepEqual([status, headers['content-length']], [206, '8']);
    const refused = await watching.ask({ do: 'start', command: 'record', options: { from: 'file:/etc/passwd' } });
    assert.match((refused.error as { message: string }).message, /^--from: no recording/);
  });

  it('what is wrong with an option is the answer, not a job', async () => {
    const jobs = async () => /^sct_dashboard_jobs_total (\d+)$/m.exec((await get(at, '/metrics', bearer)).text)?.[1];
    const before = await jobs();
    for (const [options, why] of [
      [{ snr: 999 }, /^--snr: 999 dB is out of range: allowed -60 to 200 dB/],
      [{ numerology: 7 }, /^--numerology/],
      [{ output: '/tmp/x' }, /--output/],
    ] as const) {
      const answer = await watching.ask({ do: 'start', command: 'sound', options });
      assert.match((answer.error as { message: string }).message, why);
    }
    assert.equal(await jobs(), before);
  });
});
