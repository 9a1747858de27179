import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import { UsageError } from '../../common/errors.ts';
import type { Controller, Job, JobEnd, JobListener, JobRequest } from '../../link/controller.ts';
import { ERROR_SCHEMA } from '../failure.ts';
import { TELEMETRY_FD } from '../telemetry-pipe.ts';
import { jobSchema, jobWords } from './job-words.ts';

/** Commands that a page may start. */
const COMMANDS = ['loopback', 'link', 'sound', 'receive', 'record', 'replay'] as const;
/** File descriptor of a job on which it tells. */
const FD = 3;
/** A job that was asked to stop has so long to make its transmitter silent and close its recordings, ms; then it is ended. */
const PATIENCE_MS = 5000;
/** Longest result, and longest line for people, characters. */
const MOST_RESULT = 1 << 24;
const MOST_LINE = 2000;

/** Runs what a page asks for as `sct COMMAND … --json` in a process of its own: whatever a page does cannot disturb a radio. */
export class ChildController implements Controller {
  readonly commands = COMMANDS;
  private readonly program: Command;
  private readonly entry: string;

  /**
   * @param program all commands, for their flags
   * @param entry the script that runs them
   */
  constructor(program: Command, entry: string) {
    this.program = program;
    this.entry = entry;
  }

  optionsOf(command: string): object {
    return jobSchema(this.commandOf(command));
  }

  async devices(): Promise<unknown> {
    return new Promise((resolve) => {
      const listener: JobListener = { bytes() {}, line() {}, ended: ({ result }) => resolve(result) };
      this.run('devices', ['devices', '--json', '-q'], listener);
    });
  }

  start(request: JobRequest, listener: JobListener): Job {
    const words = jobWords(this.commandOf(request.command), request);
    return this.run(request.command, [request.command, '--json', '-q', ...words], listener);
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
      env: { ...process.env, [TELEMETRY_FD]: String(FD) },
    });
    child.stdin!.on('error', () => {}); // it may not listen, or be gone
    const gone = follow(child, listener);
    return {
      command,
      tell: (message) => void child.stdin!.write(`${JSON.stringify(message)}\n`),
      stop: async () => {
        child.kill('SIGINT');
        const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
        await gone;
        clearTimeout(timer);
      },
    };
  }
}

/** Passes on what a child says until it is gone. */
function follow(child: ChildProcess, listener: JobListener): Promise<void> {
  let result = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    if (result.length < MOST_RESULT) result += text;
  });
  let line = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    const lines = (line + text).split(/\r?\n|\r/);
    line = lines.pop()!.slice(0, MOST_LINE);
    for (const whole of lines) if (whole.trim()) listener.line(whole.slice(0, MOST_LINE));
  });
  (child.stdio[FD] as Readable).on('data', (chunk: Buffer) => listener.bytes(chunk)).on('error', () => {});
  return new Promise((resolve) => {
    let over = false;
    const end = (exitCode: number, error?: Error) => {
      if (over) return;
      over = true;
      if (line.trim()) listener.line(line);
      listener.ended(jobEnd(exitCode, result, error));
      resolve();
    };
    child.on('error', (error) => end(1, error));
    child.on('close', (code, signal) => end(code ?? (signal === 'SIGINT' ? 130 : 1)));
  });
}

function jobEnd(exitCode: number, stdout: string, error?: Error): JobEnd {
  if (error) return { exitCode, result: null, error: { message: error.message, hint: null } };
  try {
    const result = JSON.parse(stdout) as { schema?: unknown; error?: unknown; hint?: unknown } | null;
    if (result?.schema !== ERROR_SCHEMA) return { exitCode, result, error: null };
    const hint = typeof result.hint === 'string' ? result.hint : null;
    return { exitCode, result: null, error: { message: String(result.error), hint } };
  } catch {
    return { exitCode, result: null, error: null };
  }
}
