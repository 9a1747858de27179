import type { Command } from 'commander';
import type { Progress } from '../experiment/report/progress.ts';
import type { RunIo } from '../experiment/run/run-io.ts';
import type { Telemetry } from '../link/telemetry.ts';

/** What a command has to work with besides its flags. */
export interface CliContext {
  /** Words after `sct`. */
  readonly argv: readonly string[];
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly colour: boolean;
  /** Aborted by the first Ctrl-C, or when nobody reads stdout any more. */
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Who watches; null for nobody. */
  readonly telemetry: Telemetry | null;
  /** Text for stdout: the result and nothing else. */
  out(text: string): void;
}

/** Registers one command; `done` takes its exit code. */
export type AddCommand = (program: Command, context: CliContext, done: (exitCode: number) => void) => void;

/** Environment variable that names the folder of runs which name their directory themselves; the dashboard sets it for its jobs. */
export const RUNS_FOLDER = 'SCT_RUNS';

/** The surroundings of a run for src/experiment. */
export function runIo(context: CliContext, outputDirectory: string | undefined): RunIo {
  const { progress, argv, json, signal, telemetry } = context;
  const runsFolder = process.env[RUNS_FOLDER];
  return {
    progress,
    argv: ['sct', ...argv],
    now: () => new Date(),
    ...(outputDirectory === undefined ? {} : { outputDirectory }),
    ...(runsFolder ? { runsFolder } : {}),
    json,
    signal,
    ...(telemetry ? { telemetry } : {}),
  };
}

/** The one object of `--json`, on one line. */
export function outJson(context: CliContext, value: unknown): void {
  context.out(`${JSON.stringify(value)}\n`);
}
