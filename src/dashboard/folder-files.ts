import { constants, type Stats } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';

/** Longest JSON file that is read, bytes. */
const MOST_JSON_BYTES = 1 << 24;

/** A file that may be sent to a page: a regular one, in a folder of ours, as it is listed there. */
export interface ServedFile {
  readonly path: string;
  readonly name: string;
  readonly bytes: number;
  /** Media type. */
  readonly type: string;
}

/** Names in a folder, hidden ones left out; none where it is not there. */
export async function namesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => !name.startsWith('.'));
}

/** Facts of a regular file; null for anything else, links included. */
export async function regularFile(path: string): Promise<Stats | null> {
  const facts = await lstat(path).catch(() => null);
  return facts?.isFile() ? facts : null;
}

/** Whether it is a folder, and no link to one. */
export async function isFolder(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null))?.isDirectory() === true;
}

/** Opening a pipe does not wait for who writes, links are not followed. */
const AS_IT_IS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/** A JSON file that may be half written, or anything else: null then. */
export async function readJson(path: string): Promise<unknown> {
  const file = await open(path, AS_IT_IS).catch(() => null);
  try {
    const facts = await file?.stat();
    if (!file || !facts?.isFile() || facts.size > MOST_JSON_BYTES) return null;
    return JSON.parse(await file.readFile('utf8'));
  } catch {
    return null;
  } finally {
    await file?.close();
  }
}

/** Whether a text from outside is a name in a folder and nothing more. */
export function isPlainName(name: string): boolean {
  return name.length > 0 && name.length <= 255 && !name.startsWith('.') && !/[\\/\0]/.test(name);
}

/** The same work for all who ask while it is under way. */
export function shared<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | null = null;
  return () => {
    running ??= work().finally(() => {
      running = null;
    });
    return running;
  };
}
