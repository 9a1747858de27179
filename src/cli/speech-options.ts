import type { Command } from 'commander';
import { UsageError } from '../common/errors.ts';
import { parseQuantity } from '../common/units.ts';
import type { PhotoSource } from '../experiment/run/run-io.ts';
import type { SpeechWords } from '../experiment/speech/speech-words.ts';
import { photoSource } from './photo.ts';

/** What `sct speech` and `sct send` say about speech, as text. */
export interface SpeechFlags {
  readonly kind?: string;
  readonly priority?: string;
  readonly symbols?: string;
  readonly maxSpeechSfvs?: string;
}

/** @param beside where the WAV file goes beside a photo rather than the other way round */
export function addSpeechOptions(command: Command, beside?: 'beside a photo'): void {
  if (beside) command.option('--speech <wav>', 'speech that shares the budget of the photo');
  command
    .option('--kind <name>', 'of speech: analog (default) or coded (one file of bits, the reference)')
    .option('--priority <x>', 'importance of a bit of speech as a multiple of a bit of the photo (default 1)')
    .option('--symbols <n>', 'complex symbols of everything (default 0.25 a sample, and the photo by its own flags)')
    .option('--max-speech-sfvs <n>', 'most SFVs of speech (default 12)');
}

/** Flags that were given though there is no speech, for a message. */
function speechFlagsOf(flags: SpeechFlags): string[] {
  const { kind, priority, symbols, maxSpeechSfvs } = flags;
  const given = { '--kind': kind, '--priority': priority, '--symbols': symbols, '--max-speech-sfvs': maxSpeechSfvs };
  return Object.entries(given).flatMap(([flag, value]) => (value === undefined ? [] : [flag]));
}

/** What `sct send` and `sct link` are given to send. */
export interface SourceFlags extends SpeechFlags {
  readonly demo?: boolean;
  readonly speech?: string;
}

/**
 * A photo, speech, or both: a path that ends in .wav is speech.
 *
 * @param fromFile `photo` and `speech` of the config file
 * @throws UsageError where there is neither, and for words about speech without speech
 */
export async function spokenOrSeen(
  path: string | undefined,
  flags: SourceFlags,
  fromFile: { readonly photo?: unknown; readonly speech?: unknown },
): Promise<{ photo?: PhotoSource; speech?: SpeechWords }> {
  const { isSpeechPath } = await import('../experiment/speech/speech-file.ts');
  const alone = path !== undefined && isSpeechPath(path);
  if (alone && flags.speech !== undefined) throw new UsageError('two WAV files were given', 'give one of them');
  // A run that sent speech alone sends it again; a path says something else.
  const stored = path === undefined && !flags.demo ? pathInFile(fromFile.speech) : undefined;
  const wav = alone ? path : (flags.speech ?? stored);
  const photoless = alone || (path === undefined && wav !== undefined && fromFile.photo === undefined);
  const idle = wav === undefined ? speechFlagsOf(flags) : [];
  if (idle.length > 0) throw new UsageError(`${idle.join(', ')}: no speech is sent`, 'give a WAV file or --speech');
  const demo = flags.demo === true;
  return {
    ...(photoless && !demo ? {} : { photo: await photoSource(alone ? undefined : path, demo, fromFile.photo) }),
    ...(wav === undefined ? {} : { speech: await speechWords(wav, flags, fromFile.speech) }),
  };
}

/**
 * @param fromFile `speech` of the config file, as a run wrote it: what no flag says
 * @throws UsageError naming a flag that is no number or no kind
 */
export async function speechWords(path: string, given: SpeechFlags, fromFile?: unknown): Promise<SpeechWords> {
  const { speechKind } = await import('../experiment/speech/speech-words.ts');
  const { kind, priority, symbols, maxSpeechSfvs } = { ...flagsInFile(fromFile), ...given };
  return {
    path,
    ...(kind === undefined ? {} : { kind: speechKind(kind) }),
    ...number('priority', '--priority', priority),
    ...number('symbols', '--symbols', symbols),
    ...number('maxSfvs', '--max-speech-sfvs', maxSpeechSfvs),
  };
}

function pathInFile(value: unknown): string | undefined {
  const { path } = (value ?? {}) as { path?: unknown };
  return typeof path === 'string' ? path : undefined;
}

/** The same words as flags would say them. */
function flagsInFile(value: unknown): SpeechFlags {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null)
    throw new UsageError('speech in the config file is not what a run wrote');
  const { kind, priority, symbols, maxSfvs } = value as Record<string, unknown>;
  const said = { kind, priority, symbols, maxSpeechSfvs: maxSfvs };
  return Object.fromEntries(
    Object.entries(said).flatMap(([key, v]) => (v === undefined ? [] : [[key, String(v).slice(0, 40)]])),
  );
}

function number<K extends string>(key: K, flag: string, text: string | undefined): { [key in K]?: number } {
  return (text === undefined ? {} : { [key]: parseQuantity(flag, text) }) as { [key in K]?: number };
}
