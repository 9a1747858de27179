import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ENTRY = fileURLToPath(new URL('../../bin/sct.js', import.meta.url));
/** Longer than any of these commands takes, ms. */
const MOST_MS = 300_000;

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `sct WORDS` as a process of its own. */
export class Running {
  readonly words: string;
  readonly ended: Promise<Ended>;
  private readonly child: ChildProcess;
  private said = '';
  private isOver = false;
  private readonly waiting = new Set<() => void>();

  /** @param words with blanks between them; none holds one */
  constructor(words: string, cwd: string) {
    this.words = words;
    this.child = spawn(process.execPath, [ENTRY, ...words.split(' ')], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    const timer = setTimeout(() => this.child.kill('SIGKILL'), MOST_MS);
    let stdout = '';
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.said += text;
      this.look();
    });
    this.ended = new Promise((resolve, reject) => {
      this.child.on('error', reject);
      this.child.on('close', (code) => {
        clearTimeout(timer);
        this.isOver = true;
        this.look();
        resolve({ code, stdout, stderr: this.said });
      });
    });
  }

  /** Resolves once stderr matches. Errors: it ended before. */
  async says(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.said)) {
      if (this.isOver) throw new Error(`sct ${this.words} ended before it said ${pattern}:\n${this.said}`);
      await new Promise<void>((resolve) => this.waiting.add(resolve));
    }
  }

  /** Holds the process up for a while, as a busy machine does. */
  async pause(ms: number): Promise<void> {
    this.child.kill('SIGSTOP');
    await sleep(ms);
    this.child.kill('SIGCONT');
  }

  interrupt(): void {
    this.child.kill('SIGINT');
  }

  private look(): void {
    for (const wake of this.waiting) wake();
    this.waiting.clear();
  }
}

/** `sct WORDS` to its end. Errors: another exit code than these. */
export async function sct(words: string, cwd: string, codes: readonly number[] = [0]): Promise<Ended> {
  const ended = await new Running(words, cwd).ended;
  if (!codes.includes(ended.code ?? -1)) throw new Error(`sct ${words} ended with ${ended.code}:\n${ended.stderr}`);
  return ended;
}

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
