// A recording of 10 GB, which is mostly holes in the file: it is watched, sent elsewhere and cut without being read.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import test from 'node:test';
import { FrameSplitter } from '../../src/dashboard/frame-splitter.ts';
import { decodeFrame, type Frame } from '../../src/dashboard/frames.ts';
import { BIN, scratch, sct } from '../cli/helpers.ts';

const BYTES = 1e10;
const RATE_HZ = 8e6;
/** A small part of the recording; a process that does nothing has some 50 MiB. */
const MOST_MEMORY_MIB = 600;

test('10 GB: its overview, any place of it and a part of it are there with bounded memory', async (t) => {
  const cwd = await scratch(t);
  const path = join(cwd, 'long');
  const global = { 'core:datatype': 'ci8', 'core:version': '1.2.5', 'core:sample_rate': RATE_HZ };
  const annotations = Array.from({ length: 5000 }, (_, i) => ({
    'core:sample_start': 1e6 * i,
    'core:sample_count': 1e5,
    'core:label': 'burst data',
  }));
  const captures = [{ 'core:sample_start': 0, 'core:frequency': 868e6 }];
  await writeFile(`${path}.sigmf-meta`, JSON.stringify({ global, captures, annotations }));
  await writeFile(`${path}.sigmf-data`, '');
  await truncate(`${path}.sigmf-data`, BYTES);

  const child = spawn(process.execPath, [BIN, 'replay', 'long', '-q', '-o', 'run'], {
    cwd,
    env: { ...process.env, SCT_TELEMETRY_FD: '3' },
    stdio: ['pipe', 'ignore', 'ignore', 'pipe'],
  });
  t.after(async () => void child.kill('SIGKILL'));
  const splitter = new FrameSplitter();
  const frames: Frame[] = [];
  const told = child.stdio[3] as Readable;
  told.on('data', (chunk: Buffer) => {
    for (const bytes of splitter.push(chunk)) frames.push(decodeFrame(bytes));
  });
  const until = async (topic: string, passes: (frame: Frame) => boolean) => {
    while (!frames.some((frame) => frame.topic === topic && passes(frame))) await once(told, 'data');
  };
  const say = (action: string, value: unknown) => child.stdin!.write(`${JSON.stringify({ action, value })}\n`);

  await until('overview', ({ data, arrays }) => {
    assert.deepEqual([data.lengthS, (data.bursts as unknown[]).length, data.left], [625, 1667, 3333]);
    return (arrays.rmsDbfs as Float32Array).every((db) => db === Number.NEGATIVE_INFINITY);
  });
  say('speed', 0);
  await until('replay', ({ data }) => Number(data.positionS) > 0.2);
  say('seek', 600);
  await until('replay', ({ data }) => Number(data.positionS) > 600.1);
  if (process.platform === 'linux') {
    const peak = /VmHWM:\s+(\d+) kB/.exec(await readFile(`/proc/${child.pid}/status`, 'utf8'));
    assert.ok(Number(peak?.[1]) / 1024 < MOST_MEMORY_MIB, `${peak?.[0]}`);
  }
  child.kill('SIGINT');
  const [code] = await once(child, 'close');
  assert.equal(code, 130);

  await mkdir(join(cwd, 'parts'));
  assert.equal((await sct(['capture', 'cut', 'long', '--from', '300', '--to', '300.1', '-o', 'parts/a'], cwd)).code, 0);
  assert.equal((await stat(join(cwd, 'parts/a.sigmf-data'))).size, 0.1 * RATE_HZ * 2);
});
