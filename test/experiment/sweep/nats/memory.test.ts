// Workers with too little memory: their points go to others, and what no worker can measure ends.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MOST_DELIVERIES } from '../../../../src/experiment/sweep/nats/nats-worker.ts';
import type { SweepPoint } from '../../../../src/experiment/sweep/point.ts';
import { NO_NATS, newId, TestNats } from '../../../nats-server.ts';
import { failed, pointsOf } from '../sweep-helpers.ts';
import { ofIndex, openQueue, runAll, SleepingQueue, startWorker } from './nats-helpers.ts';

const options = { skip: NO_NATS, timeout: 120_000 };
const short = (point: SweepPoint) => ({ ...failed(point, 1), ofMachine: true });

test('a worker that has too little memory leaves its points to another, and takes few', options, async (t) => {
  const { url } = await TestNats.start(t);
  const points = pointsOf([60]);
  const queue = await openQueue(t, url, newId());
  const small = await startWorker(t, url, new SleepingQueue(2, 0, short), { troubleMs: 100 });
  const all = runAll(queue, points);
  await startWorker(t, url, new SleepingQueue(1, 20));
  assert.deepEqual(await all, points.map(ofIndex));
  const { measured, failed: stored } = await small.leave();
  assert.deepEqual([measured, stored], [0, 0]);
  assert.ok(
    small.executor.ran.length >= 1 && small.executor.ran.length < 30,
    `${small.executor.ran.length} were tried`,
  );
  assert.equal(
    small.notes.filter((line) => /cannot measure .*: this point goes to other workers/.test(line)).length,
    1,
  );
});

test(
  'a point for which no worker has the memory is a failure that says so; the others are measured',
  options,
  async (t) => {
    const { url } = await TestNats.start(t);
    const points = pointsOf([4]);
    const queue = await openQueue(t, url, newId());
    const large = points[1].id;
    const executor = new SleepingQueue(2, 0, (point) => (point.id === large ? short(point) : ofIndex(point)));
    await startWorker(t, url, executor, { troubleMs: 10 });
    const outcomes = await runAll(queue, points);
    assert.deepEqual(
      outcomes.filter((_, i) => i !== 1),
      points.filter((_, i) => i !== 1).map(ofIndex),
    );
    assert.equal(executor.ran.filter(({ id }) => id === large).length, MOST_DELIVERIES);
    const [, said] = outcomes;
    assert.ok(said.kind === 'failed');
    assert.match(said.failure.message, /^cannot measure .* \(the last of 10 tries\)$/);
  },
);
