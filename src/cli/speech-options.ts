import type { Command } from 'commander';
import { UsageError } from '../common/errors.ts';
import { parseQuantity } from '../common/units.ts';
import type { PhotoSource } from '../experiment/run-io.ts';
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
 * @param fromFile `photo` of the config file
 * @throws UsageError where there is neither, and for words about speech without speech
 */
export async function spokenOrSeen(
  path: string | undefined,
  flags: SourceFlags,
  fromFile: unknown,
): Promise<{ photo?: PhotoSource; speech?: SpeechWords }> {
  const { isSpeechPath } = await import('../experiment/speech/speech-file.ts');
  const alone = path !== undefined && isSpeechPath(path);
  if (alone && flags.speech !== undefined) throw new UsageError('two WAV files were given', 'give one of them');
  const wav = alone ? path : flags.speech;
  const idle = wav === undefined ? speechFlagsOf(flags) : [];
  if (idle.length > 0) throw new UsageError(`${idle.join(', ')}: no speech is sent`, 'give a WAV file or --speech');
  const demo = flags.demo === true;
  return {
    ...(alone && !demo ? {} : { photo: await photoSource(alone ? undefined : path, demo, fromFile) }),
    ...(wav === undefined ? {} : { speech: await speechWords(wav, flags) }),
  };
}

/** @throws UsageError naming a flag that is no number or no kind */
export async function speechWords(path: string, flags: SpeechFlags): Promise<SpeechWords> {
  const { speechKind } = await import('../experiment/speech/speech-words.ts');
  const { kind, priority, symbols, maxSpeechSfvs } = flags;
  return {
    path,
    ...(kind === undefined ? {} : { kind: speechKind(kind) }),
    ...number('priority', '--priority', priority),
    ...number('symbols', '--symbols', symbols),
    ...number('maxSfvs', '--max-speech-sfvs', maxSpeechSfvs),
  };
}

function number<K extends string>(key: K, flag: string, text: string | undefined): { [key in K]?: number } {
  return (text === undefined ? {} : { [key]: parseQuantity(flag, text) }) as { [key in K]?: number };
}
