import { stat } from 'node:fs/promises';
import { cpuUsage } from 'node:process';
import { median } from '../../src/experiment/metrics/stats.ts';
import { expandSweep } from '../../src/experiment/sweep/expand.ts';
import { LocalPointRunner } from '../../src/experiment/sweep/local-runner.ts';
import type { PointOutcome, PointQueue, PointResult, SweepPoint } from '../../src/experiment/sweep/point.ts';
import { parseSweepFile } from '../../src/experiment/sweep/sweep-file.ts';
import { ThreadQueue } from '../../src/experiment/sweep/thread-queue.ts';
import { besideModule, startWorker } from '../../src/radio/stream/start-worker.ts';
import { type OverheadFigures, type RealOverheadFigures, rounded } from './report.ts';
import { inScratch, timedSweep } from './timed-sweep.ts';

/** Real settings, and results of some 5 kB as the integrated codec has them. */
const SETTINGS = 'photo: demo\ncodec: integrated\nsize: live\n';

/** One real point, whose numbers all points without measuring get. */
async function realResult(): Promise<PointResult> {
  const { points } = await expandSweep(parseSweepFile('bench.yaml', SETTINGS));
  const runner = new LocalPointRunner();
  const outcome = await runner.run(points[0]);
  await runner.close();
  if (outcome.kind === 'failed') throw new Error(outcome.failure.message);
  return outcome.result;
}

/**
 * What `sct sweep` costs a point beside measuring it: a whole sweep with real points, real threads and real results, of which only the
 * measuring is left out (no-measuring.ts).
 */
export async function measureOverhead(points: number, jobs: number): Promise<OverheadFigures> {
  const result = await realResult();
  return inScratch(async (folder) => {
    const cpuBefore = cpuUsage();
    const start = () => startWorker(besideModule('no-measuring', import.meta.url), result);
    const yaml = `${SETTINGS}snr: 0..19\nchannel: [awgn, epa, eva, etu, tdl-a]\nseed: 1..${points / 100}\n`;
    const { summary, planS, measureS } = await timedSweep(folder, yaml, () => new ThreadQueue(jobs, start));
    const { user, system } = cpuUsage(cpuBefore);
    return {
      points: summary.measured,
      jobs,
      planS: rounded(planS),
      measureS: rounded(measureS),
      overheadMs: rounded((1e3 * (planS + measureS)) / summary.measured),
      cpuMs: rounded((user + system) / 1e3 / summary.measured),
      resultBytes: Math.round((await stat(summary.files.results)).size / summary.measured),
      residentMiB: Math.round(process.memoryUsage().rss / 2 ** 20),
    };
  });
}

/** Threads as they are; the moment of each outcome is kept. */
class WatchedQueue implements PointQueue {
  readonly ends: { readonly atMs: number; readonly result: PointResult }[] = [];
  readonly width: number;
  private readonly inner: ThreadQueue;

  constructor(width: number) {
    this.width = width;
    this.inner = new ThreadQueue(width);
  }

  async run(point: SweepPoint): Promise<PointOutcome> {
    const outcome = await this.inner.run(point);
    if (outcome.kind === 'measured') this.ends.push({ atMs: performance.now(), result: outcome.result });
    return outcome;
  }

  describe(): string {
    return this.inner.describe();
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}

/** The same beside real points, one after another in one thread. */
export async function measureReal(codec: string, settings: string, points: number): Promise<RealOverheadFigures> {
  return inScratch(async (folder) => {
    const queue = new WatchedQueue(1);
    const { summary } = await timedSweep(folder, `${settings}seed: 1..${points}\n`, () => queue);
    const took = queue.ends.map(({ result }) => result.timings.prepareMs + result.timings.linkMs);
    const spanMs = queue.ends.at(-1)!.atMs - queue.ends[0].atMs;
    const ownMs = took.slice(1).reduce((sum, ms) => sum + ms, 0);
    return {
      codec,
      points: summary.measured,
      pointMs: rounded(median(took)),
      overheadMs: rounded((spanMs - ownMs) / (took.length - 1)),
    };
  });
}
