import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFile, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { FormatError, UsageError } from '../../../src/common/errors.ts';
import { readSweep } from '../../../src/experiment/sweep/read-sweep.ts';
import { runSweep } from '../../../src/experiment/sweep/run-sweep.ts';
import { parseSweepFile } from '../../../src/experiment/sweep/sweep-file.ts';
import { scratch } from '../link-helpers.ts';
import { FakeQueue, failed, measured, sweepIo } from './sweep-helpers.ts';

const TEXT = 'photo: demo\ncodec: classical\nsnr: [0, 5]\nseed: 1..6\n';
const STOPPING = `${TEXT}stop: {metric: psnrDb, halfWidth: 1, min: 3}\n`;

function sweep(folder: string, queue: FakeQueue, more: { text?: string; resume?: boolean; signal?: AbortSignal } = {}) {
  const { text = TEXT, resume = false, signal } = more;
  const file = parseSweepFile(join(folder, '..', 'a.yaml'), text);
  return runSweep({ file, folder, resume, jobs: 1 }, sweepIo(signal), () => queue);
}

const plain = (width = 1) => new FakeQueue(width, (point) => measured(point, point.config.seed));

test('a sweep leaves its plan, points and one result a point, which readSweep gives back', async (t) => {
  const folder = join(await scratch(t), 'out');
  const summary = await sweep(folder, plain(3));
  assert.deepEqual(
    [summary.ok, summary.points, summary.measured, summary.groups, summary.failed, summary.exitCode],
    [true, 12, 12, 2, 0, 0],
  );
  assert.deepEqual((await readdir(folder)).sort(), ['points.jsonl', 'results.jsonl', 'sweep.json', 'sweep.yaml']);
  assert.equal(await readFile(join(folder, 'sweep.yaml'), 'utf8'), TEXT);
  const stored = await readSweep(folder);
  assert.equal(stored.plan.state, 'done');
  assert.equal(stored.points.length, 12);
  for (const point of stored.points) assert.equal(stored.results.get(point.id)?.metrics.psnrDb, point.config.seed);
});

test('a folder that is taken is not written to', async (t) => {
  const at = await scratch(t);
  const folder = join(at, 'out');
  await sweep(folder, plain());
  await assert.rejects(sweep(folder, plain()), /holds a sweep/);
  await assert.rejects(sweep(folder, plain(), { resume: true, text: `${TEXT}harq: 0\n` }), /holds another sweep/);
  await assert.rejects(sweep(folder, plain(), { resume: true, text: STOPPING }), /holds another sweep/);
  const other = join(at, 'other');
  await mkdir(other);
  await writeFile(join(other, 'thesis.txt'), 'mine');
  await assert.rejects(sweep(other, plain()), /holds other things \(thesis\.txt\)/);
  assert.deepEqual(await readdir(other), ['thesis.txt']);
});

test('resume does what is missing, and nothing for the second time', async (t) => {
  const folder = join(await scratch(t), 'out');
  const gone = new AbortController();
  const first = new FakeQueue(2, (point) => {
    if (point.index === 7) gone.abort();
    return measured(point, point.config.seed);
  });
  const summary = await sweep(folder, first, { signal: gone.signal });
  assert.equal(summary.exitCode, 130);
  assert.equal(summary.ok, false);
  const before = (await readSweep(folder)).results.size;
  assert.ok(before > 0 && before < 12, `${before}`);
  assert.equal((await readSweep(folder)).plan.state, 'interrupted');
  const second = plain();
  const end = await sweep(folder, second, { resume: true });
  assert.deepEqual([end.measured, end.before, end.exitCode], [12, before, 0]);
  assert.equal(second.ran.length, 12 - before);
  const third = plain();
  assert.equal((await sweep(folder, third, { resume: true })).measured, 12);
  assert.equal(third.ran.length, 0);
});

test('a torn last line is done again; a damaged, unknown or doubled one is refused with its number', async (t) => {
  const folder = join(await scratch(t), 'out');
  await sweep(folder, plain());
  const path = join(folder, 'results.jsonl');
  const whole = await readFile(path, 'utf8');
  await writeFile(path, whole.slice(0, -20));
  assert.equal((await readSweep(folder)).results.size, 11);
  const queue = plain();
  await sweep(folder, queue, { resume: true });
  assert.equal(queue.ran.length, 1);
  assert.equal(await readFile(path, 'utf8'), whole);
  const [line] = whole.split('\n');
  for (const [bad, message] of [
    [line, /results\.jsonl:13: point [0-9a-f]{32} for the second time/],
    [line.replace(/"id":"[0-9a-f]{4}/, '"id":"0000'), /:13: point 0000.* is not of this/],
    ['{"schema":1}', /:13: .*schema/],
    ['[[', /:13: .*JSON/],
  ] as const) {
    await writeFile(path, whole);
    await appendFile(path, `${bad}\n`);
    await assert.rejects(sweep(folder, plain(), { resume: true }), message);
    await assert.rejects(readSweep(folder), message);
  }
});

test('failed points are told, tried again by resume, and decide the exit code', async (t) => {
  const folder = join(await scratch(t), 'out');
  const bad = new FakeQueue(3, (point) => (point.index % 5 === 2 ? failed(point, 3) : measured(point, 1)));
  const first = await sweep(folder, bad);
  assert.deepEqual([first.ok, first.measured, first.failed, first.exitCode], [false, 10, 2, 3]);
  const stored = await readSweep(folder);
  assert.equal(stored.failures.length, 2);
  assert.equal(stored.plan.state, 'failed');
  const second = await sweep(folder, plain(), { resume: true });
  assert.deepEqual([second.ok, second.measured, second.failed], [true, 12, 0]);
  assert.equal((await readSweep(folder)).failures.length, 0);
});

test('where everything fails the sweep ends with the reason', async (t) => {
  const folder = join(await scratch(t), 'out');
  const queue = new FakeQueue(4, (point) => failed(point, 3));
  const text = 'photo: demo\ncodec: classical\nseed: 1..200\n';
  await assert.rejects(sweep(folder, queue, { text }), /the first 2\d points all failed: cannot measure/);
  assert.ok(queue.ran.length < 40, `${queue.ran.length} were tried`);
});

test('points that always fail do not keep resume from the others', async (t) => {
  const folder = join(await scratch(t), 'out');
  const text = 'photo: demo\ncodec: classical\nsnr: [0, 5]\nseed: 1..60\n';
  const bad = (from: number, to: number) =>
    new FakeQueue(2, (p) => (p.index >= from && p.index < to ? failed(p) : measured(p, 1)));
  assert.equal((await sweep(folder, bad(1, 120), { text })).failed, 119);
  const second = await sweep(folder, bad(10, 50), { text, resume: true });
  assert.deepEqual([second.measured, second.failed], [80, 40]);
  const third = await sweep(folder, bad(10, 45), { text, resume: true });
  assert.deepEqual([third.measured, third.failed, third.exitCode], [85, 35, 2]);
});

test('the stop rule leaves the same results whatever runs at once, and through any number of stops', async (t) => {
  const at = await scratch(t);
  const linesOf = async (folder: string) => {
    const text = await readFile(join(folder, 'results.jsonl'), 'utf8');
    return text.split('\n').sort();
  };
  // Seeds 1 to 3 of the first group agree, the second never does.
  const value = (snrDb: number | null, seed: number) => (snrDb === 0 ? 30 : 10 * seed);
  const make = (width: number) => new FakeQueue(width, (p) => measured(p, value(p.config.snrDb, p.config.seed)));
  const one = join(at, 'one');
  const summary = await sweep(one, make(1), { text: STOPPING });
  assert.deepEqual([summary.measured, summary.needless, summary.stoppedGroups], [9, 3, 1]);
  const many = join(at, 'many');
  await sweep(many, make(12), { text: STOPPING });
  assert.deepEqual(await linesOf(many), await linesOf(one));
  const pieces = join(at, 'pieces');
  for (let most = 1; most < 12; most += 2) {
    const gone = new AbortController();
    const queue: FakeQueue = new FakeQueue(2, (p) => {
      if (queue.ran.length >= most) gone.abort();
      return measured(p, value(p.config.snrDb, p.config.seed));
    });
    await sweep(pieces, queue, { text: STOPPING, resume: true, signal: gone.signal });
  }
  await sweep(pieces, make(2), { text: STOPPING, resume: true });
  assert.deepEqual(await linesOf(pieces), await linesOf(one));
});

test('a folder that is damaged is refused in words, or made whole', async (t) => {
  const folder = join(await scratch(t), 'out');
  await sweep(folder, plain());
  const points = join(folder, 'points.jsonl');
  const text = await readFile(points, 'utf8');
  await rm(points);
  assert.equal((await sweep(folder, plain(), { resume: true })).before, 12);
  assert.equal(await readFile(points, 'utf8'), text);
  for (const name of ['results.jsonl', 'sweep.json', 'sweep.lock']) {
    const copy = join(folder, '..', `${name} is a folder`);
    await cp(folder, copy, { recursive: true });
    await rm(join(copy, name), { force: true });
    await mkdir(join(copy, name));
    await assert.rejects(sweep(copy, plain(), { resume: true }), (e: unknown) => {
      return e instanceof UsageError || e instanceof FormatError;
    });
  }
});

test('a program with other definitions of metrics does not go on; another version is written down', async (t) => {
  const folder = join(await scratch(t), 'out');
  await sweep(folder, plain());
  const path = join(folder, 'sweep.json');
  const plan = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify({ ...plan, program: { ...plan.program, packageVersion: '0.0.1' } }));
  await sweep(folder, plain(), { resume: true });
  await sweep(folder, plain(), { resume: true });
  const { program, laterPrograms } = (await readSweep(folder)).plan;
  assert.equal(program.packageVersion, '0.0.1');
  assert.deepEqual(laterPrograms, [plan.program]);
  await writeFile(path, JSON.stringify({ ...plan, metricDefinitions: '0' }));
  await assert.rejects(sweep(folder, plain(), { resume: true }), /other definitions of metrics \(0, now/);
});

test('what writers that were killed have left is swept up', async (t) => {
  const folder = join(await scratch(t), 'out');
  await mkdir(folder);
  for (const name of ['sweep.json', 'points.jsonl', 'sweep.lock']) {
    await writeFile(join(folder, `.${name}.123.0a1b2c3d.tmp`), 'half of');
  }
  await writeFile(join(folder, 'points.jsonl'), '{}\n');
  await sweep(folder, plain());
  assert.deepEqual((await readdir(folder)).sort(), ['points.jsonl', 'results.jsonl', 'sweep.json', 'sweep.yaml']);
  assert.equal((await readSweep(folder)).points.length, 12);
});

test('two processes cannot be at one sweep; a process that is gone does not keep it', async (t) => {
  const folder = join(await scratch(t), 'out');
  await mkdir(folder);
  await writeFile(join(folder, 'sweep.lock'), `${process.ppid}\n`);
  await assert.rejects(sweep(folder, plain()), /is at this sweep/);
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  await writeFile(join(folder, 'sweep.lock'), `${pid}\n`);
  assert.equal((await sweep(folder, plain())).ok, true);
});
