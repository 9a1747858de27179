import { UsageError } from '../../common/errors.ts';
import type { SpeechSfvOutcome } from '../../sct/speech/speech-decoder.ts';
import type { SpeechKind } from '../../sct/speech/speech-side.ts';

/** How speech is sent, in the words of the command line. */
export interface SpeechWords {
  readonly path: string;
  /** Default analog. */
  readonly kind?: SpeechKind | undefined;
  /** Importance of a bit of speech as a multiple of a bit of the picture's; default 1. */
  readonly priority?: number | undefined;
  /** Most SFVs of speech; default 12. */
  readonly maxSfvs?: number | undefined;
  /** Complex symbols of everything; default 0.25 for a sample of speech and the configuration's for a pixel. */
  readonly symbols?: number | undefined;
}

/** UsageError unless the words are a kind of speech codec. */
export function speechKind(word: string): SpeechKind {
  if (word === 'analog' || word === 'coded') return word;
  throw new UsageError(`--kind "${word.slice(0, 40)}" is not one of analog, coded`);
}

/** The state of a stretch; one that got no symbols was not lost on the way. */
export function stateText({ sent, state }: Pick<SpeechSfvOutcome, 'sent' | 'state'>): string {
  return !sent && state === 'lost' ? 'not sent' : state;
}
