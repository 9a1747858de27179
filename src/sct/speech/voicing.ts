import { FRAME, frameCount } from './mdct.ts';
import { SPEECH_RATE_HZ } from './speech.ts';

/** What a frame is, as its SFV's label says it. */
export const SPEECH_LABELS = ['silence', 'unvoiced', 'voiced'] as const;
export type SpeechLabel = 0 | 1 | 2;

/** Pitch of voices, Hz. */
const LOWEST_HZ = 70;
const HIGHEST_HZ = 400;
/** Normalised autocorrelation from which a frame is voiced. */
const VOICED_FROM = 0.5;
/** Every second sample is enough below 2 kHz. */
const STRIDE = 2;

/**
 * The largest normalised autocorrelation of each frame's two windows' samples at the lags of a voice's pitch,
 * r = sum x(n) x(n + lag) / sqrt(sum x(n)^2 sum x(n + lag)^2); [frame], 0 in silence.
 */
export function periodicity(samples: Float32Array): Float64Array {
  const shortest = Math.floor(SPEECH_RATE_HZ / HIGHEST_HZ);
  const longest = Math.ceil(SPEECH_RATE_HZ / LOWEST_HZ);
  const out = new Float64Array(frameCount(samples.length));
  for (let t = 0; t < out.length; t++) {
    const from = Math.max(0, (t - 1) * FRAME);
    const to = Math.min(samples.length, (t + 1) * FRAME);
    for (let lag = shortest; lag <= longest; lag += STRIDE) {
      let [cross, early, late] = [0, 0, 0];
      for (let n = from; n + lag < to; n += STRIDE) {
        cross += samples[n] * samples[n + lag];
        early += samples[n] ** 2;
        late += samples[n + lag] ** 2;
      }
      if (early > 0 && late > 0) out[t] = Math.max(out[t], cross / Math.sqrt(early * late));
    }
  }
  return out;
}

/** The label of a frame. */
export function frameLabel(active: number, periodic: number): SpeechLabel {
  if (!active) return 0;
  return periodic >= VOICED_FROM ? 2 : 1;
}
