import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../common/errors.ts';

/** What `sct capture` takes for a recording, in its help. */
export const CAPTURE_HELP =
  'PATH with or without .sigmf-meta or .sigmf-data, an archive PATH.sigmf, or a folder with one recording in it';

const META = '.sigmf-meta';
/** Recordings of a folder that are named in an error. */
const MOST_NAMED = 8;

/**
 * The recording that the user names. A folder stands for the only recording in it; `x.sigmf` for the pair of files where there is no such
 * archive. UsageError for a folder with none or several.
 */
export function recordingNamed(path: string): string {
  if (path.endsWith('.sigmf') && !existsSync(path) && existsSync(`${path}-meta`)) return `${path}-meta`;
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return path;
  // A recording may be called as the folder that it lies beside.
  if (existsSync(`${path}${META}`)) return path;
  const names = readdirSync(path).flatMap((name) => (name.endsWith(META) ? [name.slice(0, -META.length)] : []));
  if (names.length === 1) return join(path, names[0]);
  const shown = names.sort().slice(0, MOST_NAMED);
  const named = shown.map((name) => join(path, name)).join(', ');
  throw new UsageError(
    `${path} is a folder with ${names.length === 0 ? 'no recording' : `${names.length} recordings`} in it`,
    names.length === 0 ? 'name a recording' : `name one: ${named}${names.length > shown.length ? ', …' : ''}`,
  );
}
