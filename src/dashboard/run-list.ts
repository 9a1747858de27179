import { join } from 'node:path';
import { isFolder, isPlainName, namesIn, readJson, regularFile, type ServedFile, shared } from './folder-files.ts';

/** Runs that are listed, newest first. */
const MOST_LISTED = 500;
/** Files of a run that a page may fetch, by the end of their names, and what they are served as. */
const SERVED: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.json': 'application/json',
  '.jsonl': 'application/x-ndjson',
  '.yaml': 'text/plain; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.csv': 'text/csv; charset=utf-8',
  '.sigmf-meta': 'application/json',
  '.sigmf-data': 'application/octet-stream',
};

export interface ListedRun {
  readonly name: string;
  /** What a replay of it is started with. */
  readonly source: string;
  readonly modifiedAt: string;
  readonly files: readonly string[];
  readonly manifest: unknown;
  readonly metrics: unknown;
}

/** Run directories in one folder, by name. Names come from requests: only what the folder holds itself is opened, links are not followed. */
export class RunList {
  /** Newest first, without files and metrics. */
  readonly list: () => Promise<Omit<ListedRun, 'metrics' | 'files'>[]>;
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
    this.list = shared(() => this.read());
  }

  /** One run; null where there is none of this name. */
  async run(name: string): Promise<ListedRun | null> {
    const path = await this.pathOf(name);
    const file = path && (await regularFile(join(path, 'run.json')));
    if (!path || !file) return null;
    return {
      ...facts(name, file.mtimeMs),
      files: (await namesIn(path)).filter(mediaType),
      manifest: await readJson(join(path, 'run.json')),
      metrics: await readJson(join(path, 'metrics.json')),
    };
  }

  /** A file of a run; null where there is none, or none that is served. */
  async file(name: string, file: string): Promise<ServedFile | null> {
    const path = await this.pathOf(name);
    return path === null ? null : servedFile(path, file);
  }

  private async read(): Promise<Omit<ListedRun, 'metrics' | 'files'>[]> {
    const found: { name: string; modifiedMs: number }[] = [];
    for (const name of await namesIn(this.folder)) {
      const file = await regularFile(join(this.folder, name, 'run.json'));
      if (file) found.push({ name, modifiedMs: file.mtimeMs });
    }
    found.sort((a, b) => b.modifiedMs - a.modifiedMs || (a.name < b.name ? 1 : -1));
    const out: Omit<ListedRun, 'metrics' | 'files'>[] = [];
    for (const { name, modifiedMs } of found.slice(0, MOST_LISTED)) {
      out.push({ ...facts(name, modifiedMs), manifest: await readJson(join(this.folder, name, 'run.json')) });
    }
    return out;
  }

  /** Directory of a run that exists; null for anything else. */
  private async pathOf(name: string): Promise<string | null> {
    const path = join(this.folder, name);
    return isPlainName(name) && (await isFolder(path)) ? path : null;
  }
}

/** A file of a folder that a page may fetch; null for others. */
export async function servedFile(folder: string, name: string): Promise<ServedFile | null> {
  const type = mediaType(name);
  const path = join(folder, name);
  const found = type && isPlainName(name) ? await regularFile(path) : null;
  return type && found ? { path, name, bytes: found.size, type } : null;
}

function mediaType(name: string): string | null {
  const end = Object.keys(SERVED).find((suffix) => name.endsWith(suffix));
  return end === undefined ? null : SERVED[end];
}

function facts(name: string, modifiedMs: number) {
  return { name, source: `runs/${name}`, modifiedAt: new Date(modifiedMs).toISOString() };
}
