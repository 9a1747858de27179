import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { SweepPoint } from '../../../src/experiment/sweep/point.ts';
import { type PointThread, ThreadQueue } from '../../../src/experiment/sweep/thread-queue.ts';
import { measured, pointsOf } from './sweep-helpers.ts';

/** A thread that does with each point what a test says. */
class FakeThread extends EventEmitter implements PointThread {
  private readonly work: (point: SweepPoint, thread: FakeThread) => void;
  ended = false;

  constructor(work: (point: SweepPoint, thread: FakeThread) => void) {
    super();
    this.work = work;
  }

  postMessage(point: SweepPoint): void {
    setImmediate(() => this.work(point, this));
  }

  die(message: string): void {
    this.emit('error', new Error(message));
    this.emit('exit', 1);
  }

  async terminate(): Promise<number> {
    this.ended = true;
    return 0;
  }
}

function queueOf(width: number, work: (point: SweepPoint, thread: FakeThread) => void) {
  const threads: FakeThread[] = [];
  const queue = new ThreadQueue(width, () => {
    const thread = new FakeThread(work);
    threads.push(thread);
    return thread;
  });
  return { queue, threads };
}

test('every point gets its own outcome, from at most so many threads', async () => {
  const { queue, threads } = queueOf(3, (point, thread) => thread.emit('message', measured(point, point.index)));
  const outcomes = await Promise.all(pointsOf([20]).map((point) => queue.run(point)));
  assert.deepEqual(
    outcomes.map((o) => o.kind === 'measured' && o.result.metrics.psnrDb),
    Array.from({ length: 20 }, (_, i) => i),
  );
  assert.equal(threads.length, 3);
  await queue.close();
  assert.ok(threads.every(({ ended }) => ended));
});

test('a point whose thread dies is measured by another; the rest goes on', async () => {
  let deaths = 0;
  const { queue, threads } = queueOf(2, (point, thread) => {
    if (point.index === 3 && deaths++ === 0) thread.die('out of memory');
    else thread.emit('message', measured(point, point.index));
  });
  const outcomes = await Promise.all(pointsOf([8]).map((point) => queue.run(point)));
  assert.ok(outcomes.every(({ kind }) => kind === 'measured'));
  assert.equal(threads.length, 3);
});

test('a point that no thread survives is a failure that says why', async () => {
  const { queue } = queueOf(2, (point, thread) => {
    if (point.index === 1) thread.die('out of memory');
    else thread.emit('message', measured(point, 0));
  });
  const outcomes = await Promise.all(pointsOf([4]).map((point) => queue.run(point)));
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ['measured', 'failed', 'measured', 'measured'],
  );
  const [, second] = outcomes;
  assert.ok(second.kind === 'failed' && /died: out of memory/.test(second.failure.message));
  assert.ok(second.kind === 'failed' && second.failure.exitCode === 1);
});

test('a real thread that runs out of memory costs its point, not the sweep', async () => {
  const code = `
    const { parentPort } = require('node:worker_threads');
    parentPort.on('message', (point) => {
      const kept = [];
      while (point.index === 1) kept.push(new Array(1e5).fill(point.id));
      parentPort.postMessage({ kind: 'measured', result: { id: point.id } });
    });`;
  const resourceLimits = { maxOldGenerationSizeMb: 16 };
  const queue = new ThreadQueue(2, () => new Worker(code, { eval: true, resourceLimits }));
  const outcomes = await Promise.all(pointsOf([5]).map((point) => queue.run(point)));
  await queue.close();
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ['measured', 'failed', 'measured', 'measured', 'measured'],
  );
  assert.ok(outcomes[1].kind === 'failed' && /died: .*memory/.test(outcomes[1].failure.message));
});
