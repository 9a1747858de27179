import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CliContext } from '../../src/cli/context.ts';
import { failureOf } from '../../src/cli/failure.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { Progress } from '../../src/experiment/report/progress.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const BIN = join(ROOT, 'bin', 'sct.js');

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface SctProcess {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  kill(signal: NodeJS.Signals): void;
  /** What of stderr has matched, once it has; rejects when the process ends first. */
  stderrMatches(pattern: RegExp): Promise<RegExpExecArray>;
}

/** Starts the built program (`npm test` builds it first). */
export function startSct(args: readonly string[], cwd: string): SctProcess {
  if (!existsSync(join(ROOT, 'dist', 'src', 'cli', 'main.js'))) throw new Error('not built: run "npm run build" first');
  const child = spawn(process.execPath, [BIN, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  const waiting: { pattern: RegExp; resolve: (found: RegExpExecArray) => void; reject: (e: Error) => void }[] = [];
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
    for (const w of waiting) {
      const found = w.pattern.exec(stderr);
      if (found) w.resolve(found);
    }
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      for (const w of waiting) w.reject(new Error(`sct ended with ${code} before ${w.pattern}: ${stderr}`));
      resolve({ code, stdout, stderr });
    });
  });
  return {
    pid: child.pid!,
    ended,
    kill: (signal) => void child.kill(signal),
    stderrMatches: (pattern) => {
      const found = pattern.exec(stderr);
      if (found) return Promise.resolve(found);
      return new Promise((resolve, reject) => void waiting.push({ pattern, resolve, reject }));
    },
  };
}

/** Runs the built program to its end. */
export function sct(args: readonly string[], cwd: string): Promise<Ended> {
  return startSct(args, cwd).ended;
}

/** The same command tree in this process: what it prints, and how it ends. Quicker than a process for wrong input. */
export async function sctInside(args: readonly string[]): Promise<Ended & { hint: string | undefined }> {
  let stdout = '';
  let code = 0;
  const context: CliContext = {
    argv: args,
    json: args.includes('--json'),
    quiet: true,
    verbose: false,
    colour: false,
    signal: new AbortController().signal,
    progress: new Progress({ stream: { write: () => true }, now: () => 0, quiet: true }),
    telemetry: null,
    out: (text) => {
      stdout += text;
    },
  };
  const program = buildProgram(context, (exitCode) => {
    code = exitCode;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return { code, stdout, stderr: '', hint: undefined };
  } catch (error) {
    const failure = failureOf(error);
    return { code: failure?.exitCode ?? 0, stdout, stderr: failure?.message ?? '', hint: failure?.hint };
  }
}

/** A folder that is removed after the test. */
export async function scratch(t: { after(fn: () => Promise<void>): void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sct-cli-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
