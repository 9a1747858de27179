import { lstatSync, realpathSync, type Stats } from 'node:fs';
import { join, sep } from 'node:path';
import { UsageError } from '../../common/errors.ts';
import { receivedCapture } from '../../experiment/receive/received-capture.ts';

/** Folders of the dashboard: what a page may name stands in them. Absolute paths. */
export interface JobPlaces {
  readonly runs: string;
  readonly captures: string;
  readonly pictures: string;
}

/** Folders below a folder of the dashboard that a name may go down. */
const MOST_FOLDERS = 3;
const MOST_NAME = 255;

/**
 * Path of a picture. A page names what it saw in a list: `NAME` or `pictures/NAME`.
 *
 * @throws UsageError where there is none of this name; a path that leads out of the folder, links included, is none
 */
export function picturePath(places: JobPlaces, name: string): string {
  const path = within(places.pictures, below('pictures', name));
  if (path && facts(path)?.isFile()) return path;
  throw new UsageError(`no picture "${shown(name)}"`, 'name one of the list of pictures, or add one to it');
}

/** What `sct replay` is given: a recording's base name, or a run's directory. `captures/NAME`, `runs/NAME`, or NAME, recordings first. */
export function recordingPath(places: JobPlaces, name: string): string {
  const inRuns = name.startsWith('runs/');
  const found = (inRuns ? null : capture(places, name)) ?? (name.startsWith('captures/') ? null : run(places, name));
  if (found) return found;
  throw new UsageError(`no recording or run "${shown(name)}"`, 'name one of the lists of runs and recordings');
}

/** Base name of a recording alone: what `file:` is given. */
export function capturePath(places: JobPlaces, name: string): string {
  const found = capture(places, name);
  if (!found) throw new UsageError(`no recording "${shown(name)}"`, 'name one of the list of recordings');
  return isRun(found) ? receivedCapture(found) : found;
}

/** Directory of a run: what `trace:` is given. */
export function runPath(places: JobPlaces, name: string): string {
  const found = run(places, name) ?? capture(places, name);
  if (found && isRun(found)) return found;
  throw new UsageError(`no run "${shown(name)}"`, 'name one of the list of runs');
}

function capture(places: JobPlaces, name: string): string | null {
  const text = below('captures', name).replace(/\.sigmf-(meta|data)$/, '');
  const meta = within(places.captures, `${text}.sigmf-meta`);
  if (meta && facts(meta)?.isFile()) return meta.slice(0, -'.sigmf-meta'.length);
  const folder = within(places.captures, text);
  return folder && isRun(folder) && facts(`${receivedCapture(folder)}.sigmf-meta`)?.isFile() ? folder : null;
}

function run(places: JobPlaces, name: string): string | null {
  const folder = within(places.runs, below('runs', name));
  return folder && isRun(folder) ? folder : null;
}

function isRun(folder: string): boolean {
  return facts(folder)?.isDirectory() === true && facts(join(folder, 'run.json'))?.isFile() === true;
}

function below(place: string, name: string): string {
  return name.startsWith(`${place}/`) ? name.slice(place.length + 1) : name;
}

/** Path of a name in a folder; null where it would lead out of it, or nothing is there. */
function within(folder: string, name: string): string | null {
  const parts = name.split('/');
  if (parts.length > MOST_FOLDERS || parts.some((part) => !isName(part))) return null;
  try {
    const path = join(folder, ...parts);
    return realpathSync(path) === join(realpathSync(folder), ...parts) ? path : null;
  } catch {
    return null;
  }
}

/** A plain name of a file: no way up, nothing hidden, nothing that another system would take apart. */
function isName(part: string): boolean {
  return part.length > 0 && part.length <= MOST_NAME && !part.startsWith('.') && !/[\\/\0]/.test(part) && part !== sep;
}

function facts(path: string): Stats | null {
  return lstatSync(path, { throwIfNoEntry: false }) ?? null;
}

function shown(name: string): string {
  return name.slice(0, 80);
}
