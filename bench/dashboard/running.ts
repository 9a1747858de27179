import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { get } from 'node:http';
import type { Place } from './page-client.ts';

/** A dashboard in a process of its own. */
export interface Running {
  readonly child: ChildProcess;
  readonly control: Place;
  readonly read: Place;
  end(): Promise<void>;
}

const host = '127.0.0.1';

/** Starts a program that prints its port and tokens as one line of JSON. */
export async function running(words: readonly string[], cwd: string): Promise<Running> {
  const child = spawn(process.execPath, words, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout!, 'data')) as [Buffer];
  const { port, controlToken, readToken, control, read } = JSON.parse(String(line)) as Record<string, string>;
  const tokenOf = (address: string) => new URL(address).hash.slice('#token='.length);
  const at = Number(port ?? new URL(control).port);
  return {
    child,
    control: { host, port: at, token: controlToken ?? tokenOf(control) },
    read: { host, port: at, token: readToken ?? tokenOf(read) },
    end: async () => {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'close');
    },
  };
}

/** What /metrics says now, by name with labels. */
export function metrics({ host, port, token }: Place): Promise<ReadonlyMap<string, number>> {
  return new Promise((resolve, reject) => {
    const headers = { Authorization: `Bearer ${token}` };
    get({ host, port, path: '/metrics', headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      response.on('end', () => {
        const rows = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
        resolve(new Map(rows.map((row) => [row.slice(0, row.lastIndexOf(' ')), Number(row.split(' ').at(-1))])));
      });
    }).on('error', reject);
  });
}

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.floor(sorted.length / 2)]) / 2;
}

export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}
