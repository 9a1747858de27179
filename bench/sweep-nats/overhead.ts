import { cpuUsage } from 'node:process';
import { type Cluster, natsQueue, startAsleep, startCluster, timedSweep } from './cluster.ts';
import { serverCounters, streamSizes } from './monitor.ts';
import { cpuMsOf, Ends, residentMiBOf } from './processes.ts';
import type { OverheadFigures } from './report.ts';

/** The store is looked at so often, ms. */
const LOOK_MS = 250;

/** Real settings, and results of some 5 kB as the integrated codec has them. */
function yamlOf(points: number): string {
  return `photo: demo\ncodec: integrated\nseed: 1..${points}\n`;
}

/**
 * What a sweep over NATS costs a point beside measuring it: points of real length that take no time, workers in processes of their own. Everything
 * that `sct sweep` does is in it: expansion, queue, outcomes, results.jsonl.
 */
export async function measureOverhead(points: number, workers: number, places: number): Promise<OverheadFigures> {
  const ends = new Ends();
  try {
    const cluster = await startCluster(ends);
    const children = await startAsleep(cluster, workers, { places, sleepMs: 0 });
    const open = () => natsQueue(cluster, cluster.program);
    // The first points load networks and put the model set into the store.
    await timedSweep(cluster.folder, yamlOf(8 * workers * places), open);
    const cpu = () => [cpuMsOf(cluster.nats.pid), children.reduce((sum, { pid }) => sum + cpuMsOf(pid), 0), ownCpuMs()];
    const before = { cpu: cpu(), counters: await serverCounters(cluster.monitorPort) };
    const looking = watchStore(cluster);
    const { summary, planS, measureS } = await timedSweep(cluster.folder, yamlOf(points), open);
    const largest = await looking.end();
    const after = { cpu: cpu(), counters: await serverCounters(cluster.monitorPort) };
    const each = (of: (x: typeof before) => number) => rounded((of(after) - of(before)) / summary.points);
    return {
      points: summary.points,
      workers,
      placesEach: places,
      planS: rounded(planS),
      measureS: rounded(measureS),
      overheadMs: rounded((1e3 * measureS) / summary.points),
      overheadWithPlanMs: rounded((1e3 * (planS + measureS)) / summary.points),
      cpuMsEach: {
        server: each(({ cpu }) => cpu[0]),
        workers: each(({ cpu }) => cpu[1]),
        sweep: each((x) => x.cpu[2]),
      },
      wireEach: {
        inMessages: each(({ counters }) => counters.inMessages),
        outMessages: each(({ counters }) => counters.outMessages),
        inBytes: each(({ counters }) => counters.inBytes),
        outBytes: each(({ counters }) => counters.outBytes),
      },
      storedBytesEach: largest.bytesEach,
      storedAtOnce: largest.atOnce,
      residentMiB: {
        server: residentMiBOf(cluster.nats.pid),
        worker: residentMiBOf(children[0].pid),
        sweep: residentMiBOf(process.pid),
      },
    };
  } finally {
    await ends.all();
  }
}

/** The most messages that each stream held at once, and their bytes, as far as it was seen. */
interface StoreSeen {
  readonly bytesEach: Record<string, number>;
  readonly atOnce: Record<string, number>;
}

function watchStore({ monitorPort }: Cluster): { end(): Promise<StoreSeen> } {
  const most = new Map<string, { bytes: number; messages: number }>();
  const look = async () => {
    for (const [name, size] of await streamSizes(monitorPort)) {
      if (size.messages > (most.get(name)?.messages ?? 0)) most.set(name, size);
    }
  };
  const timer = setInterval(() => void look().catch(() => undefined), LOOK_MS);
  return {
    end: async () => {
      clearInterval(timer);
      const kinds = [...most].filter(([name]) => /_(POINTS|RESULTS)$/.test(name));
      const each = (of: (size: { bytes: number; messages: number }) => number) =>
        Object.fromEntries(kinds.map(([name, size]) => [name.endsWith('_POINTS') ? 'point' : 'outcome', of(size)]));
      return {
        bytesEach: each(({ bytes, messages }) => rounded(bytes / messages)),
        atOnce: each(({ messages }) => messages),
      };
    },
  };
}

export function ownCpuMs(): number {
  const { user, system } = cpuUsage();
  return (user + system) / 1e3;
}

export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
