import { inRange } from '../../common/errors.ts';
import { fftKernel } from '../../phy/kernels/fft/fft.ts';
import { percentile } from '../metrics/stats.ts';
import { encodeIndexedPng } from './svg/indexed-png.ts';
import { viridisTable } from './svg/palette.ts';

/** Range reader over a capture: fills out[0 .. 2 count) with samples [start, start + count), full scale = 1. */
export interface SampleSource {
  readonly length: number;
  read(start: number, count: number, out: Float32Array): void | Promise<void>;
}

export interface WaterfallOptions {
  rateHz: number;
  /** Frequency of the middle column; 0 for baseband. */
  centreHz?: number;
  /** Upper bound on rows (default 400, at most 2048); a short capture has fewer. */
  rows?: number;
  /** FFT size = columns, a power of two, 16 to 2048 (default 256). */
  columns?: number;
  /** A row shows the largest or the mean power of the transforms it spans. Default max: short bursts stay visible. */
  hold?: 'max' | 'mean';
  /** Fixed colour range, dBFS; default from the data (5th percentile to maximum, 20 to 80 dB wide). */
  rangeDb?: readonly [number, number];
  /** Bound on the work for long captures; the transforms are then spread evenly, with gaps. Default 60 000. */
  maxTransforms?: number;
}

/** Short-time power spectrum, quantised for drawing. */
export interface Waterfall {
  rows: number;
  columns: number;
  /** [row][column], 0 = rangeDb[0], 255 = rangeDb[1]; row 0 is the first, column 0 the lowest frequency. */
  levels: Uint8Array;
  rangeDb: readonly [number, number];
  /** Edges of the picture. */
  timeS: readonly [number, number];
  frequencyHz: readonly [number, number];
}

/** Interleaved samples in memory as a source. */
export function memorySource(reIm: Float32Array): SampleSource {
  return {
    length: reIm.length >> 1,
    read: (start, count, out) => out.set(reIm.subarray(2 * start, 2 * (start + count))),
  };
}

/**
 * Waterfall of a capture: Hann window w, hop as long as the window,
 * P[k] = |sum_n w[n] x[n] exp(-2 pi i k n / N)|^2 / (sum w)^2, so that a full-scale tone on a bin reads 0 dBFS.
 * Memory: rows x columns floats. Work: at most `maxTransforms` transforms.
 */
export async function computeWaterfall(source: SampleSource, options: WaterfallOptions): Promise<Waterfall> {
  const n = inRange('columns', options.columns ?? 256, 16, 2048);
  const maxRows = inRange('rows', options.rows ?? 400, 1, 2048);
  const rateHz = inRange('rateHz', options.rateHz, 1, 1e9, 'Hz');
  const windows = Math.floor(source.length / n);
  const rows = Math.max(1, Math.min(maxRows, windows));
  const budget = Math.max(1, Math.floor((options.maxTransforms ?? 60_000) / rows));
  const useMax = (options.hold ?? 'max') === 'max';
  const centre = options.centreHz ?? 0;

  const fft = fftKernel(n); // rejects what is no power of two
  const { taps, scale } = hann(n);
  const block = new Float32Array(2 * n);
  const power = new Float32Array(rows * n);
  for (let row = 0; row < rows && windows > 0; row++) {
    const first = Math.floor((row * windows) / rows);
    const count = Math.floor(((row + 1) * windows) / rows) - first;
    const used = Math.min(count, budget);
    for (let t = 0; t < used; t++) {
      const pending = source.read((first + Math.floor((t * count) / used)) * n, n, block);
      if (pending) await pending;
      for (let i = 0; i < n; i++) {
        block[2 * i] *= taps[i];
        block[2 * i + 1] *= taps[i];
      }
      fft.forward(block, 0, block, 0);
      for (let k = 0; k < n; k++) {
        const p = (block[2 * k] ** 2 + block[2 * k + 1] ** 2) * scale;
        const at = row * n + ((k + n / 2) & (n - 1));
        power[at] = useMax ? Math.max(power[at], p) : power[at] + p / used;
      }
    }
  }
  const db = power;
  for (let i = 0; i < db.length; i++) db[i] = 10 * Math.log10(Math.max(1e-15, db[i]));
  const rangeDb = options.rangeDb ?? automaticRange(db);
  const levels = new Uint8Array(db.length);
  const factor = 255 / (rangeDb[1] - rangeDb[0]);
  for (let i = 0; i < db.length; i++) levels[i] = Math.max(0, Math.min(255, Math.round((db[i] - rangeDb[0]) * factor)));
  return {
    rows,
    columns: n,
    levels,
    rangeDb,
    timeS: [0, (Math.max(1, windows) * n) / rateHz],
    frequencyHz: [centre - rateHz / 2, centre + rateHz / 2],
  };
}

function hann(n: number): { taps: Float32Array; scale: number } {
  const taps = new Float32Array(n);
  let sum = 0;
  for (let i = 0; i < n; i++) sum += taps[i] = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / n);
  return { taps, scale: 1 / (sum * sum) };
}

/** From the noise floor to the maximum, 20 to 80 dB wide, rounded to 5 dB. */
function automaticRange(db: Float32Array): readonly [number, number] {
  const stride = Math.max(1, Math.floor(db.length / 50_000));
  const sample = new Float64Array(Math.ceil(db.length / stride));
  for (let i = 0; i < sample.length; i++) sample[i] = db[i * stride];
  const high = 5 * Math.ceil(percentile(sample, 99.9) / 5);
  const low = 5 * Math.floor(percentile(sample, 5) / 5);
  return [Math.max(high - 80, Math.min(high - 20, low)), high];
}

/** The waterfall as a PNG in viridis; `timeAcross` puts time to the right and the highest frequency on top. */
export function waterfallPng(w: Waterfall, timeAcross = false): Buffer {
  if (!timeAcross) {
    return encodeIndexedPng({ width: w.columns, height: w.rows, indices: w.levels, palette: viridisTable(256) });
  }
  const turned = new Uint8Array(w.levels.length);
  for (let row = 0; row < w.rows; row++) {
    for (let k = 0; k < w.columns; k++) turned[(w.columns - 1 - k) * w.rows + row] = w.levels[row * w.columns + k];
  }
  return encodeIndexedPng({ width: w.rows, height: w.columns, indices: turned, palette: viridisTable(256) });
}
