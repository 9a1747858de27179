import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Curve } from './measurement.ts';
import type { BenchRow } from './row.ts';

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

/** What a finished measurement leaves behind. */
export interface StoredMeasurement {
  readonly schema: typeof SCHEMA;
  readonly key: string;
  readonly id: string;
  readonly cpuSeconds: number;
  readonly rows: readonly BenchRow[];
  readonly curves: readonly Curve[];
}

/** SHA-256 over names and contents of the code that decides the figures, as it runs (dist or src). */
export function sourceHash(): string {
  const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');
  const files = DECIDES.flatMap((name) => codeFiles(join(root, name)));
  const hash = createHash('sha256');
  for (const file of files.sort()) {
    hash.update(
      `${file
        .slice(root.length)
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

/** Code that decides figures: what stores, orders and shows them does not. */
function isCode(path: string): boolean {
  if (/\/bench\/modem\/(requirements|store|text)\.[jt]s$/.test(path.replaceAll('\\', '/'))) return false;
  return ['.js', '.ts', '.wasm'].includes(extname(path)) && !path.endsWith('.d.ts');
}

/**
 * A folder of finished measurements, one JSON each, made by several runs and processes. A measurement is claimed by a
 * file with the process's number while it is under way; claims of processes that are gone do not count.
 */
export class MeasurementStore {
  private readonly folder: string;
  private readonly key: string;

  /** @param key what must be the same for a stored measurement to be used */
  constructor(folder: string, key: string) {
    this.folder = join(folder, 'rows');
    this.key = key;
    mkdirSync(this.folder, { recursive: true });
  }

  /** The stored measurement, or null when there is none made by the same code. */
  load(id: string): StoredMeasurement | null {
    try {
      const stored = JSON.parse(readFileSync(this.path(id, 'json'), 'utf8')) as StoredMeasurement;
      return stored.schema === SCHEMA && stored.key === this.key && stored.id === id ? stored : null;
    } catch {
      return null; // none, or one that was written by something else
    }
  }

  save(id: string, measured: Omit<StoredMeasurement, 'schema' | 'key' | 'id'>): void {
    const stored: StoredMeasurement = { schema: SCHEMA, key: this.key, id, ...measured };
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
