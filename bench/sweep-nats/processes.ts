import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** The built program, for processes that a kill must really end. */
export const SCT = join(ROOT, 'bin', 'sct.js');
/** USER_HZ: what /proc counts processor time in, on every Linux that Node runs on. */
const TICK_MS = 10;

/** Processor time of a process with all its threads so far, ms. Linux only. */
export function cpuMsOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The name may hold anything, so fields are counted from its end: utime and stime are the 14th and 15th of all.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return TICK_MS * (Number(fields[11]) + Number(fields[12]));
}

export function residentMiBOf(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  return Math.round(Number(kib) / 102.4) / 10;
}

export interface Child {
  readonly pid: number;
  readonly process: ChildProcess;
  /** Resolves with its first line on stdout. */
  readonly said: Promise<string>;
  /** Resolves with what stands in the pattern's brackets once stderr has it. */
  noted(pattern: RegExp): Promise<string>;
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
  kill(signal: NodeJS.Signals): void;
}

/** A process of Node; what it says is kept. */
export function startNode(args: readonly string[], cwd?: string): Child {
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
  const said = new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (stdout.includes('\n')) resolve(stdout.slice(0, stdout.indexOf('\n')));
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    void ended.then(({ code }) => reject(new Error(`a process ended with ${code}: ${stderr.slice(-500)}`)));
  });
  said.catch(() => undefined);
  const noted = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const found = pattern.exec(stderr);
      if (found) return found[1];
      if (child.exitCode !== null) throw new Error(`a process ended without ${pattern}: ${stderr.slice(-500)}`);
      await pauseMs(20);
    }
  };
  return { pid: child.pid!, process: child, said, noted, ended, kill: (signal) => void child.kill(signal) };
}

/** Things to end when a measurement ends, the newest first. */
export class Ends {
  private readonly ends: (() => Promise<void> | void)[] = [];

  after(end: () => Promise<void> | void): void {
    this.ends.push(end);
  }

  async all(): Promise<void> {
    for (const end of this.ends.splice(0).reverse()) await end();
  }
}

export function pauseMs(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
