import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Curve } from './measurement.ts';
import type { BenchRow, ModemPart } from './row.ts';

const SCHEMA = 'sct.bench.modem-row/1';
/** Of the program's rooms, what decides the figures. */
const DECIDES = [
  'common',
  'phy',
  'link/transport',
  'link/resource-map',
  'experiment/stats',
  'experiment/distributions',
  'experiment/bench/modem',
  'experiment/bench/modem-genie',
  'experiment/bench/modem-trial',
  'experiment/bench/ldpc-simulation',
] as const;

/** Files of this folder that decide only the figures of these parts. */
const OF_PARTS: Readonly<Partial<Record<ModemPart, string>>> = {
  'false-headers': 'false-headers',
  'no-gap': 'false-headers',
  offsets: 'offsets',
  dc: 'faults',
  faults: 'faults',
  'rb-snr': 'rb-snr',
  jammer: 'rb-snr',
  channels: 'channels',
};
const NOT_COMMON = new RegExp(`/bench/modem/(requirements|store|text|${Object.values(OF_PARTS).join('|')})\\.[jt]s$`);

/** What a finished measurement leaves behind. */
export interface StoredMeasurement {
  readonly schema: typeof SCHEMA;
  readonly key: string;
  readonly id: string;
  readonly cpuSeconds: number;
  readonly rows: readonly BenchRow[];
  readonly curves: readonly Curve[];
}

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../../..');

/** SHA-256 over names and contents of the code that decides the figures of every part, as it runs (dist or src). */
export function sourceHash(): string {
  const files = DECIDES.flatMap((name) => codeFiles(join(ROOT, name)));
  return hashOf(files.filter((file) => !NOT_COMMON.test(file.replaceAll('\\', '/'))));
}

/** The same over the file that decides only this part's. */
export function partHash(part: ModemPart): string {
  const name = OF_PARTS[part];
  return hashOf(name === undefined ? [] : codeFiles(join(ROOT, 'experiment/bench/modem', name)));
}

function hashOf(files: string[]): string {
  const hash = createHash('sha256');
  for (const file of files.sort()) {
    hash.update(
      `${file
        .slice(ROOT.length)
        .replaceAll('\\', '/')
        .replace(/\.[jt]s$/, '')}\0`,
    );
    hash.update(readFileSync(file));
  }
  return hash.digest('hex');
}

/** Code under a folder, or of a module, or both. */
function codeFiles(path: string): string[] {
  const folder = dirname(path);
  const word = path.slice(folder.length + 1);
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.name === word || entry.name.startsWith(`${word}.`))
    .flatMap((entry) => {
      const full = join(folder, entry.name);
      if (entry.isDirectory()) return readdirSync(full).flatMap((child) => treeFiles(join(full, child)));
      return isCode(full) ? [full] : [];
    });
}

function treeFiles(path: string): string[] {
  if (!statSync(path).isDirectory()) return isCode(path) ? [path] : [];
  return readdirSync(path).flatMap((child) => treeFiles(join(path, child)));
}

function isCode(path: string): boolean {
  return ['.js', '.ts', '.wasm'].includes(extname(path)) && !path.endsWith('.d.ts');
}

/**
 * A folder of finished measurements, one JSON each, made by several runs and processes. A measurement is claimed by a
 * file with the process's number while it is under way; claims of processes that are gone do not count.
 */
export class MeasurementStore {
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = join(folder, 'rows');
    mkdirSync(this.folder, { recursive: true });
  }

  /** The stored measurement, or null when there is none made by the same code (`key`). */
  load(id: string, key: string): StoredMeasurement | null {
    try {
      const stored = JSON.parse(readFileSync(this.path(id, 'json'), 'utf8')) as StoredMeasurement;
      return stored.schema === SCHEMA && stored.key === key && stored.id === id ? stored : null;
    } catch {
      return null; // none, or one that was written by something else
    }
  }

  save(id: string, key: string, measured: Omit<StoredMeasurement, 'schema' | 'key' | 'id'>): void {
    const stored: StoredMeasurement = { schema: SCHEMA, key, id, ...measured };
    writeAtomically(this.path(id, 'json'), stored);
  }

  /** False when another living process is at it. */
  claim(id: string): boolean {
    const path = this.path(id, 'claim');
    for (let attempt = 0; attempt < 2; attempt++) {
      try {
        writeFileSync(path, String(process.pid), { flag: 'wx' });
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      if (claimed(path)) return false;
      rmSync(path, { force: true });
    }
    return false;
  }

  release(id: string): void {
    rmSync(this.path(id, 'claim'), { force: true });
  }

  private path(id: string, ending: string): string {
    return join(this.folder, `${id}.${ending}`);
  }
}

function claimed(path: string): boolean {
  if (!existsSync(path)) return false;
  const pid = Number(readFileSync(path, 'utf8'));
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The whole file or none of it. */
export function writeAtomically(path: string, value: unknown): void {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(value, null, 1)}\n`);
  renameSync(draft, path);
}
