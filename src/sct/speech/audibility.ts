import { BAND_IMPORTANCE, BANDS, bandWidth } from './bands.ts';

/** Speech carries its information within 15 dB of its long-term level (ANSI S3.5-1997 §5.9). */
const HALF_RANGE_DB = 15;
/** Bands that are further below the loudest one hold nothing of speech (a source of narrower band), dB. */
const FLOOR_DB = -60;
/** Frames further below the loudest one are pauses, dB: as STOI removes them. */
const PAUSE_DB = -40;

/** What matters in speech, by the Speech Intelligibility Index. */
export interface Audibility {
  /** Sum over bands of importance x audibility, 0 to 1; [frame]. */
  readonly importance: Float64Array;
  /** False in pauses; [frame]. */
  readonly active: Uint8Array;
  /** Bits above what matters: sum over coefficients of 1/2 log2(1 + power / threshold). */
  readonly contentBits: number;
}

/**
 * A(frame, band) = (L - Lmean + 15 dB) / 30 dB within 0..1, L the level of the band in this frame, Lmean its mean power over frames
 * that are no pauses; importance = sum of I A. Silence has none.
 *
 * @param powers [frame][band], mean power of a coefficient
 */
export function audibility(powers: Float64Array): Audibility {
  const frames = powers.length / BANDS;
  const energy = Float64Array.from({ length: frames }, (_, t) => {
    let sum = 0;
    for (let b = 0; b < BANDS; b++) sum += powers[t * BANDS + b] * bandWidth(b);
    return sum;
  });
  const loudest = energy.reduce((a, b) => Math.max(a, b), 0);
  const active = Uint8Array.from(energy, (e) => (e > 0 && e >= loudest * 10 ** (PAUSE_DB / 10) ? 1 : 0));
  const count = active.reduce((a, b) => a + b, 0);
  const importance = new Float64Array(frames);
  if (count === 0) return { importance, active, contentBits: 0 };

  const mean = new Float64Array(BANDS);
  for (let t = 0; t < frames; t++) {
    if (active[t]) for (let b = 0; b < BANDS; b++) mean[b] += powers[t * BANDS + b] / count;
  }
  const floor = mean.reduce((a, b) => Math.max(a, b), 0) * 10 ** (FLOOR_DB / 10);
  let contentBits = 0;
  for (let b = 0; b < BANDS; b++) {
    const level = Math.max(mean[b], floor);
    const threshold = level * 10 ** (-HALF_RANGE_DB / 10);
    for (let t = 0; t < frames; t++) {
      const power = powers[t * BANDS + b];
      if (power <= 0) continue;
      const above = (10 * Math.log10(power / level) + HALF_RANGE_DB) / (2 * HALF_RANGE_DB);
      importance[t] += BAND_IMPORTANCE[b] * Math.max(0, Math.min(1, above));
      contentBits += (bandWidth(b) / 2) * Math.log2(1 + power / threshold);
    }
  }
  return { importance, active, contentBits };
}
