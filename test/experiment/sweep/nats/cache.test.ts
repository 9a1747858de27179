// The folder in which a worker keeps what points read: bounded, shared, in trouble, and tampered with while it is used.
import assert from 'node:assert/strict';
import { mkdir, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { inputSha256 } from '../../../../src/experiment/sweep/inputs.ts';
import { CacheTrouble, INDEX_FILE } from '../../../../src/experiment/sweep/nats/cache-folder.ts';
import { InputCache } from '../../../../src/experiment/sweep/nats/input-cache.ts';
import { indexName } from '../../../../src/experiment/sweep/nats/input-files.ts';
import { InputUploads } from '../../../../src/experiment/sweep/nats/input-uploads.ts';
import type { SweepSpace } from '../../../../src/experiment/sweep/nats/sweep-space.ts';
import type { PointInput, SweepPoint } from '../../../../src/experiment/sweep/point.ts';
import { NO_NATS, newId, TestNats, until } from '../../../nats-server.ts';
import { failed, pointsOf } from '../sweep-helpers.ts';
import { ofIndex, openQueue, openSpace, runAll, SleepingQueue, scratch, startWorker } from './nats-helpers.ts';

const options = { skip: NO_NATS, timeout: 120_000 };
const HOUR_S = 3600;

interface Ends {
  after(end: () => Promise<void> | void): void;
  signal: AbortSignal;
}

/** Files of 1000 bytes that lie in the object store. */
async function stored(t: Ends, space: SweepSpace, count: number): Promise<PointInput[]> {
  const here = await scratch(t);
  const uploads = new InputUploads(space);
  const inputs: PointInput[] = [];
  for (let i = 0; i < count; i++) {
    const path = join(here, `photo-${i}.png`);
    await writeFile(path, Buffer.alloc(1000, i));
    inputs.push({ use: 'photo', path, sha256: await inputSha256('photo', path) });
    await uploads.put(inputs[i]);
  }
  return inputs;
}

/** As if it had been used last so many hours ago. */
async function age(folder: string, input: PointInput, hours: number): Promise<void> {
  const then = Date.now() / 1e3 - hours * HOUR_S;
  await utimes(join(folder, indexName(input), INDEX_FILE), then, then);
}

function pointsWith(inputs: readonly PointInput[]): SweepPoint[] {
  return pointsOf([inputs.length]).map((point, i) => ({ ...point, photo: `photo-${i}.png`, inputs: [inputs[i]] }));
}

test('beyond its bound the least recently used go, and what killed workers left behind', options, async (t) => {
  const { url } = await TestNats.start(t);
  const there = await scratch(t);
  const space = await openSpace(t, url);
  const inputs = await stored(t, space, 5);
  const first = new InputCache(space, there, { mostBytes: 3000 });
  for (const [i, input] of inputs.slice(0, 4).entries()) {
    await first.get(input);
    // The third was used by a clock that was ahead.
    await age(there, input, i === 2 ? -48 : 9 - i);
  }
  const [old, fresh, foreign] = ['.0123456789abcdef', '.fedcba9876543210', 'a friend’s'].map((name) =>
    join(there, name),
  );
  for (const folder of [old, fresh, foreign]) {
    await mkdir(folder);
    await writeFile(join(folder, 'half'), 'a');
  }
  for (const path of [old, join(old, 'half')]) await utimes(path, 1e9, 1e9);
  // Another worker, which looks at the folder for the first time.
  const other = new InputCache(space, there, { mostBytes: 3000 });
  await other.tidy();
  const names = async () => (await readdir(there)).filter((name) => name.startsWith('input-')).sort();
  assert.deepEqual(await names(), [0, 1, 3].map((i) => indexName(inputs[i])).sort(), 'the one of the wrong clock went');
  assert.deepEqual((await readdir(there)).filter((name) => !name.startsWith('input-')).sort(), [
    '.fedcba9876543210',
    'a friend’s',
  ]);
  await other.get(inputs[0]);
  await other.get(inputs[4]);
  assert.deepEqual(await names(), [0, 3, 4].map((i) => indexName(inputs[i])).sort());
  // What was used just now stays whatever the bound; the first does not miss what went.
  const small = new InputCache(space, there, { mostBytes: 1000 });
  await small.tidy();
  assert.deepEqual(await names(), [0, 4].map((i) => indexName(inputs[i])).sort());
  assert.equal(await inputSha256('photo', await first.get(inputs[1])), inputs[1].sha256);
  // One that is larger than the bound comes all the same.
  const none = new InputCache(space, await scratch(t), { mostBytes: 10 });
  assert.equal(await inputSha256('photo', await none.get(inputs[1])), inputs[1].sha256);
});

test('a worker whose disk has no room leaves points to others and goes on when there is some', options, async (t) => {
  const { url } = await TestNats.start(t);
  const space = await openSpace(t, url);
  const inputs = await stored(t, space, 6);
  const points = pointsWith(inputs);
  const queue = await openQueue(t, url, newId());
  // Nobody can make the folder that stands for its disk: a file is there.
  const blocked = join(await scratch(t), 'cache');
  await mkdir(blocked);
  const poor = new SleepingQueue(2, 0);
  const worker = await startWorker(t, url, poor, { cache: blocked, troubleMs: 200 });
  await rm(blocked, { recursive: true });
  await writeFile(blocked, '');
  const all = runAll(queue, points);
  await until(() => worker.notes.some((line) => /go to other workers until this is mended/.test(line)), 'the trouble');
  const rich = await startWorker(t, url, new SleepingQueue(1, 0));
  assert.deepEqual(await all, points.map(ofIndex));
  assert.equal(poor.ran.length, 0);
  assert.equal(worker.notes.length, 1, worker.notes.join('\n'));
  await rich.leave();
  await rm(blocked);
  const more = pointsOf([0, 6]).map((point, i) => ({ ...point, photo: `photo-${i}.png`, inputs: [inputs[i]] }));
  assert.deepEqual(await runAll(queue, more), more.map(ofIndex));
  assert.equal(poor.ran.length, more.length);
});

test('a cache that cannot be written to ends a worker before it has taken a point', options, async (t) => {
  const { url } = await TestNats.start(t);
  const cache = join(await scratch(t), 'cache');
  await writeFile(cache, '');
  const { work } = await startWorker(t, url, new SleepingQueue(1, 0), { cache });
  await assert.rejects(work, (error) => error instanceof CacheTrouble && /is no folder/.test(error.message));
});

test('a point that failed while its files were tampered with is measured anew', options, async (t) => {
  const { url } = await TestNats.start(t);
  const space = await openSpace(t, url);
  const inputs = await stored(t, space, 3);
  const [damaged, deleted, wrong] = pointsWith(inputs);
  const runs = new Map<string, number>();
  // Reads its photo as the program does: what is not what it was made of is a failure.
  const executor = new SleepingQueue(1, 0, async (point) => {
    const [{ use, path, sha256 }] = point.inputs;
    const run = (runs.get(point.id) ?? 0) + 1;
    runs.set(point.id, run);
    if (run === 1 && point.id === damaged.id) await writeFile(path, 'somebody was at it');
    if (run === 1 && point.id === deleted.id) await rm(join(path, '..'), { recursive: true });
    if (point.id === wrong.id) return failed(point);
    return (await inputSha256(use, path).catch(() => null)) === sha256 ? ofIndex(point) : failed(point);
  });
  await startWorker(t, url, executor);
  const queue = await openQueue(t, url, newId());
  assert.deepEqual(await queue.run(damaged), ofIndex(damaged));
  assert.deepEqual(await queue.run(deleted), ofIndex(deleted));
  // One whose files are whole has failed by itself, once.
  assert.equal((await queue.run(wrong)).kind, 'failed');
  assert.deepEqual([...runs.values()], [2, 2, 1]);
});
