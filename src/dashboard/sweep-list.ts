import { createReadStream, type Stats } from 'node:fs';
import { join } from 'node:path';
import { isFolder, isPlainName, namesIn, readJson, regularFile, type ServedFile, shared } from './folder-files.ts';
import { servedFile } from './run-list.ts';

/** Folders that are looked into, and entries that are listed, newest first. */
const MOST_FOLDERS = 5000;
const MOST_LISTED = 200;
/** Bytes of results that are counted for one list; what is beyond is counted for the next. */
const MOST_COUNTED = 1 << 26;
const PLAN = 'sweep.json';
const RESULTS = 'results.jsonl';
const FAILURES = 'failures.jsonl';
const LOCK = 'sweep.lock';
/** Whoever is at a sweep touches its lock more often, ms. */
const LOCK_AGE_MS = 30_000;
const REPORT = 'report.html';

/** A sweep, or a report of sweeps and runs that stands alone. */
export interface ListedSweep {
  /** Of its folder below that of runs. */
  readonly name: string;
  readonly kind: 'sweep' | 'report';
  readonly modifiedAt: string;
  /** As sweep.json has it, but `cut off` where it says `running` and nobody is at it; null where it does not say. */
  readonly state: string | null;
  readonly startedAt: string | null;
  readonly points: number | null;
  /** Points that have a result, and those that could not be measured; null where it is not known (results that are packed, or too long to be counted at once). */
  readonly measured: number | null;
  readonly failed: number | null;
  /** Name of the folder with its report (docs/report.md), which is its own or one in it; null where there is none. */
  readonly report: string | null;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Sweeps and reports in the folder of runs. Links are not followed. */
export class SweepList {
  readonly list: () => Promise<ListedSweep[]>;
  private readonly folder: string;
  private counted: ReadonlyMap<string, LineCount> = new Map();

  /** @param folder of runs */
  constructor(folder: string) {
    this.folder = folder;
    this.list = shared(() => this.look());
  }

  /** A file of a sweep or report, by the name of its folder; null where there is none. */
  async file(name: string, file: string): Promise<ServedFile | null> {
    const parts = name.split('/');
    if (parts.length > 2 || !parts.every(isPlainName)) return null;
    for (let depth = 1; depth <= parts.length; depth++) {
      if (!(await isFolder(join(this.folder, ...parts.slice(0, depth))))) return null;
    }
    const path = join(this.folder, ...parts);
    const isOurs = (await regularFile(join(path, PLAN))) ?? ((await hasReport(path)) ? true : null);
    return isOurs ? servedFile(path, file) : null;
  }

  private async look(): Promise<ListedSweep[]> {
    const found: ListedSweep[] = [];
    const counted = new Map<string, LineCount>();
    const uncounted: { bytes: number; count(): Promise<void> }[] = [];
    let room = MOST_COUNTED;
    const lines = (path: string, bytes: number, put: (lines: number | null) => void): void => {
      const before = this.counted.get(path);
      uncounted.push({
        bytes: bytes - (before?.bytes ?? 0),
        count: async () => {
          const count = await countLines(path, before, room);
          if (!count) return;
          room -= count.read;
          counted.set(path, count);
          put(count.whole ? count.lines : null);
        },
      });
    };
    for (const name of (await namesIn(this.folder)).slice(0, MOST_FOLDERS)) {
      const path = join(this.folder, name);
      if (!(await isFolder(path))) continue;
      const plan = await regularFile(join(path, PLAN));
      if (plan) {
        const results = await regularFile(join(path, RESULTS));
        const newest = Math.max(plan.mtimeMs, results?.mtimeMs ?? 0);
        const failures = await regularFile(join(path, FAILURES));
        const facts = planFacts(await readJson(join(path, PLAN)));
        const sweep: Writable<ListedSweep> = {
          name,
          kind: 'sweep',
          modifiedAt: new Date(newest).toISOString(),
          ...facts,
          state: facts.state === 'running' && !(await isLocked(path)) ? 'cut off' : facts.state,
          measured: null,
          failed: failures ? null : 0,
          report: await this.reportIn(name),
        };
        found.push(sweep);
        const count = (file: string, stats: Stats | null, what: 'measured' | 'failed') => {
          if (!stats) return;
          lines(join(path, file), stats.size, (n) => {
            sweep[what] = n;
          });
        };
        count(RESULTS, results, 'measured');
        count(FAILURES, failures, 'failed');
      } else if (await hasReport(path)) {
        const { mtimeMs } = (await regularFile(join(path, REPORT))) ?? { mtimeMs: 0 };
        found.push({
          name,
          kind: 'report',
          modifiedAt: new Date(mtimeMs).toISOString(),
          report: name,
          state: null,
          startedAt: null,
          points: null,
          measured: null,
          failed: null,
        });
      }
    }
    // Short ones first: one that is endless keeps none of the others from being counted.
    uncounted.sort((a, b) => a.bytes - b.bytes);
    for (const { count } of uncounted) await count();
    this.counted = counted;
    found.sort((a, b) => b.modifiedAt.localeCompare(a.modifiedAt) || (a.name < b.name ? -1 : 1));
    return found.slice(0, MOST_LISTED);
  }

  /** The newest report in a sweep's folder or in a folder in it. */
  private async reportIn(name: string): Promise<string | null> {
    const names = await namesIn(join(this.folder, name));
    let best: { name: string; writtenMs: number } | null = null;
    for (const below of ['', ...names.slice(0, 100)]) {
      const path = join(this.folder, name, below);
      if (!(await isFolder(path)) || !(await hasReport(path))) continue;
      const writtenMs = (await regularFile(join(path, REPORT)))?.mtimeMs ?? 0;
      if (!best || writtenMs > best.writtenMs) best = { name: below === '' ? name : `${name}/${below}`, writtenMs };
    }
    return best?.name ?? null;
  }
}

/** What `sct report -o` writes, and no run: those have a report of their own. */
async function hasReport(path: string): Promise<boolean> {
  const of = (file: string) => regularFile(join(path, file));
  return (await of(REPORT)) !== null && (await of('report.json')) !== null && (await of('run.json')) === null;
}

async function isLocked(path: string): Promise<boolean> {
  const lock = await regularFile(join(path, LOCK));
  return lock !== null && Date.now() - lock.mtimeMs < LOCK_AGE_MS;
}

/** What a list says of a plan, which may hold anything. */
function planFacts(json: unknown): Pick<ListedSweep, 'state' | 'startedAt' | 'points'> {
  const { state, startedAt, points } = (json ?? {}) as Record<string, unknown>;
  const word = (value: unknown) => (typeof value === 'string' ? value.slice(0, 40) : null);
  return {
    state: word(state),
    startedAt: word(startedAt),
    points: typeof points === 'number' && Number.isSafeInteger(points) && points >= 0 ? points : null,
  };
}

interface LineCount {
  /** Bytes that were counted, and the ends of lines in them. */
  readonly bytes: number;
  readonly lines: number;
  /** All there were. */
  readonly whole: boolean;
  /** Bytes that were read for it this time. */
  readonly read: number;
}

/** Ends of lines in a file that grows: of what was counted before only what has come since is read. Null where there is no file. */
async function countLines(path: string, before: LineCount | undefined, room: number): Promise<LineCount | null> {
  const file = await regularFile(path);
  if (!file) return null;
  const from = before && before.bytes <= file.size ? before : { bytes: 0, lines: 0 };
  const end = Math.min(file.size, from.bytes + room);
  let { lines } = from;
  if (end > from.bytes) {
    try {
      const chunks = createReadStream(path, { start: from.bytes, end: end - 1, highWaterMark: 1 << 20 });
      for await (const chunk of chunks as AsyncIterable<Buffer>) {
        for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines++;
      }
    } catch {
      return null; // gone meanwhile, or not to be read
    }
  }
  return { bytes: end, lines, whole: end === file.size, read: end - from.bytes };
}
