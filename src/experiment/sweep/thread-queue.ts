import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { ExitCode } from '../../common/errors.ts';
import { besideModule, startWorker } from '../../radio/stream/start-worker.ts';
import type { PointOutcome, PointQueue, SweepPoint } from './point.ts';

export const MAX_JOBS = 256;
/** A point at which a thread died is tried in so many others: one that no thread survives must not end the sweep. */
const MORE_TRIES = 1;

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
  postMessage(point: SweepPoint): void;
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
  private readonly idle: PointThread[] = [];
  private readonly busy = new Map<PointThread, Task>();
  private readonly waiting: Task[] = [];
  private closed = false;

  constructor(width: number, start: () => PointThread = sweepThread) {
    this.width = width;
    this.start = start;
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
    await Promise.all(threads.map((thread) => thread.terminate()));
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
      this.busy.delete(thread);
      this.idle.push(thread);
      task.resolve(outcome);
      this.hand();
    });
    thread.on('error', (error) => {
      why = error.message;
    });
    thread.on('exit', (code) => this.gone(thread, why || `it ended with ${code}`));
    return thread;
  }

  /** A thread has died (out of memory, a fault in native code): its point goes to another, the last try is a failure. */
  private gone(thread: PointThread, why: string): void {
    const at = this.idle.indexOf(thread);
    if (at >= 0) this.idle.splice(at, 1);
    const task = this.busy.get(thread);
    this.busy.delete(thread);
    if (!task || this.closed) return;
    if (task.triesLeft-- > 0) this.waiting.unshift(task);
    else {
      const message = `the thread that measured it died: ${why}`.slice(0, 2000);
      task.resolve({ kind: 'failed', failure: { id: task.point.id, message, exitCode: ExitCode.internal } });
    }
    this.hand();
  }
}
