import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { resample } from '../../src/sct/speech/resample.ts';
import { readWav, SPEECH_RATE_HZ, type Speech, speechOf } from '../../src/sct/speech/speech.ts';

/** The WAV files of a folder at 16 kHz, by name. */
export function speechFiles(folder: string): Speech[] {
  return readdirSync(folder)
    .filter((name) => name.toLowerCase().endsWith('.wav'))
    .sort()
    .map((name) => {
      const wav = readWav(readFileSync(join(folder, name)));
      return speechOf(resample(wav.samples, wav.rateHz, SPEECH_RATE_HZ));
    });
}

/** All of them one after the other. */
export function joined(sources: readonly Speech[]): Speech {
  const samples = new Float32Array(sources.reduce((sum, s) => sum + s.samples.length, 0));
  let at = 0;
  for (const s of sources) {
    samples.set(s.samples, at);
    at += s.samples.length;
  }
  return speechOf(samples);
}

export function secondsOf({ samples }: Speech): number {
  return samples.length / SPEECH_RATE_HZ;
}
