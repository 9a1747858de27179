import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { UsageError } from '../../common/errors.ts';

const EXTENSIONS = new Set(['.png', '.jpg', '.jpeg', '.webp', '.avif', '.tif', '.tiff', '.gif']);

/** Most pictures taken from one folder. */
export const MAX_LISTED = 100_000;

/**
 * The pictures a path stands for: the file itself, or the picture files of a folder (not of its subfolders, no hidden
 * files), sorted by name in code-point order so that every machine gets the same order.
 *
 * @throws UsageError when the path does not exist, or the folder holds no picture
 */
export async function listImages(path: string): Promise<string[]> {
  let folder: boolean;
  try {
    folder = (await stat(path)).isDirectory();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new UsageError(`${path}: ${code === 'ENOENT' ? 'no such file or folder' : `cannot be read (${code})`}`);
  }
  if (!folder) return [path];
  const names = (await readdir(path, { withFileTypes: true }))
    .filter((e) => !e.isDirectory() && !e.name.startsWith('.') && EXTENSIONS.has(extname(e.name).toLowerCase()))
    .map((e) => e.name)
    .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  if (names.length === 0) {
    throw new UsageError(`${path} holds no picture: allowed ${[...EXTENSIONS].join(', ')}`);
  }
  if (names.length > MAX_LISTED) {
    throw new UsageError(`${path} holds ${names.length} pictures: allowed 1 to ${MAX_LISTED}`);
  }
  return names.map((name) => join(path, name));
}
