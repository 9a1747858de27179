import type { Command, Option } from 'commander';
import { UsageError } from '../../common/errors.ts';
import { parseRadioUri } from '../../radio/uri.ts';
import { capturePath, type JobPlaces, picturePath, recordingPath, runPath } from './job-places.ts';

/** Lists of the dashboard that a value may be taken from. */
export type ListName = 'pictures' | 'captures' | 'runs' | 'devices';

/**
 * Flags that a page may not give: the dashboard sets them itself, they make no sense from it, or they name networks, secrets and files of the
 * machine, which is for who sits at it.
 */
const OWN = new Set([
  ...['json', 'quiet', 'verbose', 'help', 'output', 'config', 'force'],
  ...['models', 'rx-models', 'pushed', 'lpips', 'judge', 'feedback-token', 'video'],
  // A spectrum of steps is no stream that could be shown as it comes.
  'sweep',
]);

/** What may stand without a flag. */
const SOURCES: Readonly<Record<string, readonly ListName[]>> = {
  loopback: ['pictures'],
  link: ['pictures'],
  replay: ['captures', 'runs'],
  stream: ['pictures'],
  monitor: ['devices'],
  spectrum: ['devices'],
};

/** Flags whose values stand in lists. */
const LISTED: Readonly<Record<string, readonly ListName[]>> = {
  known: ['pictures'],
  reference: ['pictures'],
  truth: ['pictures'],
  from: ['devices', 'captures'],
  to: ['devices'],
  tx: ['devices'],
  rx: ['devices'],
};

/** Flags without which a command does nothing. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  link: ['tx'],
  receive: ['from'],
  record: ['from'],
  stream: ['to'],
  watch: ['from'],
};

/** The options of a command that a page may give, in the order of --help. */
export function givable(command: Command): Option[] {
  return command.options.filter((option) => option.long && !OWN.has(nameOf(option)) && !option.hidden);
}

export function nameOf(option: Option): string {
  return option.long!.slice(2);
}

export function takesValue(option: Option): boolean {
  return option.required || option.optional;
}

export function listsOf(name: string): readonly ListName[] | null {
  return Object.hasOwn(LISTED, name) ? LISTED[name] : null;
}

export function sourceLists(command: Command): readonly ListName[] | null {
  return Object.hasOwn(SOURCES, command.name()) ? SOURCES[command.name()] : null;
}

export function needed(command: Command): readonly string[] {
  return Object.hasOwn(NEEDED, command.name()) ? NEEDED[command.name()] : [];
}

/**
 * What the command line is given for a value of a page: names become paths in the dashboard's folders.
 *
 * @throws UsageError naming the flag, where it names a file otherwise
 */
export function valueFor(name: string, value: string, places: JobPlaces): string {
  return about(name, () => {
    if (listsOf(name)?.includes('pictures')) return picturePath(places, value);
    if (value.startsWith('file:')) {
      if (name === 'from') return `file:${capturePath(places, value.slice('file:'.length))}`;
      throw new UsageError('recordings are written by record alone', 'name a board, or loopback');
    }
    if (name === 'channel' && value.startsWith('trace:')) {
      return `trace:${runPath(places, value.slice('trace:'.length))}`;
    }
    if (value.startsWith('onnx:')) {
      throw new UsageError('networks of your own are not given from a page', 'start sct on the machine itself');
    }
    return value;
  });
}

/** The same for what stands without a flag. */
export function sourceFor(command: Command, value: string, places: JobPlaces): string {
  const lists = sourceLists(command);
  if (!lists) throw new UsageError(`${command.name()} takes no "${value.slice(0, 40)}"`);
  if (lists.includes('devices')) return boardUri(value);
  return lists.includes('pictures') ? picturePath(places, value) : recordingPath(places, value);
}

/** A board alone: what is recorded is replayed. */
function boardUri(value: string): string {
  const { kind } = parseRadioUri(value);
  if (kind === 'file' || kind === 'loopback')
    throw new UsageError(`"${kind}" is no board`, 'for example hackrf or pluto:usb');
  return value;
}

/** What stands without a flag where a page names nothing: a video of all pictures, one after another; null: nothing. */
export function usualSource(command: Command, places: JobPlaces): string | null {
  return command.name() === 'stream' ? places.pictures : null;
}

function about<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`--${name}: ${error.message}`, error.hint);
    throw error;
  }
}
