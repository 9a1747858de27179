import { inRange, UsageError } from '../../common/errors.ts';

/** Frames of 20 ms; each is limited to what is heard as bad and as perfect, dB [Hansen98]. */
const FRAME_S = 0.02;
const LEAST_DB = -10;
const MOST_DB = 35;
/** Frames further below the loudest clean one are pauses, dB. */
const PAUSE_DB = 40;

/**
 * Segmental signal-to-noise ratio, dB [Hansen98]: the mean over frames with speech of 10 log10(sum x^2 / sum (x - y)^2), each within -10..35 dB.
 *
 * @returns null in silence
 * @throws UsageError for signals of different length
 */
export function segmentalSnrDb(clean: Float32Array, degraded: Float32Array, rateHz: number): number | null {
  if (clean.length !== degraded.length) {
    throw new UsageError(
      `segmental SNR of ${clean.length} and ${degraded.length} samples: allowed are signals of one length`,
    );
  }
  const length = Math.round(FRAME_S * inRange('rate', rateHz, 1e3, 1e6, 'Hz'));
  const frames: { signal: number; noise: number }[] = [];
  for (let from = 0; from + length <= clean.length; from += length) {
    let [signal, noise] = [0, 0];
    for (let n = from; n < from + length; n++) {
      signal += clean[n] ** 2;
      noise += (clean[n] - degraded[n]) ** 2;
    }
    frames.push({ signal, noise });
  }
  const loudest = frames.reduce((most, f) => Math.max(most, f.signal), 0);
  const spoken = frames.filter((f) => f.signal > 0 && f.signal >= loudest * 10 ** (-PAUSE_DB / 10));
  if (spoken.length === 0) return null;
  const sum = spoken.reduce((total, { signal, noise }) => {
    const db = noise === 0 ? MOST_DB : 10 * Math.log10(signal / noise);
    return total + Math.max(LEAST_DB, Math.min(MOST_DB, db));
  }, 0);
  return sum / spoken.length;
}
