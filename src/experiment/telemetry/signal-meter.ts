import { fftKernel } from '../../phy/kernels/fft/fft.ts';
import type { SampleBlock } from '../../radio/radio.ts';

/** Transforms of one reading: more cost more than an eye sees. */
const MOST_TRANSFORMS = 16;

/** Levels are relative to full scale, which a stream of a model's floats does not have: there it is a power of 1. */
export interface SignalReading {
  readonly meanDbfs: Float32Array; // [bin], lowest frequency first
  readonly peakDbfs: Float32Array; // [bin]
  /** Level of the same windows, dB below full scale; a full-scale complex tone has 0. */
  readonly rmsDbfs: number;
  readonly peakSampleDbfs: number;
  /** Power in the band of the signal, dB as above: of the loudest windows (a burst, where there was one) and of the quietest (noise). */
  readonly loudDbfs: number;
  readonly quietDbfs: number;
}

/** A part of the spectrum, as shares of the sample rate from its middle: -1/2 to 1/2. */
export interface Band {
  readonly from: number;
  readonly to: number;
}

/** Windows within this of the loudest are taken for the same burst, and within this of the quietest for the same noise, as ratios. */
const AS_LOUD = 0.7;
const AS_QUIET = 1.25;

/**
 * Spectrum and level of a stream between two readings, from a few windows of it: Hann window w,
 * P[k] = |sum_n w[n] x[n] exp(-2 pi i k n / N)|^2 / (sum w)^2, so that a full-scale tone on a bin reads 0 dBFS.
 */
export class SignalMeter {
  readonly bins: number;
  private readonly window: Float32Array;
  private readonly reIm: Float32Array;
  private readonly sum: Float64Array;
  private readonly peak: Float64Array;
  private readonly scale: number;
  private transforms = 0;
  private energy = 0;
  private largest = 0;

  private readonly bandPower = new Float64Array(MOST_TRANSFORMS);
  private readonly bandFrom: number;
  private readonly bandTo: number;
  private readonly bandScale: number;

  /**
   * @param band where the signal lies; default all
   * @param bins FFT size, a power of two
   */
  constructor(band: Band = { from: -0.5, to: 0.5 }, bins = 1024) {
    this.bins = bins;
    this.bandFrom = Math.max(0, Math.round((band.from + 0.5) * bins));
    this.bandTo = Math.min(bins, Math.max(this.bandFrom + 1, Math.round((band.to + 0.5) * bins)));
    this.window = Float32Array.from({ length: bins }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / bins));
    const total = this.window.reduce((a, b) => a + b, 0);
    this.scale = 1 / total ** 2;
    // Parseval: sum_k |X[k]|^2 = N sum_n w[n]^2 |x[n]|^2.
    this.bandScale = 1 / (bins * this.window.reduce((sum, w) => sum + w * w, 0));
    this.reIm = new Float32Array(2 * bins);
    this.sum = new Float64Array(bins);
    this.peak = new Float64Array(bins);
  }

  /** Looks at the beginning and the middle of a block, as long as the reading has room. */
  add(block: SampleBlock): void {
    const samples = block.data.length >> 1;
    if (samples < this.bins) return;
    for (const start of [0, (samples - this.bins) >> 1]) {
      if (this.transforms >= MOST_TRANSFORMS) return;
      this.take(block, start);
    }
  }

  /** What was seen since the last reading; null where that was nothing. */
  read(): SignalReading | null {
    const { transforms: count, bins } = this;
    if (count === 0) return null;
    const mean = new Float32Array(bins);
    const peak = new Float32Array(bins);
    for (let k = 0; k < bins; k++) {
      // Bin 0 of the transform is the middle of the band.
      const at = (k + bins / 2) % bins;
      mean[at] = decibels((this.sum[k] / count) * this.scale);
      peak[at] = decibels(this.peak[k] * this.scale);
    }
    const reading = {
      meanDbfs: mean,
      peakDbfs: peak,
      rmsDbfs: decibels(this.energy / (count * bins)),
      peakSampleDbfs: decibels(this.largest),
      ...this.loudAndQuiet(),
    };
    this.sum.fill(0);
    this.peak.fill(0);
    this.transforms = 0;
    this.energy = 0;
    this.largest = 0;
    return reading;
  }

  private take({ data, fullScale }: SampleBlock, start: number): void {
    const { bins, reIm, window, sum, peak } = this;
    const unit = 1 / fullScale;
    for (let i = 0; i < bins; i++) {
      const re = data[2 * (start + i)] * unit;
      const im = data[2 * (start + i) + 1] * unit;
      const power = re * re + im * im;
      this.energy += power;
      if (power > this.largest) this.largest = power;
      reIm[2 * i] = re * window[i];
      reIm[2 * i + 1] = im * window[i];
    }
    fftKernel(bins).forward(reIm, 0, reIm, 0);
    for (let k = 0; k < bins; k++) {
      const power = reIm[2 * k] * reIm[2 * k] + reIm[2 * k + 1] * reIm[2 * k + 1];
      reIm[k] = power; // behind what is still to be read
      sum[k] += power;
      if (power > peak[k]) peak[k] = power;
    }
    let inBand = 0;
    for (let at = this.bandFrom; at < this.bandTo; at++) inBand += reIm[(at + bins / 2) % bins];
    this.bandPower[this.transforms++] = inBand * this.bandScale;
  }

  private loudAndQuiet(): Pick<SignalReading, 'loudDbfs' | 'quietDbfs'> {
    const powers = this.bandPower.subarray(0, this.transforms);
    let [loudest, quietest] = [0, Number.POSITIVE_INFINITY];
    for (const power of powers) {
      if (power > loudest) loudest = power;
      if (power < quietest) quietest = power;
    }
    return {
      loudDbfs: decibels(meanWhere(powers, (power) => power >= AS_LOUD * loudest)),
      quietDbfs: decibels(meanWhere(powers, (power) => power <= AS_QUIET * quietest)),
    };
  }
}

function meanWhere(powers: Float64Array, fits: (power: number) => boolean): number {
  let [sum, count] = [0, 0];
  for (const power of powers) {
    if (!fits(power)) continue;
    sum += power;
    count++;
  }
  return sum / Math.max(1, count);
}

/** Of a power, with a floor at which silence is drawn. */
function decibels(power: number): number {
  return Number.isFinite(power) ? 10 * Math.log10(power + 1e-16) : -160;
}
