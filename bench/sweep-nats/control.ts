import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newId } from '../nats-peer.ts';
import { type Child, cpuMsOf, type Ends, pauseMs, SCT, startNode } from './processes.ts';

/** How long a process took, and how many processors all of them together used meanwhile. */
export interface Timed {
  readonly s: number;
  readonly coresBusy: number;
}

/** How often results are looked at, ms. */
const LOOK_MS = 3;
/** Rounds of arithmetic without memory, some 2 s: what is left of a second processor where it is half of one. */
const SPINS = 1.5e9;
const SPIN = `let a = 1, b = 2; for (let i = 0; i < ${SPINS}; i++) { a = (a ^ (a << 1) ^ i) | 0; b = (b + (a >>> 3)) | 0; } process.exit(a === b ? 1 : 0)`;

/**
 * What this machine gives processes that have nothing to do with each other: so many `sct sweep --jobs 1`, each with its share of the points and
 * without NATS. Each is stopped when it has measured `warm` points, and all go on together, so that starting and loading networks is in no time.
 */
export async function separateS(
  ends: Ends,
  folder: string,
  count: number,
  points: number,
  warm: number,
  yamlOf: (points: number) => string,
): Promise<Timed> {
  const all: { child: Child; results: string }[] = [];
  for (let i = 0; i < count; i++) {
    const name = newId();
    await writeFile(join(folder, `${name}.yaml`), yamlOf(warm + points / count));
    const child = startNode([SCT, 'sweep', `${name}.yaml`, '-o', name, '--jobs', '1', '--json'], folder);
    ends.after(() => child.kill('SIGKILL'));
    all.push({ child, results: join(folder, name, 'results.jsonl') });
  }
  await Promise.all(
    all.map(async ({ child, results }) => {
      while (linesOf(results) < warm) {
        if (child.process.exitCode !== null)
          throw new Error(`a sweep ended: ${(await child.ended).stderr.slice(-500)}`);
        await pauseMs(LOOK_MS);
      }
      child.kill('SIGSTOP');
    }),
  );
  const cpu = () => all.reduce((sum, { child }) => sum + cpuMsOf(child.pid), 0);
  const [before, started] = [cpu(), performance.now()];
  for (const { child } of all) child.kill('SIGCONT');
  const due = warm + points / count;
  let busyMs = 0;
  while (all.some(({ results }) => linesOf(results) < due)) {
    if (all.every(({ child }) => child.process.exitCode === null)) busyMs = cpu() - before;
    await pauseMs(LOOK_MS);
  }
  const s = (performance.now() - started) / 1e3;
  for (const { child } of all) if ((await child.ended).code !== 0) throw new Error('a sweep failed');
  return { s, coresBusy: busyMs / 1e3 / s };
}

function linesOf(path: string): number {
  return existsSync(path) ? readFileSync(path, 'latin1').split('\n').length - 1 : 0;
}

/** How much faster so many processes of pure arithmetic are than one: as many as there are processors of their own. */
export async function arithmeticRatio(count: number): Promise<number> {
  const s = async (n: number): Promise<number> => {
    const started = performance.now();
    await Promise.all(
      Array.from(
        { length: n },
        () =>
          new Promise<void>((resolve, reject) => {
            const child = spawn(process.execPath, ['-e', SPIN], { stdio: 'ignore' });
            child.once('error', reject);
            child.once('exit', () => resolve());
          }),
      ),
    );
    return (performance.now() - started) / 1e3;
  };
  const one = await s(1);
  return (count * one) / (await s(count));
}

/** What the system says of its processors. That of a virtual machine knows of the one it is given, not of the machine below. */
export interface Processors {
  readonly threadsACore: number | null;
  readonly virtual: boolean;
}

export async function processors(): Promise<Processors> {
  const siblings = await readFile('/sys/devices/system/cpu/cpu0/topology/thread_siblings_list', 'latin1').catch(
    () => null,
  );
  const info = await readFile('/proc/cpuinfo', 'latin1').catch(() => '');
  return {
    threadsACore:
      siblings === null
        ? null
        : siblings
            .trim()
            .split(',')
            .reduce((n, range) => n + lengthOf(range), 0),
    virtual: /^flags\s*:.*\bhypervisor\b/m.test(info),
  };
}

function lengthOf(range: string): number {
  const [first, last = first] = range.split('-').map(Number);
  return last - first + 1;
}
