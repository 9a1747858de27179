import { constants } from 'node:fs';
import { access, mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { UsageError } from './errors.ts';

/**
 * Makes a folder and the folders above it that are missing. One mkdir a level: `mkdir` with `recursive` never returns, and
 * eats the memory, where a file system that takes no folders (/proc) says that the parent is missing though it is there.
 *
 * @returns the absolute path
 * @throws the error of mkdir or stat, with its code; ENOTDIR when the path is there and no folder
 */
export async function makeFolder(folder: string): Promise<string> {
  const path = resolve(folder);
  const info = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (info?.isDirectory()) return path;
  if (info) throw Object.assign(new Error(`${path} is no folder`), { code: 'ENOTDIR' });
  if (dirname(path) !== path) await makeFolder(dirname(path));
  await mkdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error; // made meanwhile
  });
  return path;
}

/** `makeFolder`, for a folder that a user names to write to; UsageError naming it where it cannot be made or written to. */
export async function writableFolder(folder: string): Promise<string> {
  try {
    const path = await makeFolder(folder);
    await access(path, constants.W_OK);
    return path;
  } catch (error) {
    throw new UsageError(`${folder}: cannot be used as a folder (${(error as NodeJS.ErrnoException).code ?? 'error'})`);
  }
}
