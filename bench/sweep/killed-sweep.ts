import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { RandomStream } from '../../src/common/random.ts';

/** The built program: a kill must end all of it. */
const SCT = fileURLToPath(new URL('../../bin/sct.js', import.meta.url));

export interface KillPlan {
  /** YAML of the sweep. */
  readonly file: string;
  /** Of its results. */
  readonly folder: string;
  readonly kills: number;
  readonly seed: number;
  /** Of one run after another, over and over. */
  readonly jobs: readonly number[];
  /** A run is killed after 0 to so many results of its own: few enough that the sweep outlives all kills. */
  readonly mostResults: number;
}

export interface KilledSweep {
  /** Results in the folder at each kill. */
  readonly resultsAtKill: readonly number[];
  /** Kills before the first result of their run: while the program started, looked at its inputs or the results of earlier runs. */
  readonly early: number;
}

const MOST_LATER_MS = 40;
const POLL_MS = 5;

/** Whole lines of a sweep's results. */
export function resultLines(folder: string): string[] {
  const path = join(folder, 'results.jsonl');
  return existsSync(path) ? readFileSync(path, 'latin1').split('\n').slice(0, -1) : [];
}

/** The same results, whatever their order and however long they took. */
export function plainResults(folder: string): string[] {
  return resultLines(folder)
    .map((line) => line.replace(/,"timings":\{[^{}]*\}/, ''))
    .sort();
}

/**
 * Starts `sct sweep --resume` (the built program) so many times and kills it each time (SIGKILL), at moments that a seed draws: some way into its
 * points, or while it starts.
 *
 * @throws Error where a run ends before it is killed
 */
export async function killedSweep(plan: KillPlan): Promise<KilledSweep> {
  const random = new RandomStream(plan.seed);
  const resultsAtKill: number[] = [];
  let early = 0;
  // How long a run took to its first result, so that kills before it fall anywhere in that time.
  let startMs = 300;
  for (let kill = 0; kill < plan.kills; kill++) {
    const before = resultLines(plan.folder).length;
    const wanted = Math.floor((plan.mostResults + 1) * random.uniform());
    const run = startSweep(plan, kill);
    let over: string | null = null;
    const ended = run.ended.then(({ code, stderr }) => {
      over = stderr || `ended with ${code}`;
    });
    const started = performance.now();
    // Behind its last result a run goes on for about one more at most, so that the sweep outlives all kills on any machine.
    let laterMs = wanted > 0 ? MOST_LATER_MS / 4 : startMs;
    let lastMs: number | null = null;
    if (wanted > 0) {
      let bytes = 0;
      for (let seen = before; seen < before + wanted && over === null; ) {
        await sleep(POLL_MS);
        const size = statSync(join(plan.folder, 'results.jsonl'), { throwIfNoEntry: false })?.size ?? 0;
        if (size === bytes) continue;
        bytes = size;
        const now = resultLines(plan.folder).length;
        if (now > seen) {
          const atMs = performance.now();
          if (lastMs === null) startMs = atMs - started;
          else laterMs = Math.min(MOST_LATER_MS, (atMs - lastMs) / (now - seen));
          lastMs = atMs;
        }
        seen = now;
      }
    }
    await sleep(random.uniform() * laterMs);
    if (over !== null) throw new Error(`run ${kill + 1} ended before it was killed: ${over}`);
    run.process.kill('SIGKILL');
    await ended;
    resultsAtKill.push(resultLines(plan.folder).length);
    if (resultsAtKill[kill] === before) early++;
  }
  return { resultsAtKill, early };
}

/** One run of the sweep; its last line on stdout is what `--json` says. */
export function startSweep(
  { file, folder, jobs }: Pick<KillPlan, 'file' | 'folder' | 'jobs'>,
  run = 0,
): { process: ChildProcess; ended: Promise<{ code: number | null; stdout: string; stderr: string }> } {
  const words = ['sweep', file, '--resume', '--jobs', String(jobs[run % jobs.length]), '-q', '--json', '-o', folder];
  const child = spawn(process.execPath, [SCT, ...words], { cwd: dirname(file), stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
  return { process: child, ended };
}
