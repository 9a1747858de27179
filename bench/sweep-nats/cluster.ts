import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Progress } from '../../src/experiment/report/progress.ts';
import { NatsPointQueue } from '../../src/experiment/sweep/nats/nats-queue.ts';
import type { PointQueue } from '../../src/experiment/sweep/point.ts';
import { runSweep, type SweepSummary } from '../../src/experiment/sweep/run-sweep.ts';
import { readSweepFile } from '../../src/experiment/sweep/sweep-file.ts';
import { freePort, newId, TestNats } from '../nats-peer.ts';
import type { AsleepOptions } from './asleep.ts';
import { type Child, type Ends, startNode } from './processes.ts';

const ASLEEP = fileURLToPath(new URL('asleep.ts', import.meta.url));

/** A server with its monitoring, and a folder for everything. */
export interface Cluster {
  readonly ends: Ends;
  readonly nats: TestNats;
  readonly monitorPort: number;
  readonly folder: string;
  /** Whose points these are: no other worker takes them. */
  readonly program: string;
}

export async function startCluster(ends: Ends): Promise<Cluster> {
  const folder = await mkdtemp(join(tmpdir(), 'sct-sweep-nats-'));
  ends.after(() => rm(folder, { recursive: true, force: true }));
  const monitorPort = await freePort();
  const nats = await TestNats.start(ends, ['-m', String(monitorPort)]);
  return { ends, nats, monitorPort, folder, program: newId().slice(0, 16) };
}

/** So many processes of sleeping workers, ready for points. */
export async function startAsleep(
  { nats, folder, program, ends }: Cluster,
  workers: number,
  { places, sleepMs }: Pick<AsleepOptions, 'places' | 'sleepMs'>,
): Promise<Child[]> {
  const children = Array.from({ length: workers }, (_, i) => {
    const options: AsleepOptions = { url: nats.url, program, cache: join(folder, `cache-${i}`), places, sleepMs };
    const child = startNode([...process.execArgv, ASLEEP, JSON.stringify(options)]);
    ends.after(() => stop(child));
    return child;
  });
  await Promise.all(children.map(({ said }) => said));
  return children;
}

export async function stop(child: Child): Promise<void> {
  child.kill('SIGTERM');
  await child.ended;
}

export interface TimedSweep {
  readonly summary: SweepSummary;
  /** Photos, settings and the folder, before the first point is handed out, s. */
  readonly planS: number;
  /** From then until the last result is written and everything is closed, s. */
  readonly measureS: number;
}

/** A whole sweep of this process, timed. Error where a point is missing. */
export async function timedSweep(
  folder: string,
  yaml: string,
  openQueue: () => Promise<PointQueue> | PointQueue,
): Promise<TimedSweep> {
  const name = newId();
  const path = join(folder, `${name}.yaml`);
  await writeFile(path, yaml);
  const progress = new Progress({ stream: { write: () => true }, now: () => 0, quiet: true });
  const io = { progress, argv: ['bench'], now: () => new Date(), signal: new AbortController().signal };
  const started = performance.now();
  let opened = started;
  const options = { file: await readSweepFile(path), folder: join(folder, name), resume: false, jobs: 1 };
  const summary = await runSweep(options, io, () => {
    opened = performance.now();
    return openQueue();
  });
  const ended = performance.now();
  if (!summary.ok || summary.measured !== summary.points) {
    throw new Error(`${summary.measured} of ${summary.points} points measured, ${summary.failed} failed`);
  }
  return { summary, planS: (opened - started) / 1e3, measureS: (ended - opened) / 1e3 };
}

/** The queue of a sweep at the workers of a program. */
export function natsQueue({ nats }: Cluster, program: string): Promise<PointQueue> {
  return NatsPointQueue.open({
    url: nats.url,
    queue: newId(),
    resumed: false,
    program,
    signal: new AbortController().signal,
    note: (text) => void process.stderr.write(`${text}\n`),
  });
}
