import { stat } from 'node:fs/promises';
import { UsageError } from '../common/errors.ts';
import type { PhotoSource } from '../experiment/run/run-io.ts';

/**
 * The picture or pictures a command was given: PHOTO, a folder, `--demo`, or `photo` of the config file.
 *
 * UsageError when there is none, more than one, or it is not there.
 */
export async function photoSource(path: string | undefined, demo: boolean, fromFile: unknown): Promise<PhotoSource> {
  if (path !== undefined && demo) throw new UsageError('PHOTO and --demo were both given', 'give one of them');
  if (demo) return { kind: 'demo' };
  const named = path ?? namedInFile(fromFile);
  if (named === undefined)
    throw new UsageError('no picture given', 'name a photo or a folder of photos, or give --demo');
  if (named === null) return { kind: 'demo' };
  const { listImages } = await import('../sct/image/list.ts');
  const files = await listImages(named);
  const folder = (await stat(named)).isDirectory();
  return folder ? { kind: 'folder', path: named, files } : { kind: 'file', path: named };
}

/** Path in a config file's `photo`: text, or what a run wrote there; null = the demo photo. */
function namedInFile(value: unknown): string | null | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string') return value;
  const { kind, path } = (value ?? {}) as { kind?: unknown; path?: unknown };
  if (kind === 'demo') return null;
  if (typeof path === 'string') return path;
  throw new UsageError('photo in the config file is neither a path nor a picture of a run');
}
