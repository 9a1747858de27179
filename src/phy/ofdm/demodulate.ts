import { fftKernel } from '../kernels/fft.ts';
import type { Numerology } from '../numerology.ts';

/**
 * OFDM demodulation of single symbols with frequency-offset correction:
 *   Y_k = 1/sqrt(N) sum_m r[w + m] exp(-2 pi i cfo (phaseIndex + m)) exp(-2 pi i k m / N).
 * The unitary scale keeps the noise variance per carrier equal to that per sample.
 */
export class OfdmDemodulator {
  private readonly n: Numerology;
  private readonly time: Float32Array;
  /** All FFT bins of the last window, [fftSize][re, im]. */
  readonly spectrum: Float32Array;

  constructor(numerology: Numerology) {
    this.n = numerology;
    this.time = new Float32Array(2 * numerology.fftSize);
    this.spectrum = new Float32Array(2 * numerology.fftSize);
  }

  /**
   * Transforms the window that starts at sample `window` of `samples`; `cfo` in cycles a sample; `phaseIndex` is the
   * window's distance in samples from the point where the correction has phase 0.
   */
  transform(samples: Float32Array, window: number, cfo: number, phaseIndex: number): Float32Array {
    const size = this.n.fftSize;
    const { time, spectrum } = this;
    const scale = 1 / Math.sqrt(size);
    const turns = cfo * phaseIndex;
    const start = -2 * Math.PI * (turns - Math.floor(turns));
    const step = -2 * Math.PI * cfo;
    const stepRe = Math.cos(step);
    const stepIm = Math.sin(step);
    let pr = scale * Math.cos(start);
    let pi = scale * Math.sin(start);
    for (let i = 0, j = 2 * window; i < 2 * size; i += 2, j += 2) {
      const a = samples[j];
      const b = samples[j + 1];
      time[i] = a * pr - b * pi;
      time[i + 1] = a * pi + b * pr;
      const t = pr * stepRe - pi * stepIm;
      pi = pr * stepIm + pi * stepRe;
      pr = t;
    }
    fftKernel(size).forward(time, 0, spectrum, 0);
    return spectrum;
  }

  /**
   * Like transform, then copies the occupied carriers to out[at..], [nCarriers][re, im], each times
   * exp(+2 pi i k delay / N): `delay` (samples, may be fractional) is how much later than the window the symbol
   * really lies.
   */
  demodulate(
    samples: Float32Array,
    window: number,
    cfo: number,
    phaseIndex: number,
    delay: number,
    out: Float32Array,
    at: number,
  ): void {
    const spectrum = this.transform(samples, window, cfo, phaseIndex);
    const { bins, carriers, nCarriers, fftSize } = this.n;
    if (delay === 0) {
      for (let c = 0; c < nCarriers; c++) {
        out[at + 2 * c] = spectrum[2 * bins[c]];
        out[at + 2 * c + 1] = spectrum[2 * bins[c] + 1];
      }
      return;
    }
    const step = (2 * Math.PI * delay) / fftSize;
    const stepRe = Math.cos(step);
    const stepIm = Math.sin(step);
    let pr = Math.cos(step * carriers[0]);
    let pi = Math.sin(step * carriers[0]);
    for (let c = 0; c < nCarriers; c++) {
      const re = spectrum[2 * bins[c]];
      const im = spectrum[2 * bins[c] + 1];
      out[at + 2 * c] = re * pr - im * pi;
      out[at + 2 * c + 1] = re * pi + im * pr;
      // Across the empty DC carrier the phase advances by two steps.
      const steps = carriers[c] === -1 ? 2 : 1;
      for (let s = 0; s < steps; s++) {
        const t = pr * stepRe - pi * stepIm;
        pi = pr * stepIm + pi * stepRe;
        pr = t;
      }
    }
  }
}
