import { createHash, randomBytes } from 'node:crypto';
import { access, open, readdir, rename, rm, stat, statfs, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { ExitCode, SctError } from '../../../common/errors.ts';
import { readTextFile } from '../../../common/json-input.ts';
import { makeFolder } from '../../../common/make-folder.ts';
import { decodeIndex, MAX_INDEX_BYTES, PART_BYTES, type StoredFile, type StoredInput } from './input-files.ts';

/** The index beside what was fetched: it is there once everything is, and was last touched when that was last used. */
export const INDEX_FILE = 'index.json';
/** Of the cache's disk, never filled. */
export const SPARE_BYTES = 2 ** 30;
/** What all inputs may take together unless the user says otherwise. */
export const MOST_BYTES = 10 * 2 ** 30;
/** What was used since stays, whatever the bound: a point of this or another worker may be about to read it, ms. */
const IN_USE_MS = 60_000;
/** The same input is touched, and the whole folder counted, no more often than so, ms. */
const TOUCH_MS = 10_000;
const COUNT_MS = 60_000;
/** What nobody has written to for so long was left behind by a worker that was killed, ms. */
const LEFT_MS = 3600e3;
const INPUT = /^input-[a-z-]{1,32}-[0-9a-f]{64}$/;
const BESIDE = /^\.[0-9a-f]{16}$/;

/** Where fetched files lie unless the user names another folder. */
export function defaultCache(): string {
  const home = process.env.XDG_CACHE_HOME;
  return join(home ? resolve(home) : join(homedir(), '.cache'), 'sct', 'sweep-inputs');
}

/** This machine cannot hold what a point reads: no fault of the point, another worker may. Exit code 3. */
export class CacheTrouble extends SctError {
  constructor(message: string) {
    super(message, ExitCode.device, 'delete old inputs there, or give another folder with --cache');
  }
}

export interface CacheBounds {
  readonly mostBytes: number;
  /** Of the folder's disk, never filled. */
  readonly spareBytes: number;
}

interface Entry {
  readonly place: string;
  readonly bytes: number;
  readonly usedMs: number;
}

/**
 * The folder of fetched inputs, which several workers of a machine may share: bounded, the least recently used go first. Nothing of it is needed: what
 * is gone is fetched again.
 */
export class CacheFolder {
  readonly path: string;
  private readonly bounds: CacheBounds;
  private readonly touchedMs = new Map<string, number>();
  private bytes = 0;
  private countedMs = Number.NEGATIVE_INFINITY;

  constructor(path: string, bounds: CacheBounds) {
    this.path = resolve(path);
    this.bounds = bounds;
  }

  /** A name for a folder in which something is made, or goes away. */
  beside(): string {
    return join(this.path, `.${randomBytes(8).toString('hex')}`);
  }

  /** Where the files of an index lie whole; null where there are none or somebody has been at them. */
  async whole(place: string): Promise<string | null> {
    try {
      const index = await indexOf(place);
      for (const file of index.files) {
        if (!(await isWhole(join(place, pathIn(index, file)), file))) return null;
      }
      return join(place, index.name);
    } catch {
      return null;
    }
  }

  /** Notes that it is used now. False where it is no longer there. */
  async touch(place: string): Promise<boolean> {
    const index = join(place, INDEX_FILE);
    const now = performance.now();
    try {
      if (now - (this.touchedMs.get(place) ?? Number.NEGATIVE_INFINITY) < TOUCH_MS) await access(index);
      else {
        const date = new Date();
        await utimes(index, date, date);
        this.touchedMs.set(place, now);
      }
      return true;
    } catch (error) {
      // A folder that may only be read is as good.
      return (error as NodeJS.ErrnoException).code !== 'ENOENT';
    }
  }

  /** Takes it away; never half of it is seen. */
  async remove(place: string): Promise<void> {
    const beside = this.beside();
    this.touchedMs.delete(place);
    await rename(place, beside).catch(() => undefined);
    await rm(beside, { recursive: true, force: true }).catch(() => undefined);
  }

  /** Deletes what was not used for longest until so many bytes more are within the bounds. CacheTrouble where the disk has no room for them. */
  async makeRoom(bytes: number, what: string): Promise<void> {
    await makeFolder(this.path);
    const { mostBytes, spareBytes } = this.bounds;
    const counted = performance.now() - this.countedMs < COUNT_MS;
    let free = await this.free();
    if (!counted || this.bytes + bytes > mostBytes || free - spareBytes < bytes) {
      const oldest = (await this.count()).filter(({ usedMs }) => Math.abs(Date.now() - usedMs) > IN_USE_MS);
      for (const { place, bytes: its } of oldest) {
        if (this.bytes + bytes <= mostBytes && free - spareBytes >= bytes) break;
        await this.remove(place);
        this.bytes -= its;
        free = await this.free();
      }
    }
    if (bytes > 0 && free - spareBytes < bytes) {
      const figures = `${bytes} bytes, of the disk's ${free} free ones ${spareBytes} stay so`;
      throw new CacheTrouble(`${what}: does not fit into ${this.path}: ${figures}`);
    }
    this.bytes += bytes;
  }

  /** Everything there, the least recently used first; what killed workers left behind goes. */
  private async count(): Promise<Entry[]> {
    const entries: Entry[] = [];
    for (const name of await readdir(this.path)) {
      const place = join(this.path, name);
      if (BESIDE.test(name)) await this.sweepUp(place);
      if (!INPUT.test(name)) continue;
      const index = await indexOf(place).catch(() => null);
      const usedMs = (await stat(join(place, INDEX_FILE)).catch(() => null))?.mtimeMs ?? 0;
      const bytes = index?.files.reduce((sum, file) => sum + file.bytes, 0) ?? 0;
      // From a time when the clock was ahead: nobody knows.
      entries.push({ place, bytes, usedMs: usedMs > Date.now() + IN_USE_MS ? 0 : usedMs });
    }
    this.bytes = entries.reduce((sum, { bytes }) => sum + bytes, 0);
    this.countedMs = performance.now();
    return entries.sort((a, b) => a.usedMs - b.usedMs);
  }

  private async sweepUp(beside: string): Promise<void> {
    const inside = await readdir(beside, { recursive: true }).catch(() => []);
    const times = await Promise.all(
      ['', ...inside].map((name) =>
        stat(join(beside, name)).then(
          ({ mtimeMs }) => mtimeMs,
          () => 0,
        ),
      ),
    );
    if (Date.now() - Math.max(...times) > LEFT_MS) await rm(beside, { recursive: true, force: true });
  }

  private async free(): Promise<number> {
    const disk = await statfs(this.path);
    return disk.bavail * disk.bsize;
  }
}

/** Where a file of an input lies under the input's own folder. */
export function pathIn({ kind, name }: StoredInput, { path }: StoredFile): string {
  return kind === 'file' ? name : join(name, ...path.split('/'));
}

async function indexOf(place: string): Promise<StoredInput> {
  return decodeIndex(Buffer.from(await readTextFile(join(place, INDEX_FILE), MAX_INDEX_BYTES)));
}

/** Whether a file on the disk is what its parts say. */
async function isWhole(path: string, { bytes, parts }: StoredFile): Promise<boolean> {
  const handle = await open(path, 'r');
  try {
    if ((await handle.stat()).size !== bytes) return false;
    const part = Buffer.allocUnsafe(Math.min(PART_BYTES, bytes));
    for (const [i, sha256] of parts.entries()) {
      const due = Math.min(PART_BYTES, bytes - i * PART_BYTES);
      const { bytesRead } = await handle.read(part, 0, due, i * PART_BYTES);
      if (createHash('sha256').update(part.subarray(0, bytesRead)).digest('hex') !== sha256) return false;
    }
    return true;
  } finally {
    await handle.close();
  }
}
