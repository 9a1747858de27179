import { SPEECH_RATE_HZ, type Speech, writeWav } from '../../sct/speech/speech.ts';
import type { RunDirectory } from '../run/run-directory.ts';

/** Names that RUN_FILES repeats: this file is below it. */
const FILES = { source: 'source.wav', received: 'received.wav' } as const;

/** What is known of speech at a run's end: the original sample for sample, so that a replay judges by the same; what was heard for players. */
export async function writeSpeech(
  directory: RunDirectory,
  source: Speech | undefined,
  received: Speech | undefined,
): Promise<void> {
  if (source) await directory.write(FILES.source, writeWav({ rateHz: SPEECH_RATE_HZ, ...source }, true));
  if (received) await directory.write(FILES.received, wavOf(received));
}

/** 16-bit WAV of speech. */
export function wavOf(speech: Speech): Uint8Array {
  return writeWav({ rateHz: SPEECH_RATE_HZ, ...speech });
}
