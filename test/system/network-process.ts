import type { NetworkHost } from './lossy-network.ts';

/** A program that runs on one of two hosts. */
export interface Running {
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
  /** Resolves when its stderr has matched; rejects when it ends first. */
  says(pattern: RegExp): Promise<void>;
  /** The last number that its stderr has behind this word; -1 without one. */
  last(word: string): number;
  kill(signal?: NodeJS.Signals): void;
}

export function runIn(
  host: NetworkHost,
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Running {
  const child = host.spawn(command, args, options);
  let [stdout, stderr] = ['', ''];
  const waiting: { pattern: RegExp; resolve: () => void; reject: (e: Error) => void }[] = [];
  child.stdout?.on('data', (data) => {
    stdout += data;
  });
  child.stderr?.on('data', (data) => {
    stderr += data;
    for (const w of waiting) if (w.pattern.test(stderr)) w.resolve();
  });
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      for (const w of waiting)
        w.reject(new Error(`${args.join(' ')} ended with ${code} before ${w.pattern}: ${stderr}`));
      resolve({ code, stdout, stderr });
    });
  });
  return {
    ended,
    says: (pattern) =>
      pattern.test(stderr)
        ? Promise.resolve()
        : new Promise((resolve, reject) => void waiting.push({ pattern, resolve, reject })),
    last: (word) => Number([...stderr.matchAll(new RegExp(`^${word} (\\d+)$`, 'gm'))].at(-1)?.[1] ?? -1),
    kill: (signal = 'SIGKILL') => void child.kill(signal),
  };
}
