import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { ExitCode } from '../../common/errors.ts';
import { besideModule, startWorker } from '../../radio/stream/start-worker.ts';
import type { PointOutcome, PointQueue, SweepPoint } from './point.ts';

export const MAX_JOBS = 256;
/** A point at which a thread died or had too little memory is tried in so many others: one that no thread survives must not end the sweep. */
const MORE_TRIES = 1;
/** So long a thread may take to end by itself: longer than the longest run of a network. */
const END_MS = 60_000;

/** Points at once where nobody says how many: as many as there are processors. */
export function defaultJobs(): number {
  return Math.min(MAX_JOBS, Math.max(1, availableParallelism()));
}

interface Task {
  readonly point: SweepPoint;
  readonly resolve: (outcome: PointOutcome) => void;
  triesLeft: number;
}

/** A thread as the queue needs it; tests have others. */
export interface PointThread {
  /** null: it shall end. */
  postMessage(point: SweepPoint | null): void;
  on(event: 'message', take: (outcome: PointOutcome) => void): unknown;
  on(event: 'error', take: (error: Error) => void): unknown;
  on(event: 'exit', take: (code: number) => void): unknown;
  terminate(): Promise<number>;
}

export function sweepThread(): PointThread {
  return startWorker(besideModule('sweep-worker', import.meta.url), null) satisfies Worker;
}

/** Points in threads of this process. A thread is started when there is work for it and lives until the queue is closed. */
export class ThreadQueue implements PointQueue {
  readonly width: number;
  private readonly start: () => PointThread;
  private readonly endMs: number;
  private readonly idle: PointThread[] = [];
  private readonly busy = new Map<PointThread, Task>();
  private readonly waiting: Task[] = [];
  private closed = false;

  constructor(width: number, start: () => PointThread = sweepThread, endMs = END_MS) {
    this.width = width;
    this.start = start;
    this.endMs = endMs;
  }

  describe(): string {
    return this.width === 1 ? '1 thread' : `${this.width} threads`;
  }

  run(point: SweepPoint): Promise<PointOutcome> {
    return new Promise((resolve) => {
      this.waiting.push({ point, resolve, triesLeft: MORE_TRIES });
      this.hand();
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    this.waiting.length = 0;
    const threads = [...this.idle.splice(0), ...this.busy.keys()];
    this.busy.clear();
    await Promise.all(threads.map((thread) => endThread(thread, this.endMs)));
  }

  private hand(): void {
    while (!this.closed && this.waiting.length > 0) {
      const thread = this.idle.pop() ?? (this.busy.size < this.width ? this.open() : null);
      if (!thread) return;
      const task = this.waiting.shift()!;
      this.busy.set(thread, task);
      thread.postMessage(task.point);
    }
  }

  private open(): PointThread {
    const thread = this.start();
    let why = '';
    thread.on('message', (outcome) => {
      const task = this.busy.get(thread);
      if (!task) return;
      if (outcome.kind === 'failed' && outcome.ofMachine) {
        // What it holds goes with it; its point is tried in a fresh one.
        why = outcome.failure.message;
        void thread.terminate();
        return;
      }
      this.busy.delete(thread);
      this.idle.push(thread);
      task.resolve(outcome);
      this.hand();
    });
    thread.on('error', (error) => {
      why = `the thread that measured it died: ${error.message}`;
    });
    thread.on('exit', (code) => this.gone(thread, why || `the thread that measured it died: it ended with ${code}`));
    return thread;
  }

  /** A thread has died (out of memory, a fault in native code) or was ended: its point goes to another, the last try is a failure. */
  private gone(thread: PointThread, why: string): void {
    const at = this.idle.indexOf(thread);
    if (at >= 0) this.idle.splice(at, 1);
    const task = this.busy.get(thread);
    this.busy.delete(thread);
    if (!task || this.closed) return;
    if (task.triesLeft-- > 0) this.waiting.unshift(task);
    else {
      const failure = { id: task.point.id, message: why.slice(0, 2000), exitCode: ExitCode.internal };
      task.resolve({ kind: 'failed', failure, ofMachine: true });
    }
    this.hand();
  }
}

/**
 * Asks a thread to end, which it does between two steps of its point. One that is terminated while the runtime runs a network takes the
 * whole process with it: the runtime's binding throws where nobody catches. Who does not end for long is terminated all the same.
 */
async function endThread(thread: PointThread, mostMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, mostMs);
  });
  const ended = new Promise<void>((resolve) => {
    thread.on('exit', () => resolve());
  });
  thread.postMessage(null);
  await Promise.race([ended, tooLong]);
  clearTimeout(timer);
  await thread.terminate();
}
