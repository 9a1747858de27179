import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BIN, scratch, sct } from '../cli/helpers.ts';
import { page } from '../dashboard/helpers.ts';
import { smallPhoto } from './small-photo.ts';

export type Facts = Record<string, unknown>;

/** A run `first` in a folder of its own, a dashboard there, and a page that controls it. */
export async function opened(t: { after(fn: () => Promise<void>): void }) {
  const cwd = await scratch(t);
  await smallPhoto(join(cwd, 'photo.png'), 160, 96);
  const options = ['--codec', 'classical', '--format', 'jpeg', '--channel', 'epa', '--snr', '20', '--cbr', '1/4'];
  assert.equal((await sct(['loopback', 'photo.png', ...options, '-o', 'runs/first'], cwd)).code, 0);
  const child = spawn(process.execPath, [BIN, 'dashboard', '--port', '0', '--json'], { cwd });
  const [line] = await once(child.stdout, 'data');
  const { control, url } = JSON.parse(String(line)) as { control: string; url: string };
  const seen = await page({ port: Number(new URL(url).port) }, control.split('#token=')[1]);
  const { ask, until, frames, texts } = seen;
  const ends = () => texts.filter((m) => m.job === null && m.exitCode !== undefined);
  const of = (topic: string) => frames.filter((f) => f.topic === topic).map((f) => f.data as Facts);
  /** Ends after the jobs that have ended before. */
  const ended = async (earlier: number): Promise<{ exitCode: unknown; run: Facts }> => {
    await until(() => ends().length > earlier);
    return { exitCode: ends()[earlier].exitCode, run: of('run').at(-1)! };
  };
  /** A whole replay; `steer` is called once it stands at its beginning. */
  const replayed = async (body: object, steer: () => Promise<unknown> = async () => {}) => {
    const earlier = ends().length;
    const answer = await ask({ do: 'start', ...body });
    assert.equal(answer.ok, true, JSON.stringify(answer));
    await steer();
    return ended(earlier);
  };
  t.after(async () => void child.kill('SIGKILL'));
  const json = async (...path: string[]) => JSON.parse(await readFile(join(cwd, ...path), 'utf8')) as Facts;
  const replay = (action: string, value: unknown = null) => ask({ do: 'replay', action, value });
  return { ...seen, cwd, child, json, of, ends, ended, replayed, replay };
}

/** Metrics without what no two runs share. */
export function figures(metrics: unknown): Facts {
  const { timings, files, ...rest } = metrics as Facts;
  return rest;
}
