import { setImmediate } from 'node:timers/promises';
import type { Command } from 'commander';
import { ExitCode, UsageError } from '../../common/errors.ts';
import { parseQuantity } from '../../common/units.ts';
import type { Between, BoundsDocument } from '../../experiment/bounds/document.ts';
import { LARGEST, requireWhole, SMALLEST } from '../../experiment/bounds/limits.ts';
import type { MeasuredPoint } from '../../experiment/bounds/measured-points.ts';
import { type CliContext, outJson } from '../context.ts';
import { addCommonOptions, addOutputOption } from '../options.ts';
import { packageVersion } from '../version.ts';
import { shownCommand } from './shown-command.ts';

/** Flags as commander hands them on. */
export type Flags = Readonly<Record<string, string | undefined>>;

/** Longest list that a flag takes. */
const MAX_LIST = 4096;
/** Most SNRs of one command. */
const MAX_SNRS = 64;

/** What every bound has: -o, --json and the rest, and its examples. */
export function finishCommand(command: Command, examples: readonly string[]): Command {
  command.allowExcessArguments(false);
  addOutputOption(command, 'folder for bounds.json, bounds.csv, bounds.html and an SVG for each plot');
  return addCommonOptions(command).addHelpText('after', `\nExamples:\n${examples.map((e) => `  ${e}\n`).join('')}`);
}

export function addDistortionOptions(command: Command): Command {
  return command
    .option('--ds <d>', 'largest semantic distortion, above 0, or inf for no limit (default inf)')
    .option('--dx <d>', 'largest pixel distortion, above 0, or inf for no limit (default inf)');
}

export function addPointsOption(command: Command): Command {
  return command.option(
    '--points <path>',
    'measured points beside the curves: a CSV (label, snr_db, rate_bits, ds, dx, n, error), a run directory, or a folder of them',
  );
}

/** A number that must be given. */
export function needed(flags: Flags, key: string, name: string): number {
  const text = flags[key];
  if (text === undefined) throw new UsageError(`${name} is missing`);
  return parseQuantity(name, text);
}

/** A number, or `fallback` where it is not given. */
export function given<T>(flags: Flags, key: string, name: string, fallback: T, unit = ''): number | T {
  const text = flags[key];
  return text === undefined ? fallback : parseQuantity(name, text, unit);
}

/** --ds or --dx: a number or inf. Its range is checked where it is used. */
export function distortion(flags: Flags, key: 'ds' | 'dx'): number {
  const text = flags[key];
  if (text === undefined || text === 'inf') return Number.POSITIVE_INFINITY;
  const value = parseQuantity(`--${key}`, text);
  // No limit is a word, not a number that is too large.
  if (value === Number.POSITIVE_INFINITY) {
    throw new UsageError(
      `--${key} ${text.slice(0, 40)} is out of range: allowed ${SMALLEST} to ${LARGEST}, or inf for no constraint`,
    );
  }
  return value;
}

/** --seed: a whole number. */
export function seedOf(flags: Flags): number {
  return requireWhole('--seed', given(flags, 'seed', '--seed', 1), 0, 2 ** 32 - 1);
}

/** Numbers with commas between them; null where the flag is not given. `zero`: a word for the logarithm of nothing, which is -inf. */
export function numberList(flags: Flags, key: string, name: string, unit = '', zero?: string): number[] | null {
  const text = flags[key];
  if (text === undefined) return null;
  const words = text.split(',', MAX_LIST + 1);
  if (words.length > MAX_LIST)
    throw new UsageError(`${name} has more than ${MAX_LIST} elements: allowed 1 to ${MAX_LIST}`);
  return words.map((word) => (word.trim() === zero ? Number.NEGATIVE_INFINITY : parseQuantity(name, word, unit)));
}

/** --snr: SNRs of a complex symbol, dB. */
export function snrList(flags: Flags, fallback: readonly number[]): readonly number[] {
  const list = numberList(flags, 'snr', '--snr', 'dB') ?? fallback;
  if (list.length > MAX_SNRS) throw new UsageError(`--snr has ${list.length} elements: allowed 1 to ${MAX_SNRS}`);
  for (const db of list) {
    if (!(db >= -30 && db <= 60)) throw new UsageError(`--snr ${db} dB is out of range: allowed -30 to 60 dB`);
  }
  return list;
}

/** --snr where only one will do. */
export function oneSnr(flags: Flags): number {
  const [db, ...more] = snrList(flags, []);
  if (db === undefined) throw new UsageError('--snr is missing');
  if (more.length > 0) throw new UsageError('--snr takes one value here');
  return db;
}

/** One of the words allowed. */
export function oneOf<T extends string>(name: string, word: string, allowed: readonly T[]): T {
  const found = allowed.find((a) => a === word);
  if (found === undefined) throw new UsageError(`${name} "${word.slice(0, 40)}" is not one of ${allowed.join(', ')}`);
  return found;
}

/** Flags that only mean something with another choice. */
export function refuse(flags: Flags, keys: Readonly<Record<string, string>>, why: string): void {
  const found = Object.keys(keys).filter((key) => flags[key] !== undefined);
  if (found.length > 0) throw new UsageError(`${found.map((key) => keys[key]).join(', ')}: ${why}`);
}

export async function pointsOf(flags: Flags): Promise<readonly MeasuredPoint[]> {
  if (flags.points === undefined) return [];
  const { readPoints } = await import('../../experiment/bounds/measured-points.ts');
  return readPoints(flags.points);
}

/** Between two long steps: progress, a turn for Ctrl-C, and the end where it came. */
export function between(context: CliContext): Between {
  return async (what) => {
    context.progress.update(what);
    await setImmediate();
    context.signal.throwIfAborted();
  };
}

/** Prints the document, writes its files where -o is given, and ends. */
export async function show(
  context: CliContext,
  d: BoundsDocument,
  flags: Flags,
  done: (exitCode: number) => void,
): Promise<void> {
  const { documentJson, documentText } = await import('../../experiment/bounds/document.ts');
  const files =
    flags.output === undefined
      ? null
      : await (await import('../../experiment/bounds/page.ts')).writeDocument(
          flags.output,
          d,
          shownCommand(context.argv),
          `sct ${packageVersion()}`,
        );
  context.progress.done();
  if (context.json) outJson(context, { ...documentJson(d), ...(files ? { files } : {}) });
  else context.out(`${documentText(d)}${files ? `files in ${flags.output}\n` : ''}`);
  done(ExitCode.ok);
}
