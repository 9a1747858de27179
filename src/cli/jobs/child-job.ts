import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Job, JobEnd, JobListener } from '../../link/controller.ts';
import { ERROR_SCHEMA } from '../failure.ts';

/** File descriptor of a job on which it tells. */
export const FD = 3;
/** A job that was asked to stop has so long to make its transmitter silent and close its recordings, ms; then it is ended. */
const PATIENCE_MS = 5000;
/** Longest result, and longest line for people, characters. */
const MOST_RESULT = 1 << 24;
const MOST_LINE = 2000;
/** Lines for people that are passed on, a second; of more it is said how many there were. */
const MOST_LINES_PER_S = 50;
/** Steering that waits for a job which does not read it, bytes; beyond, it is left out. */
const MOST_TOLD = 1 << 16;

/**
 * A command in a process of its own. What it writes for people and its result are always taken in, so that it never waits for its dashboard; what is
 * too much of them is dropped.
 */
export class ChildJob implements Job {
  readonly command: string;
  private readonly child: ChildProcess;
  private readonly listener: JobListener;
  private readonly telling: Readable;
  private readonly gone: Promise<void>;
  private stopping = false;
  private killed = false;
  private result = '';
  private line = '';
  private lines = { second: 0, passed: 0, dropped: 0 };

  constructor(command: string, child: ChildProcess, listener: JobListener, patienceMs = PATIENCE_MS) {
    this.command = command;
    this.child = child;
    this.listener = listener;
    this.patienceMs = patienceMs;
    this.telling = child.stdio[FD] as Readable;
    child.stdin!.on('error', () => {}); // it may not listen, or be gone
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      if (this.result.length < MOST_RESULT) this.result += text;
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => this.wrote(text));
    this.telling
      .on('data', (chunk: Buffer) => {
        if (!listener.bytes(chunk)) this.telling.pause();
      })
      .on('error', () => {});
    this.gone = new Promise((resolve) => {
      child.on('error', (error) => this.ended(1, error, resolve));
      child.on('close', (code, signal) => {
        if (signal !== null && signal !== 'SIGINT') this.killed = true;
        this.ended(code ?? (signal === 'SIGINT' ? 130 : 1), null, resolve);
      });
    });
  }

  private readonly patienceMs: number;
  private over = false;

  tell(message: Readonly<Record<string, unknown>>): void {
    const { stdin } = this.child;
    if (stdin!.writable && stdin!.writableLength < MOST_TOLD) stdin!.write(`${JSON.stringify(message)}\n`);
  }

  more(): void {
    this.telling.resume();
  }

  /** SIGINT once: a second one would end it at once, with its transmitter on. */
  async stop(): Promise<void> {
    if (!this.stopping && !this.over) {
      this.stopping = true;
      this.child.kill('SIGINT');
      const timer = setTimeout(() => this.child.kill('SIGKILL'), this.patienceMs);
      await this.gone;
      clearTimeout(timer);
    }
    await this.gone;
  }

  private wrote(text: string): void {
    const lines = (this.line + text).split(/\r?\n|\r/);
    this.line = lines.pop()!.slice(0, MOST_LINE);
    for (const whole of lines) if (whole.trim()) this.pass(whole.slice(0, MOST_LINE));
  }

  private pass(line: string): void {
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.lines.second) {
      const { dropped } = this.lines;
      this.lines = { second, passed: 0, dropped: 0 };
      if (dropped > 0) this.listener.line(`… and ${dropped} lines more`);
    }
    if (++this.lines.passed <= MOST_LINES_PER_S) this.listener.line(line);
    else this.lines.dropped++;
  }

  private ended(exitCode: number, error: Error | null, done: () => void): void {
    if (this.over) return;
    this.over = true;
    if (this.line.trim()) this.pass(this.line);
    this.listener.ended({
      exitCode,
      how: this.killed ? 'killed' : this.stopping ? 'stopped' : 'ended',
      ...(error ? failed(error) : outcome(this.result)),
    });
    done();
  }
}

function failed({ message }: Error): Pick<JobEnd, 'result' | 'error'> {
  return { result: null, error: { message, hint: null } };
}

/** The object that stands on stdout under `--json`: a result or an error. */
function outcome(stdout: string): Pick<JobEnd, 'result' | 'error'> {
  try {
    const result = JSON.parse(stdout) as { schema?: unknown; error?: unknown; hint?: unknown } | null;
    if (result?.schema !== ERROR_SCHEMA) return { result, error: null };
    const hint = typeof result.hint === 'string' ? result.hint : null;
    return { result: null, error: { message: String(result.error), hint } };
  } catch {
    return { result: null, error: null };
  }
}
