import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Progress } from '../../src/experiment/report/progress.ts';
import type { PointQueue } from '../../src/experiment/sweep/point.ts';
import { runSweep, type SweepSummary } from '../../src/experiment/sweep/run-sweep.ts';
import { readSweepFile } from '../../src/experiment/sweep/sweep-file.ts';

export interface TimedSweep {
  readonly summary: SweepSummary;
  /** Expansion, hashes and the folder, before the first point is handed out, s. */
  readonly planS: number;
  /** From then until the last result is written and everything is closed, s. */
  readonly measureS: number;
}

/** A folder that is gone when `use` has ended. */
export async function inScratch<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'sct-bench-sweep-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A whole sweep of this process in `folder`/out, timed. Error where a point is missing. */
export async function timedSweep(
  folder: string,
  yaml: string,
  openQueue: () => PointQueue,
  out = 'out',
): Promise<TimedSweep> {
  const path = join(folder, `${out}.yaml`);
  await writeFile(path, yaml);
  const progress = new Progress({ stream: { write: () => true }, now: () => 0, quiet: true });
  const io = { progress, argv: ['bench'], now: () => new Date(), signal: new AbortController().signal };
  const started = performance.now();
  let opened = started;
  const options = { file: await readSweepFile(path), folder: join(folder, out), resume: false, jobs: 1 };
  const summary = await runSweep(options, io, () => {
    opened = performance.now();
    return openQueue();
  });
  const ended = performance.now();
  if (!summary.ok)
    throw new Error(`${summary.measured} of ${summary.points} points measured, ${summary.failed} failed`);
  return { summary, planS: (opened - started) / 1e3, measureS: (ended - opened) / 1e3 };
}
