import { inRange, UsageError } from '../../common/errors.ts';
import { resample } from '../speech/resample.ts';

/** Everything of [Taal11] §II: rate, frames, bands, segments, lower bound of the signal-to-distortion ratio, range of speech. */
export const STOI_RATE_HZ = 10_000;
const WINDOW = 256;
const HOP = WINDOW / 2;
const TRANSFORM = 512;
const BINS = TRANSFORM / 2 + 1;
const BANDS = 15;
const LOWEST_HZ = 150;
const SEGMENT = 30;
const CLIP = 1 + 10 ** (15 / 20);
const DYNAMIC_RANGE_DB = 40;
const EPS = 2 ** -52;

/** Hann without its zeros, as the authors' program has it: [WINDOW]. */
const HANN = Float64Array.from(
  { length: WINDOW },
  (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (n + 1)) / (WINDOW + 1)),
);
/** First bin of each band and the one behind its last: those next to the band's edges. */
const EDGES = Array.from(
  { length: BANDS },
  (_, k) => [nearestBin((2 * k - 1) / 6), nearestBin((2 * k + 1) / 6)] as const,
);

function nearestBin(octaves: number): number {
  return Math.round((LOWEST_HZ * 2 ** octaves * TRANSFORM) / STOI_RATE_HZ);
}

/**
 * Short-time objective intelligibility [Taal11]: the mean over one-third-octave bands and segments of 384 ms of the correlation of clean and degraded
 * envelopes, the degraded one normalised and clipped; about 0 to 1, more is clearer. Frames that are silent in the clean signal do not count.
 *
 * @param clean at `rateHz`, as long as `degraded`
 * @returns null where less than a segment of speech is there, and for silence
 * @throws UsageError for signals of different length
 */
export function stoi(clean: Float32Array, degraded: Float32Array, rateHz: number): number | null {
  if (clean.length !== degraded.length) {
    throw new UsageError(`STOI of ${clean.length} and ${degraded.length} samples: allowed are signals of one length`);
  }
  inRange('rate', rateHz, 4000, 1e6, 'Hz');
  const [x, y] = withoutSilence(resample(clean, rateHz, STOI_RATE_HZ), resample(degraded, rateHz, STOI_RATE_HZ));
  const [a, b] = [bandEnvelopes(x), bandEnvelopes(y)];
  const frames = a.length / BANDS;
  // Of silence nothing can be understood or lost.
  if (frames < SEGMENT || a.every((v) => v === 0)) return null;
  let sum = 0;
  for (let from = 0; from + SEGMENT <= frames; from++) {
    for (let j = 0; j < BANDS; j++) sum += segmentCorrelation(a, b, from, j);
  }
  return sum / (BANDS * (frames - SEGMENT + 1));
}

/** Frames of both whose clean energy is within 40 dB of the loudest, overlap-added; windows begin before length - 256. */
function withoutSilence(clean: Float32Array, degraded: Float32Array): [Float64Array, Float64Array] {
  const starts: number[] = [];
  for (let at = 0; at < clean.length - WINDOW; at += HOP) starts.push(at);
  const levels = starts.map((at) => {
    let energy = 0;
    for (let n = 0; n < WINDOW; n++) energy += (HANN[n] * clean[at + n]) ** 2;
    return 20 * Math.log10(Math.sqrt(energy) + EPS);
  });
  const loudest = levels.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const kept = starts.filter((_, i) => levels[i] > loudest - DYNAMIC_RANGE_DB);
  const length = kept.length === 0 ? 0 : (kept.length - 1) * HOP + WINDOW;
  const [x, y] = [new Float64Array(length), new Float64Array(length)];
  kept.forEach((at, i) => {
    for (let n = 0; n < WINDOW; n++) {
      x[i * HOP + n] += HANN[n] * clean[at + n];
      y[i * HOP + n] += HANN[n] * degraded[at + n];
    }
  });
  return [x, y];
}

/** Root of each band's energy in each frame, [frame][band]; frames begin before length - 256. */
function bandEnvelopes(x: Float64Array): Float64Array {
  const frames = Math.max(0, Math.ceil((x.length - WINDOW) / HOP));
  const out = new Float64Array(frames * BANDS);
  const [re, im] = [new Float64Array(TRANSFORM), new Float64Array(TRANSFORM)];
  for (let t = 0; t < frames; t++) {
    re.fill(0);
    im.fill(0);
    for (let n = 0; n < WINDOW; n++) re[n] = HANN[n] * x[t * HOP + n];
    fft(re, im);
    EDGES.forEach(([from, to], j) => {
      let energy = 0;
      for (let k = from; k < Math.min(to, BINS); k++) energy += re[k] ** 2 + im[k] ** 2;
      out[t * BANDS + j] = Math.sqrt(energy);
    });
  }
  return out;
}

/** Correlation of one band's segment, the degraded one scaled to the clean one's energy and clipped ([Taal11] eqs. 3 to 5). */
function segmentCorrelation(a: Float64Array, b: Float64Array, from: number, band: number): number {
  let [ea, eb] = [0, 0];
  for (let t = from; t < from + SEGMENT; t++) {
    ea += a[t * BANDS + band] ** 2;
    eb += b[t * BANDS + band] ** 2;
  }
  const scale = Math.sqrt(ea / (eb + EPS));
  const clipped = (t: number) => Math.min(scale * b[t * BANDS + band], CLIP * a[t * BANDS + band]);
  let [ma, mb] = [0, 0];
  for (let t = from; t < from + SEGMENT; t++) {
    ma += a[t * BANDS + band] / SEGMENT;
    mb += clipped(t) / SEGMENT;
  }
  let [ab, aa, bb] = [0, 0, 0];
  for (let t = from; t < from + SEGMENT; t++) {
    const [u, v] = [a[t * BANDS + band] - ma, clipped(t) - mb];
    ab += u * v;
    aa += u * u;
    bb += v * v;
  }
  return ab / (Math.sqrt(aa * bb) + EPS);
}

/** In-place radix-2 transform [Cooley65]; the length is a power of two. */
function fft(re: Float64Array, im: Float64Array): void {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j], re[i]];
      [im[i], im[j]] = [im[j], im[i]];
    }
  }
  for (let size = 2; size <= n; size *= 2) {
    const half = size / 2;
    for (let k = 0; k < half; k++) {
      const [c, s] = [Math.cos((-2 * Math.PI * k) / size), Math.sin((-2 * Math.PI * k) / size)];
      for (let i = k; i < n; i += size) {
        const [vr, vi] = [re[i + half] * c - im[i + half] * s, re[i + half] * s + im[i + half] * c];
        re[i + half] = re[i] - vr;
        im[i + half] = im[i] - vi;
        re[i] += vr;
        im[i] += vi;
      }
    }
  }
}
