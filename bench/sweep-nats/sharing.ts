import { join } from 'node:path';
import { meanInterval } from '../../src/experiment/metrics/stats.ts';
import { ThreadQueue } from '../../src/experiment/sweep/thread-queue.ts';
import { newId } from '../nats-peer.ts';
import { type Cluster, natsQueue, startAsleep, startCluster, stop, timedSweep } from './cluster.ts';
import { arithmeticRatio, processors, separateS, type Timed } from './control.ts';
import { ownCpuMs, rounded } from './overhead.ts';
import { type Child, cpuMsOf, Ends, SCT, startNode } from './processes.ts';
import type { SharingFigures, SharingRound, SleepingFigures } from './report.ts';

/** Each worker has measured one before the clock runs: networks are loaded, files are there. */
const WARM_POINTS = 8;

function yamlOf(points: number): string {
  // Another seed each time: nothing is found measured.
  const first = 1 + Number.parseInt(newId().slice(0, 6), 16);
  return `photo: demo\ncodec: integrated\nseed: ${first}..${first + points - 1}\n`;
}

/** Seconds that so many points take so many workers of one thread, `sct worker` as processes of their own. */
async function workersS(cluster: Cluster, workers: number, points: number): Promise<Timed> {
  const children = Array.from({ length: workers }, () => realWorker(cluster));
  try {
    // The workers are the built program, this is not: their points are of another version.
    const [program] = await Promise.all(children.map((child) => child.noted(/points of version ([0-9a-f]{16})/)));
    await timedSweep(cluster.folder, yamlOf(WARM_POINTS), () => natsQueue(cluster, program));
    const cpu = () => children.reduce((sum, { pid }) => sum + cpuMsOf(pid), ownCpuMs() + cpuMsOf(cluster.nats.pid));
    const before = cpu();
    const { measureS } = await timedSweep(cluster.folder, yamlOf(points), () => natsQueue(cluster, program));
    return { s: measureS, coresBusy: (cpu() - before) / 1e3 / measureS };
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

/**
 * Rounds of one worker against two, one thread against two, and one independent process against two, in alternating order: the last is what two
 * processors give here, whoever shares the points out.
 */
export async function measureSharing(points: number, rounds: number): Promise<SharingFigures> {
  const ends = new Ends();
  try {
    const cluster = await startCluster(ends);
    const out: SharingRound[] = [];
    for (let round = 0; round < rounds; round++) {
      process.stderr.write(`round ${round + 1} of ${rounds}\n`);
      out.push(await sharingRound(cluster, points, round % 2 === 0 ? [1, 2] : [2, 1]));
    }
    const share = meanInterval(out.map(({ workersRatio, separateRatio }) => workersRatio / separateRatio!));
    return {
      points,
      processors: await processors(),
      rounds: out,
      // An interval of one round would be none.
      ofCeiling: { mean: share.value, low: orNull(share.low), high: orNull(share.high) },
    };
  } finally {
    await ends.all();
  }
}

async function sharingRound(cluster: Cluster, points: number, order: readonly number[]): Promise<SharingRound> {
  const { ends, folder } = cluster;
  const [workers, threads, separate] = [new Map<number, Timed>(), new Map<number, number>(), new Map<number, Timed>()];
  for (const n of order) workers.set(n, await workersS(cluster, n, points));
  for (const n of order) threads.set(n, await threadsS(cluster, n, points));
  for (const n of order) separate.set(n, await separateS(ends, folder, n, points, WARM_POINTS, yamlOf));
  const [workers1, workers2] = [workers.get(1)!, workers.get(2)!];
  const [threads1S, threads2S] = [threads.get(1)!, threads.get(2)!];
  const [separate1, separate2] = [separate.get(1)!, separate.get(2)!];
  return {
    workers1S: rounded(workers1.s),
    workers2S: rounded(workers2.s),
    threads1S: rounded(threads1S),
    threads2S: rounded(threads2S),
    separate1S: rounded(separate1.s),
    separate2S: rounded(separate2.s),
    workersRatio: rounded(workers1.s / workers2.s),
    threadsRatio: rounded(threads1S / threads2S),
    separateRatio: rounded(separate1.s / separate2.s),
    arithmeticRatio: rounded(await arithmeticRatio(2)),
    coresBusy: {
      workers: [rounded(workers1.coresBusy), rounded(workers2.coresBusy)],
      separate: [rounded(separate1.coresBusy), rounded(separate2.coresBusy)],
    },
  };
}

function orNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
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
    workers,
    sleepMs,
    pointsEach,
    pointsPerS: { one: rounded(one), several: rounded(several) },
    ratio: rounded(several / one),
    ofIdeal: rounded(several / ideal),
  };
}
