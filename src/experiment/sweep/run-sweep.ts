import { ExitCode, SctError } from '../../common/errors.ts';
import { METRIC_DEFINITIONS } from '../metrics/metrics.ts';
import { hostFacts, programFacts } from '../run/host-facts.ts';
import type { RunIo } from '../run/run-io.ts';
import { expandSweep } from './expand.ts';
import type { PointFailure, PointOutcome, PointQueue, SweepPoint } from './point.ts';
import { SweepSchedule } from './schedule.ts';
import { PLAN_SCHEMA, planSha256, SWEEP_FILES, SweepDirectory, type SweepPlan } from './sweep-directory.ts';
import type { SweepFile } from './sweep-file.ts';
import { SweepState } from './sweep-state.ts';
import { ThreadQueue } from './thread-queue.ts';

export const SUMMARY_SCHEMA = 'sct.sweep-summary/1';

export interface SweepOptions {
  readonly file: SweepFile;
  /** Of the results. */
  readonly folder: string;
  /** Go on with a sweep that is there; where there is none, one begins. */
  readonly resume: boolean;
  /** Points at once. */
  readonly jobs: number;
}

/** `plan` as sweep.json has it: a sweep that goes on has the `startedAt` of its beginning. */
export type OpenQueue = (plan: SweepPlan) => Promise<PointQueue> | PointQueue;

type SweepIo = Pick<RunIo, 'progress' | 'argv' | 'now' | 'signal'>;

/** What came of a sweep, as `--json` says it. */
export interface SweepSummary {
  readonly schema: typeof SUMMARY_SCHEMA;
  /** Every point was measured that was needed. */
  readonly ok: boolean;
  readonly name: string;
  readonly points: number;
  /** Results that are there now; of them those of earlier runs. */
  readonly measured: number;
  readonly before: number;
  /** Points that the stop rule made needless, and the groups that it stopped. */
  readonly needless: number;
  readonly groups: number;
  readonly stoppedGroups: number;
  readonly failed: number;
  /** Combinations of the file that came to a point that was there. */
  readonly repeated: number;
  readonly directory: string;
  readonly files: Readonly<Record<string, string>>;
  readonly exitCode: ExitCode;
}

/** So many failures without one success: it is not the points' fault, and the rest would fail as well. */
const HOPELESS = 20;
/** The same where earlier runs have measured points: what failed then comes first now. */
const HOPELESS_LATER = 500;
/** Results go to the disk itself so often, ms. */
const SYNC_MS = 1000;

/**
 * Measures all points of a sweep that are not measured yet. Each result is one line of results.jsonl, written when it is there; what was
 * under way when the process ended is done again by the next run with `resume`.
 *
 * @param openQueue where points are measured, asked for once the sweep has its folder and if anything is left to do; default threads of this process
 * @throws UsageError for a file, a folder or inputs that are wrong, before anything is measured
 */
export async function runSweep(
  options: SweepOptions,
  io: SweepIo,
  openQueue: OpenQueue = () => new ThreadQueue(options.jobs),
): Promise<SweepSummary> {
  const { file, folder, resume } = options;
  io.progress.update('looking at photos, models and settings');
  const { points, repeated } = await expandSweep(file, io.signal, (n) =>
    io.progress.update(`looking at photos, models and settings: ${n} points`),
  );
  const groups = new Set(points.map(({ group }) => group)).size;
  const plan: SweepPlan = {
    schema: PLAN_SCHEMA,
    name: file.name,
    state: 'running',
    planSha256: planSha256(points, file.stop),
    points: points.length,
    groups,
    repeated,
    stop: file.stop,
    metricDefinitions: METRIC_DEFINITIONS,
    program: await programFacts(),
    host: hostFacts(),
    argv: io.argv,
    startedAt: io.now().toISOString(),
    endedAt: null,
  };
  const directory = await SweepDirectory.open({ folder, resume, plan, points, text: file.text });
  if (directory.plan.laterPrograms) {
    io.progress.note(`${directory.path}: results of other versions of the program stand in it (sweep.json says which)`);
  }
  try {
    const schedule = new SweepSchedule(points, file.stop, directory.finished);
    const before = schedule.kept;
    const failures = await measureAll(schedule, points.length, directory, io, () => openQueue(directory.plan));
    const state = io.signal.aborted ? 'interrupted' : failures.length > 0 ? 'failed' : 'done';
    await directory.close(state, io.now().toISOString());
    const exitCode = io.signal.aborted ? ExitCode.interrupted : exitCodeOfFailures(failures, points);
    return {
      schema: SUMMARY_SCHEMA,
      ok: exitCode === ExitCode.ok,
      name: file.name,
      points: points.length,
      measured: schedule.kept,
      before,
      needless: schedule.needless,
      groups,
      stoppedGroups: schedule.stoppedGroups,
      failed: failures.length,
      repeated,
      directory: directory.path,
      files: {
        plan: directory.file('plan'),
        points: directory.file('points'),
        results: directory.file('results'),
        ...(failures.length > 0 ? { failures: directory.file('failures') } : {}),
      },
      exitCode,
    };
  } catch (error) {
    // What went wrong first is what is told, not that a full disk takes no sweep.json either.
    await directory.close('failed', io.now().toISOString()).catch(() => undefined);
    throw error;
  }
}

/** Hands points out until none is left, or the user has had enough. */
async function measureAll(
  schedule: SweepSchedule,
  points: number,
  directory: SweepDirectory,
  io: SweepIo,
  open: () => Promise<PointQueue> | PointQueue,
): Promise<PointFailure[]> {
  const failures: PointFailure[] = [];
  let first = schedule.next();
  if (first === null || io.signal.aborted) return failures;
  const queue = await open();
  const state = new SweepState(points, schedule);
  let underWay = 0;
  let broken: { error: unknown } | null = null;
  let wake: () => void = () => undefined;
  const stop = () => wake();
  io.signal.addEventListener('abort', stop);
  let syncedMs = performance.now();
  let unsynced: string[] = [];
  const sync = (): void => {
    directory.sync();
    queue.kept?.(unsynced);
    unsynced = [];
    syncedMs = performance.now();
  };
  const take = (point: SweepPoint, outcome: PointOutcome): void => {
    for (const result of schedule.take(point, outcome)) {
      directory.appendResult(result);
      unsynced.push(result.id);
    }
    if (outcome.kind === 'failed') {
      failures.push(outcome.failure);
      directory.appendFailure(outcome.failure);
      io.progress.note(`point ${point.index + 1} (${point.id.slice(0, 8)}): ${outcome.failure.message.split('\n')[0]}`);
    }
    state.took(outcome);
    if (performance.now() - syncedMs >= SYNC_MS) sync();
    io.progress.update(() => state.text());
  };
  const hand = (point: SweepPoint): void => {
    underWay++;
    queue
      .run(point)
      .then((outcome) => {
        if (!broken && !io.signal.aborted) take(point, outcome);
      })
      .catch((error) => {
        broken ??= { error };
      })
      .finally(() => {
        underWay--;
        wake();
      });
  };
  try {
    while (!broken && !io.signal.aborted) {
      while (underWay < queue.width) {
        const point: SweepPoint | null = first ?? schedule.next();
        first = null;
        if (!point) break;
        hand(point);
      }
      if (underWay === 0) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      if (state.measured === 0 && failures.length >= (schedule.kept === 0 ? HOPELESS : HOPELESS_LATER)) {
        const { message, exitCode } = failures[0];
        const text = `the first ${failures.length} points all failed: ${message.split('\n')[0]}`;
        throw new SctError(text, exitCode as ExitCode, `${directory.file('failures')} lists them`);
      }
    }
    // A queue that is closed lets go of everything.
    if (!broken) sync();
  } finally {
    io.signal.removeEventListener('abort', stop);
    await queue.close();
  }
  const fault = broken as { error: unknown } | null;
  if (fault) throw fault.error;
  return failures;
}

/** That of the failed point that comes first in the sweep: it does not depend on which failed first. */
function exitCodeOfFailures(failures: readonly PointFailure[], points: readonly SweepPoint[]): ExitCode {
  if (failures.length === 0) return ExitCode.ok;
  const codes = new Map(failures.map(({ id, exitCode }) => [id, exitCode]));
  const first = points.find(({ id }) => codes.has(id));
  return (first ? codes.get(first.id) : ExitCode.internal) as ExitCode;
}

/** Lines for people. */
export function summaryText(s: SweepSummary): string {
  const lines = [
    `${s.name}: ${s.measured} of ${s.points} points measured${s.before > 0 ? `, ${s.before} of them before` : ''}`,
  ];
  if (s.needless > 0)
    lines.push(`${s.stoppedGroups} of ${s.groups} groups stopped early, which left out ${s.needless}`);
  if (s.repeated > 0)
    lines.push(`${s.repeated} ${s.repeated === 1 ? 'combination' : 'combinations'} came to points that were there`);
  if (s.failed > 0) lines.push(`${s.failed} failed: see ${SWEEP_FILES.failures}; --resume does them again`);
  lines.push(`results in ${s.directory}`);
  return `${lines.join('\n')}\n`;
}
