import { join } from 'node:path';
import { ThreadQueue } from '../../src/experiment/sweep/thread-queue.ts';
import { newId } from '../nats-peer.ts';
import { type Cluster, natsQueue, startAsleep, startCluster, stop, timedSweep } from './cluster.ts';
import { rounded } from './overhead.ts';
import { type Child, Ends, SCT, startNode } from './processes.ts';
import type { SharingFigures, SleepingFigures } from './report.ts';

/** Each worker has measured one before the clock runs: networks are loaded, files are there. */
const WARM_POINTS = 8;

function yamlOf(points: number): string {
  // Another seed each time: nothing is found measured.
  const first = 1 + Number.parseInt(newId().slice(0, 6), 16);
  return `photo: demo\ncodec: integrated\nseed: ${first}..${first + points - 1}\n`;
}

/** Seconds that so many points take so many workers of one thread, `sct worker` as processes of their own. */
async function workersS(cluster: Cluster, workers: number, points: number): Promise<number> {
  const children = Array.from({ length: workers }, () => realWorker(cluster));
  try {
    // The workers are the built program, this is not: their points are of another version.
    const [program] = await Promise.all(children.map((child) => child.noted(/points of version ([0-9a-f]{16})/)));
    await timedSweep(cluster.folder, yamlOf(WARM_POINTS), () => natsQueue(cluster, program));
    const { measureS } = await timedSweep(cluster.folder, yamlOf(points), () => natsQueue(cluster, program));
    return measureS;
  } finally {
    for (const child of children) await stop(child);
  }
}

function realWorker({ nats, folder, ends }: Cluster): Child {
  const child = startNode([SCT, 'worker', '--nats', nats.url, '--jobs', '1', '--cache', join(folder, newId())]);
  ends.after(() => child.kill('SIGKILL'));
  return child;
}

/** The same points in threads of this process: what the machine itself gives two at once. */
async function threadsS(cluster: Cluster, threads: number, points: number): Promise<number> {
  // One queue for both sweeps, so that networks stay loaded; it is closed after the second.
  const queue = new ThreadQueue(threads);
  const kept = { ...wrap(queue), close: async () => undefined };
  try {
    await timedSweep(cluster.folder, yamlOf(WARM_POINTS), () => kept);
    return (await timedSweep(cluster.folder, yamlOf(points), () => kept)).measureS;
  } finally {
    await queue.close();
  }
}

function wrap(queue: ThreadQueue) {
  return { width: queue.width, run: queue.run.bind(queue), describe: () => queue.describe() };
}

/** Rounds of one worker against two, and one thread against two, in alternating order. */
export async function measureSharing(points: number, rounds: number): Promise<SharingFigures> {
  const ends = new Ends();
  try {
    const cluster = await startCluster(ends);
    const out: SharingFigures['rounds'][number][] = [];
    for (let round = 0; round < rounds; round++) {
      const order = round % 2 === 0 ? [1, 2] : [2, 1];
      const s: Record<string, number> = {};
      for (const n of order) s[`workers${n}`] = await workersS(cluster, n, points);
      for (const n of order) s[`threads${n}`] = await threadsS(cluster, n, points);
      out.push({
        ...{ workers1S: rounded(s.workers1), workers2S: rounded(s.workers2) },
        ...{ threads1S: rounded(s.threads1), threads2S: rounded(s.threads2) },
        workersRatio: rounded(s.workers1 / s.workers2),
        threadsRatio: rounded(s.threads1 / s.threads2),
      });
    }
    return { points, rounds: out };
  } finally {
    await ends.all();
  }
}

/** One and several workers whose points sleep: as many points a worker each time, so that perfect sharing takes as long. */
export async function measureSleeping(workers: number, sleepMs: number, pointsEach: number): Promise<SleepingFigures> {
  const rate = async (n: number): Promise<number> => {
    const ends = new Ends();
    try {
      const cluster = await startCluster(ends);
      await startAsleep(cluster, n, { places: 1, sleepMs });
      const open = () => natsQueue(cluster, cluster.program);
      await timedSweep(cluster.folder, yamlOf(WARM_POINTS * n), open);
      const { measureS } = await timedSweep(cluster.folder, yamlOf(pointsEach * n), open);
      return (pointsEach * n) / measureS;
    } finally {
      await ends.all();
    }
  };
  const [one, several] = [await rate(1), await rate(workers)];
  const ideal = workers * (1e3 / sleepMs);
  return {
    ...{ workers, sleepMs, pointsEach, pointsPerS: { one: rounded(one), several: rounded(several) } },
    ...{ ratio: rounded(several / one), ofIdeal: rounded(several / ideal) },
  };
}
