import { fftKernel } from '../kernels/fft.ts';
import type { Numerology } from '../numerology.ts';

/**
 * OFDM modulation: x[m] = scale x sum_k X_k exp(2 pi i k m / N), preceded by its last `cpLength` samples.
 *
 * `grid` is [symbol][carrier][re, im] with unit mean power per RE; `out` receives symbolLength samples a symbol from
 * sample `outSample` on. scale = rms / sqrt(nCarriers) makes the mean square of the samples rms^2.
 */
export class OfdmModulator {
  private readonly n: Numerology;
  private readonly spectrum: Float32Array;
  private readonly time: Float32Array;

  constructor(numerology: Numerology) {
    this.n = numerology;
    this.spectrum = new Float32Array(2 * numerology.fftSize);
    this.time = new Float32Array(2 * numerology.fftSize);
  }

  modulate(grid: Float32Array, symbols: number, rms: number, out: Float32Array, outSample: number): void {
    const { fftSize, cpLength, symbolLength, nCarriers, bins } = this.n;
    const { spectrum, time } = this;
    const fft = fftKernel(fftSize);
    const scale = rms / Math.sqrt(nCarriers);
    for (let t = 0; t < symbols; t++) {
      const row = 2 * nCarriers * t;
      // Carriers below DC stand in the upper half of the bins.
      const lower = 2 * bins[0];
      for (let i = 0; i < nCarriers; i++) spectrum[lower + i] = scale * grid[row + i];
      for (let i = nCarriers, j = 2 * bins[nCarriers / 2]; i < 2 * nCarriers; i++, j++)
        spectrum[j] = scale * grid[row + i];
      fft.inverse(spectrum, 0, time, 0);
      const at = 2 * (outSample + t * symbolLength);
      out.set(time.subarray(2 * (fftSize - cpLength)), at);
      out.set(time, at + 2 * cpLength);
    }
  }

  describe(): string {
    return `OFDM ${this.n.fftSize}/${this.n.cpLength}, ${this.n.nCarriers} carriers`;
  }
}
