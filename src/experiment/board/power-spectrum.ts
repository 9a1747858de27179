import { UsageError } from '../../common/errors.ts';
import { type FftKernel, fftKernel } from '../../phy/kernels/fft/fft.ts';

/** Sizes that are worth their memory: from a glance to a few hertz at the rates of the boards. */
const MIN_SIZE = 16;
const MAX_SIZE = 2 ** 20;

/**
 * Power spectrum of complex samples by Welch's method: Hann windows that overlap by half, mean and maximum of their periodograms.
 *
 * p[k] = |sum_n w[n] x[n] exp(-2 pi i k n / N)|^2 / (N sum_n w[n]^2), so that the bins add up to the mean power of the samples: white noise of
 * power s^2 has s^2/N in each bin, a tone of amplitude A on the middle of a bin 2/3 A^2 in that one and A^2/6 in each neighbour. Power 1 is a complex amplitude of
 * full scale, 0 dBFS. O(log N) a sample.
 */
export class PowerSpectrum {
  readonly size: number;
  /** Windows that were transformed. */
  windows = 0;
  private readonly fft: FftKernel;
  private readonly hann: Float32Array;
  /** Waiting samples [n][re, im] of the next window, and how many. */
  private readonly waiting: Float32Array;
  private filled = 0;
  private readonly windowed: Float32Array;
  /** In the order of the transform: bin 0 is the middle. */
  private readonly sum: Float64Array;
  private readonly most: Float64Array;
  private readonly scale: number;

  constructor(size: number) {
    if (!(size >= MIN_SIZE && size <= MAX_SIZE && (size & (size - 1)) === 0)) {
      throw new UsageError(`${size} bins are not possible: allowed powers of two from ${MIN_SIZE} to ${MAX_SIZE}`);
    }
    this.size = size;
    this.fft = fftKernel(size);
    this.hann = Float32Array.from({ length: size }, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / size));
    this.waiting = new Float32Array(2 * size);
    this.windowed = new Float32Array(2 * size);
    this.sum = new Float64Array(size);
    this.most = new Float64Array(size);
    this.scale = 1 / (size * this.hann.reduce((power, w) => power + w * w, 0));
  }

  /**
   * Takes samples [n][re, im].
   *
   * @param follows whether they follow the samples before without a gap; windows never reach over one
   */
  add(reIm: Float32Array, follows = true): void {
    if (!follows) this.filled = 0;
    const { size, waiting } = this;
    let taken = 0;
    const samples = reIm.length >> 1;
    while (taken < samples) {
      const n = Math.min(size - this.filled, samples - taken);
      waiting.set(reIm.subarray(2 * taken, 2 * (taken + n)), 2 * this.filled);
      this.filled += n;
      taken += n;
      if (this.filled < size) return;
      this.transform();
      waiting.copyWithin(0, size);
      this.filled = size >> 1;
    }
  }

  /** Mean power of each bin, [bin] from -N/2 to N/2 - 1. */
  mean(): Float64Array {
    return this.ascending(this.sum, 1 / Math.max(1, this.windows));
  }

  /** Largest power that each bin had in any window, likewise. */
  max(): Float64Array {
    return this.ascending(this.most, 1);
  }

  /**
   * Windows that would be as good if they were independent: neighbours that overlap by half are correlated by (1/6)^2, so that the variance
   * of the mean is (1 + 2/36)/K of one window's.
   */
  get independentWindows(): number {
    return this.windows > 1 ? (this.windows * 18) / 19 : this.windows;
  }

  private transform(): void {
    const { size, waiting, windowed, hann, sum, most, scale } = this;
    for (let n = 0; n < size; n++) {
      windowed[2 * n] = waiting[2 * n] * hann[n];
      windowed[2 * n + 1] = waiting[2 * n + 1] * hann[n];
    }
    this.fft.forward(windowed, 0, windowed, 0);
    for (let k = 0; k < size; k++) {
      const power = (windowed[2 * k] ** 2 + windowed[2 * k + 1] ** 2) * scale;
      sum[k] += power;
      if (power > most[k]) most[k] = power;
    }
    this.windows++;
  }

  private ascending(power: Float64Array, factor: number): Float64Array {
    const half = this.size >> 1;
    return Float64Array.from(power, (_, k) => power[(k + half) % this.size] * factor);
  }
}

/** Frequency of a bin of an ascending spectrum, Hz from the middle. */
export function binHz(bin: number, size: number, rateHz: number): number {
  return ((bin - size / 2) * rateHz) / size;
}
