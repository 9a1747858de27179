import { UsageError } from '../../common/errors.ts';

/** The two files of a recording, and its base name. */
export interface CapturePaths {
  readonly base: string;
  readonly meta: string;
  readonly data: string;
}

const SUFFIX = /\.sigmf(-meta|-data)?$/;

/** `x`, `x.sigmf-meta` and `x.sigmf-data` all name the recording x. */
export function capturePaths(path: string): CapturePaths {
  const base = path.replace(SUFFIX, '');
  if (/(^|\/)\.{0,2}$/.test(base))
    throw new UsageError(`"${path}" does not name a capture`, 'give PATH or PATH.sigmf-meta');
  return { base, meta: `${base}.sigmf-meta`, data: `${base}.sigmf-data` };
}

/** True for a single-file archive `x.sigmf`. */
export function isArchivePath(path: string): boolean {
  return path.endsWith('.sigmf');
}
