import { inRange } from '../../common/errors.ts';
import { fftKernel } from '../../phy/kernels/fft/fft.ts';

/** Transform: 32 ms at 16 kHz; from one to the next a quarter of it. */
const WINDOW = 512;
const HOP = WINDOW / 4;
const MAX_COLUMNS = 800;
/** What is drawn below the loudest, dB. */
const RANGE_DB = 60;

/** Power of a sound over time and frequency, in a form that can be drawn. */
export interface Spectrogram {
  readonly rows: number;
  readonly columns: number;
  /** dB, a sine of full scale is 0; row 0 is the highest frequency; [row][column]. */
  readonly powerDb: Float32Array;
  readonly seconds: number;
  readonly topHz: number;
}

/**
 * Short-time spectrum with a Hann window w, P(k) = 4 |sum of w(n) x(n) exp(-2 pi i k n / N)|^2 / (sum of w)^2; windows are centred on multiples of the
 * hop, outside the sound are zeros; a column is the mean of the windows it spans.
 */
export function spectrogram(samples: Float32Array, rateHz: number): Spectrogram {
  inRange('rate', rateHz, 1, 1e9, 'Hz');
  const fft = fftKernel(WINDOW);
  const taps = Float32Array.from({ length: WINDOW }, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / WINDOW));
  const scale = 4 / taps.reduce((a, b) => a + b, 0) ** 2;
  const windows = Math.max(1, Math.ceil(samples.length / HOP));
  const columns = Math.min(MAX_COLUMNS, windows);
  const rows = WINDOW / 2;
  const power = new Float32Array(rows * columns);
  const block = new Float32Array(2 * WINDOW);
  for (let c = 0; c < columns; c++) {
    const [first, end] = [Math.floor((c * windows) / columns), Math.floor(((c + 1) * windows) / columns)];
    for (let t = first; t < end; t++) {
      block.fill(0);
      const from = t * HOP + HOP / 2 - WINDOW / 2;
      for (let n = Math.max(0, -from); n < WINDOW && from + n < samples.length; n++)
        block[2 * n] = taps[n] * samples[from + n];
      fft.forward(block, 0, block, 0);
      for (let k = 0; k < rows; k++) {
        const p = (block[2 * k] ** 2 + block[2 * k + 1] ** 2) * scale;
        power[(rows - 1 - k) * columns + c] += p / (end - first);
      }
    }
  }
  const powerDb = power.map((p) => 10 * Math.log10(Math.max(1e-20, p)));
  return { rows, columns, powerDb, seconds: samples.length / rateHz, topHz: rateHz / 2 };
}

/** Colours of one or several sounds on one scale: up to the loudest of them, in steps of 5 dB; null for silence. */
export function rangeOf(sounds: readonly Spectrogram[]): readonly [number, number] | null {
  let most = Number.NEGATIVE_INFINITY;
  for (const { powerDb } of sounds) for (const v of powerDb) most = Math.max(most, v);
  if (!(most > -190)) return null;
  const top = 5 * Math.ceil(most / 5);
  return [top - RANGE_DB, top];
}
