import { createReadStream, type ReadStream } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** Longest JSON file that is read, bytes. */
const MOST_JSON_BYTES = 1 << 24;
/** Runs and captures that are listed, newest first. */
const MOST_LISTED = 500;
/** Files of a run that a page may fetch, by the end of their names, and what they are served as. */
const SERVED: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.json': 'application/json',
  '.jsonl': 'application/x-ndjson',
  '.yaml': 'text/plain; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.sigmf-meta': 'application/json',
};

export interface ListedRun {
  readonly name: string;
  readonly modifiedAt: string;
  readonly manifest: unknown;
  readonly metrics: unknown;
}

export interface ListedCapture {
  readonly name: string;
  readonly modifiedAt: string;
  readonly bytes: number;
  readonly meta: unknown;
}

/** Run directories in one folder, by name. Names come from requests: only what the folder lists itself is opened, links are not followed. */
export class RunList {
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Newest first, without metrics. */
  async list(): Promise<Omit<ListedRun, 'metrics'>[]> {
    const found: { name: string; modifiedMs: number }[] = [];
    for (const name of await namesIn(this.folder)) {
      const file = await regularFile(join(this.folder, name, 'run.json'));
      if (file) found.push({ name, modifiedMs: file.mtimeMs });
    }
    found.sort((a, b) => b.modifiedMs - a.modifiedMs || (a.name < b.name ? 1 : -1));
    return Promise.all(
      found.slice(0, MOST_LISTED).map(async ({ name, modifiedMs }) => ({
        name,
        modifiedAt: new Date(modifiedMs).toISOString(),
        manifest: await readJson(join(this.folder, name, 'run.json')),
      })),
    );
  }

  /** One run; null where there is none of this name. */
  async run(name: string): Promise<ListedRun | null> {
    const path = await this.pathOf(name);
    const file = path && (await regularFile(join(path, 'run.json')));
    if (!path || !file) return null;
    return {
      name,
      modifiedAt: new Date(file.mtimeMs).toISOString(),
      manifest: await readJson(join(path, 'run.json')),
      metrics: await readJson(join(path, 'metrics.json')),
    };
  }

  /** A file of a run to read, and its media type; null where there is none, or none that is served. */
  async file(name: string, file: string): Promise<{ type: string; bytes: number; open(): ReadStream } | null> {
    const end = Object.keys(SERVED).find((suffix) => file.endsWith(suffix));
    const path = await this.pathOf(name);
    if (!end || !path || !(await namesIn(path)).includes(file)) return null;
    const facts = await regularFile(join(path, file));
    if (!facts) return null;
    return { type: SERVED[end], bytes: facts.size, open: () => createReadStream(join(path, file)) };
  }

  /** Directory of a run that exists; null for anything else. */
  async pathOf(name: string): Promise<string | null> {
    return (await namesIn(this.folder)).includes(name) ? join(this.folder, name) : null;
  }
}

/** Recordings in some folders. */
export async function listCaptures(folders: readonly string[]): Promise<ListedCapture[]> {
  const out: ListedCapture[] = [];
  for (const folder of folders) {
    for (const name of await namesIn(folder)) {
      if (!name.endsWith('.sigmf-meta') || out.length >= MOST_LISTED) continue;
      const base = name.slice(0, -'.sigmf-meta'.length);
      const meta = await regularFile(join(folder, name));
      const data = await regularFile(join(folder, `${base}.sigmf-data`));
      if (!meta || !data) continue;
      out.push({
        name: join(basename(folder), base),
        modifiedAt: new Date(meta.mtimeMs).toISOString(),
        bytes: data.size,
        meta: await readJson(join(folder, name)),
      });
    }
  }
  return out;
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

async function regularFile(path: string) {
  const facts = await lstat(path).catch(() => null);
  return facts?.isFile() ? facts : null;
}

/** A JSON file that may be half written, or anything else: null then. */
async function readJson(path: string): Promise<unknown> {
  const file = await open(path, 'r').catch(() => null);
  try {
    if (!file || (await file.stat()).size > MOST_JSON_BYTES) return null;
    return JSON.parse(await file.readFile('utf8'));
  } catch {
    return null;
  } finally {
    await file?.close();
  }
}
