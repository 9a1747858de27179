import { spawn } from 'node:child_process';
import type { Command } from 'commander';
import { DeviceError, UsageError } from '../../common/errors.ts';
import type {
  Controller,
  Job,
  JobEnd,
  JobListener,
  JobRequest,
  MadeCapture,
  RangeRequest,
} from '../../link/controller.ts';
import { RUNS_FOLDER } from '../context.ts';
import { TELEMETRY_FD } from '../telemetry-pipe.ts';
import { ChildJob, FD } from './child-job.ts';
import { exportRange } from './export-range.ts';
import { checkWords } from './job-check.ts';
import type { JobPlaces } from './job-places.ts';
import { jobSchema } from './job-schema.ts';
import { jobWords } from './job-words.ts';
import { recordingName } from './recording-name.ts';

/** Commands that a page may start. */
const COMMANDS = [
  ...(['loopback', 'link', 'sound', 'receive', 'record', 'replay', 'stream', 'watch', 'monitor', 'spectrum'] as const),
] as const;
/** Boards that were looked for are shown so long without looking again, ms. */
const DEVICES_AGE_MS = 3000;

/**
 * Runs what a page asks for as `sct COMMAND … --json` in a process of its own: whatever a page does cannot disturb a radio. Runs and recordings
 * land in the dashboard's folders, and files are read from there alone.
 */
export class ChildController implements Controller {
  readonly commands = COMMANDS;
  private readonly program: Command;
  private readonly entry: string;
  private readonly places: JobPlaces;
  private found: { readonly atMs: number; readonly devices: Promise<unknown> } | null = null;

  /**
   * @param program all commands, for their flags
   * @param entry the script that runs them
   */
  constructor(program: Command, entry: string, places: JobPlaces) {
    this.program = program;
    this.entry = entry;
    this.places = places;
  }

  optionsOf(command: string): object {
    return jobSchema(this.commandOf(command));
  }

  /** Looks once for all who ask at the same time. */
  devices(): Promise<unknown> {
    const nowMs = performance.now();
    if (!this.found || nowMs - this.found.atMs > DEVICES_AGE_MS) {
      const devices = new Promise((resolve, reject) => {
        const ended = ({ result, error }: JobEnd) => {
          if (result !== null) resolve(result);
          else reject(new DeviceError(error?.message ?? 'boards cannot be looked for', error?.hint ?? undefined));
        };
        this.run('devices', ['devices', '--json', '-q'], { bytes: () => true, line() {}, ended });
      });
      this.found = { atMs: nowMs, devices };
    }
    return this.found.devices;
  }

  async pictureSize(path: string, name: string): Promise<{ width: number; height: number }> {
    const { pictureSize } = await import('../../sct/image/load.ts');
    return pictureSize(path, name);
  }

  start(request: JobRequest, listener: JobListener): Job {
    const command = this.commandOf(request.command);
    const words = jobWords(command, request, this.places);
    checkWords(command, words);
    const output =
      request.command === 'record' ? [`--output=${recordingName(this.places.captures, request.options)}`] : [];
    return this.run(request.command, [request.command, '--json', '-q', ...output, ...words], listener);
  }

  exportRange(request: RangeRequest, signal: AbortSignal): Promise<MadeCapture> {
    const run = (words: readonly string[], listener: JobListener) => this.run('capture', words, listener);
    return exportRange(request, this.places, run, signal);
  }

  private commandOf(name: string): Command {
    const command = this.program.commands.find((c) => c.name() === name);
    if (!command || !(COMMANDS as readonly string[]).includes(name)) {
      throw new UsageError(`"${name.slice(0, 40)}" is not started from here`, `one of ${COMMANDS.join(', ')}`);
    }
    return command;
  }

  private run(command: string, words: readonly string[], listener: JobListener): Job {
    const child = spawn(process.execPath, [this.entry, ...words], {
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      // Ctrl-C in the dashboard's terminal is for the dashboard, which stops the job itself.
      detached: true,
      env: {
        ...process.env,
        [TELEMETRY_FD]: String(FD),
        [RUNS_FOLDER]: this.places.runs,
      },
    });
    if (child.stdin === null) {
      child.on('error', () => {});
      throw new DeviceError(`${command} cannot be started: this machine has no room for another process`);
    }
    return new ChildJob(command, child, listener);
  }
}
