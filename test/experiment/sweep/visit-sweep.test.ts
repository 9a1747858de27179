import assert from 'node:assert/strict';
import { appendFile, mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { readSweep } from '../../../src/experiment/sweep/read-sweep.ts';
import { runSweep } from '../../../src/experiment/sweep/run-sweep.ts';
import { parseSweepFile } from '../../../src/experiment/sweep/sweep-file.ts';
import { isSweepFolder, visitSweep } from '../../../src/experiment/sweep/visit-sweep.ts';
import { scratch } from '../link-helpers.ts';
import { FakeQueue, failed, measured, sweepIo } from './sweep-helpers.ts';

async function sweepIn(folder: string): Promise<void> {
  const queue = new FakeQueue(2, (p) => (p.index === 5 ? failed(p) : measured(p, p.config.seed)));
  const file = parseSweepFile('a.yaml', 'photo: demo\ncodec: classical\nseed: 1..1200\n');
  await runSweep({ file, folder, resume: false, jobs: 1 }, sweepIo(), () => queue);
}

/** A packed copy without what is packed. */
async function packed(folder: string, name: string, change = (bytes: Buffer) => bytes): Promise<void> {
  const bytes = await readFile(join(folder, name));
  await writeFile(join(folder, `${name}.gz`), change(gzipSync(bytes)));
  await rm(join(folder, name));
}

test('points, results and failures are given once each, with their lines, and pauses between', async (t) => {
  const folder = join(await scratch(t), 'out');
  await sweepIn(folder);
  const [points, results, failures, pauses]: string[][] = [[], [], [], []];
  const plan = await visitSweep(
    folder,
    {
      point: ({ id }, where) => void points.push(`${id} ${where.slice(folder.length + 1)}`),
      result: ({ id }) => void results.push(id),
      failure: ({ id }) => void failures.push(id),
    },
    (what) => void pauses.push(what),
  );
  assert.equal(plan.state, 'failed');
  assert.deepEqual([points.length, results.length, failures.length], [1200, 1199, 1]);
  assert.match(points[7], /^[0-9a-f]{32} points\.jsonl:8$/);
  assert.deepEqual(pauses.slice(0, 2), ['points.jsonl: 500 lines', 'points.jsonl: 1000 lines']);
});

test('packed files are read as the others; damaged ones are refused with their name', async (t) => {
  const folder = join(await scratch(t), 'out');
  await sweepIn(folder);
  const plain = await readSweep(folder);
  for (const name of ['points.jsonl', 'results.jsonl']) await packed(folder, name);
  assert.deepEqual(await readSweep(folder), plain);
  const path = join(folder, 'results.jsonl.gz');
  const whole = await readFile(path);
  await truncate(path, whole.length - 20);
  await assert.rejects(readSweep(folder), /results\.jsonl\.gz: cannot be read \(Z_/);
  await writeFile(path, 'not packed');
  await assert.rejects(readSweep(folder), /results\.jsonl\.gz: cannot be read \(Z_/);
  await writeFile(path, gzipSync(Buffer.alloc(30 * 2 ** 20, 'x')));
  await assert.rejects(readSweep(folder), /more than \d+ bytes in one line/);
});

test('what no sweep leaves behind is refused with file and line', async (t) => {
  const folder = join(await scratch(t), 'out');
  await sweepIn(folder);
  const path = join(folder, 'points.jsonl');
  const text = await readFile(path, 'utf8');
  await appendFile(path, `${text.split('\n')[0]}\n`);
  await assert.rejects(readSweep(folder), /points\.jsonl:1201: .*second time/);
  await writeFile(path, text.split('\n').slice(1).join('\n'));
  await assert.rejects(readSweep(folder), /points\.jsonl: not the points of sweep\.json/);
  await writeFile(path, text);
  const results = join(folder, 'results.jsonl');
  await writeFile(results, (await readFile(results, 'utf8')).replace(/"id":"[0-9a-f]{6}/, '"id":"000000'));
  await assert.rejects(readSweep(folder), /results\.jsonl:1: .*not of this sweep/);
});

test('another folder is no sweep', async (t) => {
  const at = await scratch(t);
  assert.equal(await isSweepFolder(at), false);
  await assert.rejects(visitSweep(at, {}), /no sweep/);
  await writeFile(join(at, 'sweep.json'), '{"schema":"sct.sweep/1"}');
  assert.equal(await isSweepFolder(at), false);
  await mkdir(join(at, 'b', 'sweep.json'), { recursive: true });
  assert.equal(await isSweepFolder(join(at, 'b')), false);
  const folder = join(at, 'out');
  await sweepIn(folder);
  assert.equal(await isSweepFolder(folder), true);
});
