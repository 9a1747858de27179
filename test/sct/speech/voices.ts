import { RandomStream } from '../../../src/common/random.ts';
import { SPEECH_RATE_HZ, type Speech, speechOf } from '../../../src/sct/speech/speech.ts';

/** Formants of five vowels, Hz [Peterson and Barney's averages of men, rounded]. */
const VOWELS = [
  [730, 1090, 2440],
  [270, 2290, 3010],
  [300, 870, 2240],
  [530, 1840, 2480],
  [570, 840, 2410],
] as const;

/**
 * Speech made of vowels (harmonics of a gliding pitch under three formants), fricatives (noise in a band) and pauses; the same for the
 * same seed. It is no voice, but has what the codec looks at: pitch, formants, noise, silence, syllables.
 */
export function utterance(seconds: number, seed: number | string = 1): Speech {
  const random = new RandomStream(seed).fork('utterance');
  const samples = new Float32Array(Math.round(seconds * SPEECH_RATE_HZ));
  let at = Math.round(0.05 * SPEECH_RATE_HZ);
  for (let syllable = 0; at < samples.length; syllable++) {
    if (syllable % 5 === 4) at += Math.round(0.15 * SPEECH_RATE_HZ);
    at = fricative(samples, at, Math.round(random.between(0.05, 0.1) * SPEECH_RATE_HZ), random);
    at = vowel(samples, at, Math.round(random.between(0.12, 0.22) * SPEECH_RATE_HZ), random);
  }
  // Something of a room, so that pauses are quiet and not digital silence.
  return speechOf(samples.map((v) => v + 1e-4 * random.normal()));
}

function envelope(n: number, length: number): number {
  const edge = Math.min(160, length / 4);
  return Math.min(1, n / edge, (length - n) / edge);
}

function vowel(out: Float32Array, at: number, length: number, random: RandomStream): number {
  const formants = VOWELS[random.integer(VOWELS.length)];
  const pitch = random.between(95, 150);
  const glide = random.between(-25, 25);
  const level = random.between(0.05, 0.12);
  let phase = 0;
  for (let n = 0; n < length && at + n < out.length; n++) {
    const f0 = pitch + (glide * n) / length;
    phase += (2 * Math.PI * f0) / SPEECH_RATE_HZ;
    let sum = 0;
    for (let h = 1; h * f0 < 5000; h++) {
      let gain = 0;
      formants.forEach((f, i) => {
        gain += 0.6 ** i / (1 + ((h * f0 - f) / 80) ** 2);
      });
      sum += (gain + 0.01) * Math.sin(h * phase);
    }
    out[at + n] += level * envelope(n, length) * sum;
  }
  return at + length;
}

function fricative(out: Float32Array, at: number, length: number, random: RandomStream): number {
  const level = random.between(0.01, 0.03);
  let [before, last] = [0, 0];
  for (let n = 0; n < length && at + n < out.length; n++) {
    const x = random.normal();
    // Differences twice: noise that rises with frequency.
    const y = x - 1.2 * before + 0.5 * last;
    [last, before] = [before, x];
    out[at + n] += level * envelope(n, length) * y;
  }
  return at + length;
}
