import type { Numerology } from '../numerology.ts';

/** Samples over which the running mean settles: a notch of some 40 Hz at 7.68 Msps. */
const MEMORY = 1 << 15;
/** Samples of nothing that the mean begins with, so that a stream's first samples are not taken for DC. */
const FIRST = 64;
/** After so many samples of exactly 0 the input is silent: a file without noise, or a gap that a driver filled. */
const SILENT = 64;
/** Samples beyond this many times full scale, squared, are none: one would spoil the mean for long. */
const MAX_POWER = 1e10;

/**
 * Removes the receiver's DC offset before anything else, with a running mean: plain at first, exponential with a
 * memory of 32768 samples from then on. Samples that are not finite (or 100 dB above full scale) become 0 and are counted.
 * Silence stays silence.
 */
export class DcBlocker {
  private meanRe = 0;
  private meanIm = 0;
  private count = 0;
  /** Samples of exactly 0 in a row. */
  private zeros = 0;
  nonFinite = 0;

  /** out = input - mean, [n][re, im]. */
  process(input: Float32Array, out: Float32Array): void {
    let { meanRe, meanIm, count } = this;
    for (let i = 0; i < out.length; i += 2) {
      let re = input[i];
      let im = input[i + 1];
      // Not a number compares false with everything.
      if (!(re * re + im * im < MAX_POWER)) {
        re = 0;
        im = 0;
        this.nonFinite++;
      }
      const gain = count < MEMORY ? 1 / (FIRST + count++) : 1 / (FIRST + MEMORY);
      // mean += gain (x - mean), with the shortest chain from one mean to the next.
      const keep = 1 - gain;
      meanRe = keep * meanRe + gain * re;
      meanIm = keep * meanIm + gain * im;
      out[i] = re - meanRe;
      out[i + 1] = im - meanIm;
    }
    this.meanRe = meanRe;
    this.meanIm = meanIm;
    this.count = count;
    this.keepSilence(input, out);
  }

  /** Where the input is silent the output is: else the mean, dying away, is all there is, and looks like a carrier. */
  private keepSilence(input: Float32Array, out: Float32Array): void {
    const zero = (k: number) => input[2 * k] === 0 && input[2 * k + 1] === 0;
    const count = out.length / 2;
    let { zeros } = this;
    for (let k = 0; k < count; k++) {
      // A run long enough that begins here or soon covers the sample SILENT further on.
      if (zeros === 0 && k + SILENT < count && !zero(k + SILENT)) k += SILENT;
      else if (!zero(k)) zeros = 0;
      else if (++zeros > SILENT) out.fill(0, 2 * k, 2 * k + 2);
    }
    this.zeros = zeros;
  }
}

/**
 * Takes out what DC is left over one burst, samples [from, to) of [..][re, im], if it is significant: a data-bearing
 * carrier that the frequency offset has put at DC averages to N / (nCarriers x samples) of the power and must stay.
 * `samples` stay as they are: what changes is `copy(samples)`. Returns the samples without it, which are the given ones
 * where there is none, the DC removed relative to the burst's power, dB (-Infinity when none), and that power.
 */
export function withoutMean(
  samples: Float32Array,
  from: number,
  to: number,
  n: Numerology,
  copy: (samples: Float32Array) => Float32Array,
): { samples: Float32Array; dcDb: number; power: number } {
  const a = Math.max(0, 2 * from);
  const b = Math.min(samples.length, 2 * to);
  let re = 0;
  let im = 0;
  let power = 0;
  // Of four samples at once: a sum waits for the one before.
  const four = a + ((b - a) & ~7);
  for (let i = a; i < four; i += 8) {
    const ar = samples[i];
    const ai = samples[i + 1];
    const br = samples[i + 2];
    const bi = samples[i + 3];
    const cr = samples[i + 4];
    const ci = samples[i + 5];
    const dr = samples[i + 6];
    const di = samples[i + 7];
    re += ar + br + (cr + dr);
    im += ai + bi + (ci + di);
    power += ar * ar + ai * ai + (br * br + bi * bi) + (cr * cr + ci * ci + (dr * dr + di * di));
  }
  for (let i = four; i < b; i += 2) {
    re += samples[i];
    im += samples[i + 1];
    power += samples[i] ** 2 + samples[i + 1] ** 2;
  }
  const count = (b - a) / 2;
  const dcDb = Number.NEGATIVE_INFINITY;
  if (count < 1) return { samples, dcDb, power: 0 };
  re /= count;
  im /= count;
  power /= count;
  const dc = re * re + im * im;
  if (dc < (8 * power * n.fftSize) / (n.nCarriers * count)) return { samples, dcDb, power };
  const out = copy(samples);
  for (let i = 0; i < out.length; i += 2) {
    out[i] -= re;
    out[i + 1] -= im;
  }
  return { samples: out, dcDb: 10 * Math.log10(dc / power), power };
}
