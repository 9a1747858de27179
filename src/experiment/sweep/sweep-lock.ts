import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, readlinkSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UsageError } from '../../common/errors.ts';

/** A lock is touched so often, ms; one of another machine that stays untouched for `STILL_MS` is nobody's any more. */
const TOUCH_MS = 2000;
const STILL_MS = 10_000;
/** Others may begin in the very moment in which a lock of a dead process is taken away. */
const TRIES = 3;
const MAX_BYTES = 1000;

/** Locks of this process: where a system tells no start times, its number in any other was another's that is gone. */
const HELD = new Set<string>();

interface Holder {
  readonly pid: number;
  /** When it began, in its system's own measure: numbers of processes come again. Empty where that cannot be learnt. */
  readonly start: string;
  /** Boot and process namespace in which `pid` means something. */
  readonly where: string;
}

/** The right to write into a sweep's folder, as a file that one process makes. */
export class SweepLock {
  private readonly path: string;
  private readonly folder: string;
  private readonly text: string;
  private readonly timer: NodeJS.Timeout;

  private constructor(path: string, folder: string, text: string) {
    this.path = path;
    this.folder = folder;
    this.text = text;
    HELD.add(path);
    this.timer = setInterval(() => this.touch(), TOUCH_MS).unref();
  }

  /**
   * Takes the lock; that of a process which is gone does not count. For a lock of another machine (a folder in the network, a container, the time
   * before a restart) it takes ten seconds to see that nobody touches it.
   *
   * @throws UsageError where another process has it
   */
  static async take(path: string, folder: string, stillMs = STILL_MS): Promise<SweepLock> {
    const text = `${[process.pid, startOf(process.pid) ?? '', here(), randomBytes(8).toString('hex')].join('\n')}\n`;
    for (let attempt = 0; attempt < TRIES; attempt++) {
      if (makeWhole(path, text)) return new SweepLock(path, folder, text);
      const there = textOf(path);
      if (there === null) continue;
      if (await isHeld(path, there, stillMs)) {
        const [pid, , where] = there.split('\n');
        const who = where === here() || !where ? `process ${pid.slice(0, 20)}` : 'a process of another machine';
        throw new UsageError(`${folder}: ${who} is at this sweep`, 'two at once would spoil it: wait, or end that one');
      }
      removeIf(path, there);
    }
    throw new UsageError(`${folder}: another process has begun this sweep just now`);
  }

  /** @throws Error where somebody has taken it away: to go on would spoil what another writes */
  check(): void {
    if (textOf(this.path) === this.text) return;
    throw new UsageError(`${this.folder}: sweep.lock was taken away: another process may be at this sweep`);
  }

  give(): void {
    clearInterval(this.timer);
    HELD.delete(this.path);
    removeIf(this.path, this.text);
  }

  private touch(): void {
    try {
      const now = new Date();
      utimesSync(this.path, now, now);
    } catch {
      // Gone: `check` says so.
    }
  }
}

/** A file with all its text at once, where there is none: a reader never sees half of it. */
function makeWhole(path: string, text: string): boolean {
  const beside = temporary(path);
  try {
    writeFileSync(beside, text, { flag: 'wx' });
    linkSync(beside, path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // ENOENT: who has the lock has swept up.
    if (code === 'EEXIST' || code === 'ENOENT') return false;
    // File systems without links.
    if (code === 'EPERM' || code === 'ENOTSUP' || code === 'ENOSYS' || code === 'EOPNOTSUPP')
      return makeNew(path, text);
    throw error;
  } finally {
    rmSync(beside, { force: true });
  }
}

/** Named as `writeFileAtomic` names its files: what a kill leaves of them is known. */
function temporary(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`);
}

function makeNew(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Takes a lock away that has this text. One that another made in the meantime is put back. */
function removeIf(path: string, text: string): void {
  if (textOf(path) !== text) return;
  const away = temporary(path);
  try {
    renameSync(path, away);
    if (textOf(away) !== text) linkSync(away, path);
  } catch {
    // Somebody was faster.
  }
  rmSync(away, { force: true });
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'latin1').slice(0, MAX_BYTES);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    throw new UsageError(`${path}: cannot be read (${code})`, 'if no process is at this sweep, remove it');
  }
}

async function isHeld(path: string, text: string, stillMs: number): Promise<boolean> {
  const [number, start = '', where = ''] = text.split('\n');
  const holder: Holder = { pid: Number(number), start, where };
  if (Number.isInteger(holder.pid) && holder.pid > 0 && (where === '' || where === here()))
    return isAlive(path, holder);
  const before = touchedMs(path);
  await sleep(stillMs);
  return touchedMs(path) !== before || textOf(path) !== text;
}

function touchedMs(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? null;
}

function isAlive(path: string, { pid, start }: Holder): boolean {
  const now = startOf(pid);
  if (now !== null) return now !== '' && (start === '' || start === now);
  if (pid === process.pid) return HELD.has(path);
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** When a process began, in ticks since the machine did; empty where it is gone or only waits to be buried; null where this system does not tell. */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name may hold anything, so fields are counted from its end: state is the 3rd of all, starttime the 22nd.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? '' : fields[19];
  } catch {
    return process.platform === 'linux' ? '' : null;
  }
}

let place: string | null = null;

function here(): string {
  place ??= placeOfProcesses();
  return place;
}

function placeOfProcesses(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}
