import type { Command } from 'commander';
import { parseQuantity } from '../common/units.ts';
import type { SpeechWords } from '../experiment/speech/speech-words.ts';

/** What `sct speech` and `sct send` say about speech, as text. */
export interface SpeechFlags {
  readonly kind?: string;
  readonly priority?: string;
  readonly symbols?: string;
  readonly maxSpeechSfvs?: string;
}

export function addSpeechOptions(command: Command): void {
  command
    .option('--kind <name>', 'of speech: analog (default) or coded (one file of bits, the reference)')
    .option('--priority <x>', 'importance of a bit of speech as a multiple of a bit of the photo (default 1)')
    .option('--symbols <n>', 'complex symbols of everything (default 0.25 a sample, and the photo by its own flags)')
    .option('--max-speech-sfvs <n>', 'most SFVs of speech (default 12)');
}

/** Flags that were given though there is no speech, for a message. */
export function speechFlagsOf(flags: SpeechFlags): string[] {
  const { kind, priority, symbols, maxSpeechSfvs } = flags;
  const given = { '--kind': kind, '--priority': priority, '--symbols': symbols, '--max-speech-sfvs': maxSpeechSfvs };
  return Object.entries(given).flatMap(([flag, value]) => (value === undefined ? [] : [flag]));
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
