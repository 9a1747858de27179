import { type FftKernel, fftKernel } from '../kernels/fft.ts';
import type { Numerology } from '../numerology.ts';

/**
 * OFDM demodulation of single symbols with frequency-offset correction:
 *   Y_k = 1/sqrt(N) sum_m r[w + m] exp(-2 pi i cfo (phaseIndex + m)) exp(-2 pi i k m / N).
 * The unitary scale keeps the noise variance per carrier equal to that per sample.
 */
export class OfdmDemodulator {
  private readonly n: Numerology;
  private readonly fft: FftKernel;
  private readonly time: Float32Array;
  /** All FFT bins of the last window, [fftSize][re, im]. */
  readonly spectrum: Float32Array;
  /** exp(-2 pi i cfo m) / sqrt(N) for the offset used last, [fftSize][re, im]: the symbols of a burst share it. */
  private readonly rotation: Float64Array;
  private rotationCfo = Number.NaN;

  constructor(numerology: Numerology) {
    this.n = numerology;
    this.fft = fftKernel(numerology.fftSize);
    this.time = new Float32Array(2 * numerology.fftSize);
    this.spectrum = new Float32Array(2 * numerology.fftSize);
    this.rotation = new Float64Array(2 * numerology.fftSize);
  }

  /**
   * Transforms the window that starts at sample `window` of `samples`; `cfo` in cycles a sample; `phaseIndex` is the
   * window's distance in samples from the point where the correction has phase 0.
   */
  transform(samples: Float32Array, window: number, cfo: number, phaseIndex: number): Float32Array {
    this.transformRotated(samples, window, cfo);
    const { spectrum } = this;
    const start = startPhase(cfo, phaseIndex);
    const cos = Math.cos(start);
    const sin = Math.sin(start);
    for (let i = 0; i < spectrum.length; i += 2) {
      const re = spectrum[i];
      spectrum[i] = re * cos - spectrum[i + 1] * sin;
      spectrum[i + 1] = re * sin + spectrum[i + 1] * cos;
    }
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
    this.transformRotated(samples, window, cfo);
    const { spectrum } = this;
    const { nCarriers, fftSize } = this.n;
    const start = startPhase(cfo, phaseIndex);
    const startRe = Math.cos(start);
    const startIm = Math.sin(start);
    const step = (2 * Math.PI * delay) / fftSize;
    const stepRe = Math.cos(step);
    const stepIm = Math.sin(step);
    let pr = stepRe;
    let pi = stepIm;
    // Carriers k and -k together: their phases are start +- k step.
    const half = nCarriers / 2;
    let above = at + nCarriers;
    let below = above - 2;
    for (let k = 1; k <= half; k++, above += 2, below -= 2) {
      const a = pr * startRe;
      const b = pi * startIm;
      const c = pr * startIm;
      const d = pi * startRe;
      let cos = a - b;
      let sin = c + d;
      let re = spectrum[2 * k];
      let im = spectrum[2 * k + 1];
      out[above] = re * cos - im * sin;
      out[above + 1] = re * sin + im * cos;
      cos = a + b;
      sin = c - d;
      re = spectrum[2 * (fftSize - k)];
      im = spectrum[2 * (fftSize - k) + 1];
      out[below] = re * cos - im * sin;
      out[below + 1] = re * sin + im * cos;
      const t = pr * stepRe - pi * stepIm;
      pi = pr * stepIm + pi * stepRe;
      pr = t;
    }
  }

  /** Spectrum of the window with the frequency offset taken out, phase 0 at its first sample. */
  private transformRotated(samples: Float32Array, window: number, cfo: number): void {
    if (cfo !== this.rotationCfo) this.prepare(cfo);
    const { time, rotation } = this;
    for (let i = 0, j = 2 * window; i < time.length; i += 2, j += 2) {
      const a = samples[j];
      const b = samples[j + 1];
      const re = rotation[i];
      const im = rotation[i + 1];
      time[i] = a * re - b * im;
      time[i + 1] = a * im + b * re;
    }
    this.fft.forward(time, 0, this.spectrum, 0);
  }

  private prepare(cfo: number): void {
    const { rotation } = this;
    const step = -2 * Math.PI * cfo;
    const stepRe = Math.cos(step);
    const stepIm = Math.sin(step);
    let pr = 1 / Math.sqrt(this.n.fftSize);
    let pi = 0;
    for (let i = 0; i < rotation.length; i += 2) {
      rotation[i] = pr;
      rotation[i + 1] = pi;
      const t = pr * stepRe - pi * stepIm;
      pi = pr * stepIm + pi * stepRe;
      pr = t;
    }
    this.rotationCfo = cfo;
  }
}

/** -2 pi cfo phaseIndex without its whole turns. */
function startPhase(cfo: number, phaseIndex: number): number {
  const turns = cfo * phaseIndex;
  return -2 * Math.PI * (turns - Math.floor(turns));
}
