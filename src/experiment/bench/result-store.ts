import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** What stands around every stored result. */
interface Envelope {
  readonly schema: string;
  readonly key: string;
  readonly id: string;
}

/**
 * A folder of finished measurements, one JSON each, made by several runs and processes. A measurement is claimed by a
 * file with the process's number while it is under way; claims of processes that are gone do not count.
 */
export class ResultStore<T extends object> {
  private readonly folder: string;
  private readonly schema: string;

  /** @param folder the bench's output folder; results lie in its `rows` */
  constructor(folder: string, schema: string) {
    this.folder = join(folder, 'rows');
    this.schema = schema;
    mkdirSync(this.folder, { recursive: true });
  }

  /** The stored result, or null when there is none made by the same code (`key`). */
  load(id: string, key: string): (T & Envelope) | null {
    try {
      const stored = JSON.parse(readFileSync(this.path(id, 'json'), 'utf8')) as T & Envelope;
      return stored.schema === this.schema && stored.key === key && stored.id === id ? stored : null;
    } catch {
      return null; // none, or one that was written by something else
    }
  }

  save(id: string, key: string, result: T): void {
    writeAtomically(this.path(id, 'json'), { schema: this.schema, key, id, ...result });
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

/**
 * SHA-256 over names and contents of code, as it runs (dist or src).
 *
 * @param names folders or modules under src, without ending; a name may be both
 * @param without files whose path (with `/`) matches are left out
 */
export function codeHash(names: readonly string[], without?: RegExp): string {
  const files = names.flatMap((name) => codeFiles(join(ROOT, name)));
  const counted = without ? files.filter((file) => !without.test(file.replaceAll('\\', '/'))) : files;
  const hash = createHash('sha256');
  for (const file of counted.sort()) {
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
