import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { isOutOfMemory, told } from '../../../src/experiment/sweep/local-runner.ts';
import type { SweepPoint } from '../../../src/experiment/sweep/point.ts';
import { type PointThread, ThreadQueue } from '../../../src/experiment/sweep/thread-queue.ts';
import { failed, measured, pointsOf } from './sweep-helpers.ts';

/** A thread that does with each point what a test says. */
class FakeThread extends EventEmitter implements PointThread {
  private readonly work: (point: SweepPoint, thread: FakeThread) => void;
  ended = false;

  constructor(work: (point: SweepPoint, thread: FakeThread) => void) {
    super();
    this.work = work;
  }

  /** It was asked to end. */
  asked = false;

  postMessage(point: SweepPoint | null): void {
    this.asked ||= point === null;
    setImmediate(() => (point ? this.work(point, this) : this.leave()));
  }

  private leave(): void {
    this.ended = true;
    this.emit('exit', 0);
  }

  die(message: string): void {
    this.emit('error', new Error(message));
    this.emit('exit', 1);
  }

  async terminate(): Promise<number> {
    this.ended = true;
    this.emit('exit', 1);
    return 1;
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
  assert.ok(second.kind === 'failed' && second.failure.exitCode === 1 && second.ofMachine);
});

test('a thread that had too little memory is ended, with what it holds; its point is tried in a fresh one', async () => {
  const short = (point: SweepPoint) => ({ ...failed(point, 1), ofMachine: true });
  let shortages = 0;
  const { queue, threads } = queueOf(1, (point, thread) => {
    const outcome = (point.index === 1 && shortages++ === 0) || point.index === 3 ? short(point) : measured(point, 0);
    thread.emit('message', outcome);
  });
  const points = pointsOf([5]);
  const outcomes = await Promise.all(points.map((point) => queue.run(point)));
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ['measured', 'measured', 'measured', 'failed', 'measured'],
  );
  assert.deepEqual(outcomes[3], short(points[3]));
  assert.deepEqual(
    threads.map(({ ended }) => ended),
    [true, true, true, false],
  );
});

test('what V8, WebAssembly, C++ and the system say of too little memory is told from faults', () => {
  const short = () => new ArrayBuffer(Number.MAX_SAFE_INTEGER);
  assert.throws(
    short,
    (error) => isOutOfMemory(error) && /^not enough memory, .* allocation failed$/.test(told(error).message),
  );
  for (const text of [
    'WebAssembly.Instance(): Out of memory: Cannot allocate Wasm memory for new instance',
    'std::bad_alloc',
    'Failed to allocate memory for requested buffer of size 1073741824',
    'ENOMEM: not enough memory, read',
  ]) {
    assert.ok(isOutOfMemory(new Error(text)), text);
  }
  for (const text of ['Invalid typed array length: -1', 'photo.png: ENOENT', 'the memory of a class is unknown']) {
    assert.ok(!isOutOfMemory(new Error(text)), text);
  }
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

/** A thread whose points are one long turn, as a network's run is: it says in `turns` when it is in one. */
const LONG_TURNS = `
  const { parentPort, workerData } = require('node:worker_threads');
  const turns = new Int32Array(workerData);
  parentPort.on('message', (point) => {
    if (point === null) {
      turns[1] = 1;
      process.exit();
    }
    turns[0] = 1;
    for (const end = performance.now() + 300; performance.now() < end; );
    turns[0] = 0;
  });`;

test('a queue that is closed lets a thread finish its turn: a network that is cut off takes the process with it', async () => {
  const turns = new Int32Array(new SharedArrayBuffer(8));
  const queue = new ThreadQueue(1, () => new Worker(LONG_TURNS, { eval: true, workerData: turns.buffer }));
  void queue.run(pointsOf([1])[0]);
  while (Atomics.load(turns, 0) === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await queue.close();
  assert.deepEqual([...turns], [0, 1]);
});

test('a thread that does not end is terminated after a while', async () => {
  const stuck = new FakeThread(() => undefined);
  stuck.postMessage = () => undefined;
  const queue = new ThreadQueue(1, () => stuck, 20);
  void queue.run(pointsOf([1])[0]);
  await queue.close();
  assert.ok(stuck.ended && !stuck.asked);
});
