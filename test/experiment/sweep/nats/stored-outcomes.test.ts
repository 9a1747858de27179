// How long outcomes lie on the server: until they are on the sweep's own disk, and nobody else's go with them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { runSweep } from '../../../../src/experiment/sweep/run-sweep.ts';
import { SWEEP_FILES } from '../../../../src/experiment/sweep/sweep-directory.ts';
import { readSweepFile } from '../../../../src/experiment/sweep/sweep-file.ts';
import { connectNats } from '../../../../src/link/nats/nats-connection.ts';
import { parseNatsUrl } from '../../../../src/link/nats/nats-url.ts';
import { NO_NATS, newId, TestNats, until } from '../../../nats-server.ts';
import { scratch } from '../../link-helpers.ts';
import { FakeQueue, measured, pointsOf, sweepIo } from '../sweep-helpers.ts';
import { ofIndex, openQueue, runAll, SleepingQueue, startWorker } from './nats-helpers.ts';

const options = { skip: NO_NATS, timeout: 120_000 };

interface Ends {
  after(end: () => Promise<void> | void): void;
}

/** Counts the outcomes that lie on the server. */
async function counter(t: Ends, url: string): Promise<() => Promise<number>> {
  const connection = await connectNats(parseNatsUrl(url, '--nats'), { name: 'test' });
  t.after(() => connection.close());
  return async () => {
    const answer = await connection.request('$JS.API.STREAM.INFO.SCT_sweep_RESULTS');
    return (answer.json() as { state: { messages: number } }).state.messages;
  };
}

test('outcomes leave the server when they are kept, and no others', options, async (t) => {
  const nats = await TestNats.start(t);
  const outcomes = await counter(t, nats.url);
  const points = pointsOf([30]);
  const [mine, other] = [await openQueue(t, nats.url, newId()), await openQueue(t, nats.url, newId())];
  await startWorker(t, nats.url, new SleepingQueue(4, 0));
  assert.deepEqual(await runAll(mine, points), points.map(ofIndex));
  assert.deepEqual(await runAll(other, points), points.map(ofIndex));
  assert.equal(await outcomes(), 60);
  mine.kept(points.slice(0, 20).map(({ id }) => id));
  await until(async () => (await outcomes()) === 40, 'that 20 are deleted');
  // Twice, or of nobody: nothing.
  mine.kept([...points.slice(0, 20).map(({ id }) => id), newId()]);
  mine.kept(points.slice(20).map(({ id }) => id));
  await mine.close();
  assert.equal(await outcomes(), 30);
  // Not on the disk: a run that goes on finds them.
  await other.close();
  assert.equal(await outcomes(), 30);
  const again = await openQueue(t, nats.url, other.name, { resumed: true });
  assert.deepEqual(await runAll(again, points), points.map(ofIndex));
  again.kept([]);
  await again.close();
  assert.equal(await outcomes(), 0);
});

test('after the server lost its disk no number of before deletes what came since', options, async (t) => {
  const nats = await TestNats.start(t);
  const outcomes = await counter(t, nats.url);
  const points = pointsOf([20]);
  const [mine, other] = [await openQueue(t, nats.url, newId()), await openQueue(t, nats.url, newId())];
  await startWorker(t, nats.url, new SleepingQueue(4, 0));
  await runAll(mine, points);
  await nats.kill();
  await nats.emptyStore();
  await nats.restart();
  await runAll(other, points);
  mine.kept(points.map(({ id }) => id));
  await mine.close();
  assert.equal(await outcomes(), 20);
});

test('a queue is told of results that are on the disk, of each once, and of all before it is closed', async (t) => {
  const at = await scratch(t);
  const path = join(at, 'sweep.yaml');
  await writeFile(
    path,
    'photo: demo\ncodec: classical\nformat: jpeg\nseed: 1..40\nstop: {metric: psnrDb, halfWidth: 2}\n',
  );
  const told: string[] = [];
  const queue = Object.assign(new FakeQueue(7, (point) => measured(point, point.config.seed % 5)), {
    kept: (ids: readonly string[]) => {
      const text = readFileSync(join(at, 'out', SWEEP_FILES.results), 'utf8');
      for (const id of ids) assert.ok(text.includes(id), id);
      told.push(...ids);
    },
  });
  let toldAtClose = -1;
  const close = queue.close.bind(queue);
  queue.close = async () => {
    toldAtClose = told.length;
    await close();
  };
  const file = await readSweepFile(path);
  const summary = await runSweep({ file, folder: join(at, 'out'), resume: false, jobs: 1 }, sweepIo(), () => queue);
  assert.ok(summary.measured >= 5 && summary.needless > 0, JSON.stringify(summary));
  assert.equal(new Set(told).size, told.length);
  assert.deepEqual([told.length, toldAtClose], [summary.measured, summary.measured]);
});
