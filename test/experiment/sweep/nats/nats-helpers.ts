import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NatsPointQueue, type NatsQueueOptions } from '../../../../src/experiment/sweep/nats/nats-queue.ts';
import {
  NatsWorker,
  type NatsWorkerOptions,
  type WorkerCounters,
} from '../../../../src/experiment/sweep/nats/nats-worker.ts';
import { SweepSpace } from '../../../../src/experiment/sweep/nats/sweep-space.ts';
import type { PointOutcome, PointQueue, SweepPoint } from '../../../../src/experiment/sweep/point.ts';
import { measured } from '../sweep-helpers.ts';

/** So that points of lost workers come again soon. */
export const ACK_WAIT_MS = 1500;
const PROGRAM = '0123456789abcdef';

interface Ends {
  after(end: () => Promise<void> | void): void;
}

/** A coordinator's queue that ends with the test. */
export async function openQueue(t: Ends, url: string, queue: string, more: Partial<NatsQueueOptions> = {}) {
  const notes: string[] = [];
  const out = await NatsPointQueue.open({
    url,
    queue,
    program: PROGRAM,
    resumed: false,
    ackWaitMs: ACK_WAIT_MS,
    lookAfterMs: 2000,
    signal: new AbortController().signal,
    note: (text) => notes.push(text),
    ...more,
  });
  t.after(() => out.close());
  return Object.assign(out, { notes, name: queue });
}

/** A sweep's space on a server, of the same program as `openQueue`. */
export async function openSpace(t: Ends & { readonly signal: AbortSignal }, url: string): Promise<SweepSpace> {
  const space = await SweepSpace.open({
    url,
    client: 'test',
    program: PROGRAM,
    signal: t.signal,
    note: () => undefined,
  });
  t.after(() => space.close());
  return space;
}

export async function scratch(t: Ends): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sct-sweep-nats-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Measures by a function, each point after so many ms, and remembers what it was given. */
export class SleepingQueue implements PointQueue {
  readonly width: number;
  readonly ran: SweepPoint[] = [];
  private readonly sleepMs: number;
  private readonly outcome: (point: SweepPoint) => PointOutcome | Promise<PointOutcome>;

  constructor(
    width: number,
    sleepMs: number,
    outcome: (point: SweepPoint) => PointOutcome | Promise<PointOutcome> = ofIndex,
  ) {
    this.width = width;
    this.sleepMs = sleepMs;
    this.outcome = outcome;
  }

  async run(point: SweepPoint): Promise<PointOutcome> {
    this.ran.push(point);
    if (this.sleepMs > 0) await new Promise((resolve) => setTimeout(resolve, this.sleepMs));
    return this.outcome(point);
  }

  describe(): string {
    return 'asleep';
  }

  async close(): Promise<void> {}
}

/** Outcomes by which points can be told apart. */
export function ofIndex(point: SweepPoint): PointOutcome {
  return measured(point, point.index / 4);
}

export interface TestWorker {
  readonly executor: SleepingQueue;
  readonly notes: string[];
  /** Until it ends. */
  readonly work: Promise<WorkerCounters>;
  /** Leaves in good order: what it has under way goes back. */
  leave(): Promise<WorkerCounters>;
}

/** A worker of this process. */
export async function startWorker(
  t: Ends,
  url: string,
  executor: SleepingQueue,
  more: Partial<NatsWorkerOptions> = {},
): Promise<TestWorker> {
  const cache = await mkdtemp(join(tmpdir(), 'sct-sweep-cache-'));
  const end = new AbortController();
  const notes: string[] = [];
  const worker = await NatsWorker.open({
    url,
    executor,
    cache,
    idleMs: null,
    program: PROGRAM,
    ackWaitMs: ACK_WAIT_MS,
    signal: end.signal,
    note: (text) => notes.push(text),
    ...more,
  });
  const work = worker.work();
  const leave = async () => {
    end.abort();
    return work;
  };
  t.after(async () => {
    await leave().catch(() => undefined);
    await rm(cache, { recursive: true, force: true });
  });
  return { executor, notes, work, leave };
}

/** All points through a queue, as many at once as it is wide; their outcomes in order. */
export async function runAll(queue: PointQueue, points: readonly SweepPoint[]): Promise<PointOutcome[]> {
  const out: PointOutcome[] = [];
  let next = 0;
  const place = async () => {
    while (next < points.length) {
      const at = next++;
      out[at] = await queue.run(points[at]);
    }
  };
  await Promise.all(Array.from({ length: Math.min(64, points.length) }, place));
  return out;
}
