import { type FftKernel, fftKernel } from '../kernels/fft/fft.ts';
import { type OfdmKernel, ofdmKernel } from '../kernels/ofdm/ofdm.ts';
import { fillRotation } from '../kernels/ofdm/ofdm-kernel.ts';
import type { Numerology } from '../numerology.ts';

/** Most symbols of one call. */
const MAX_SYMBOLS = 16;

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
  private readonly kernel: OfdmKernel;
  /** What the kernel is told of each symbol. */
  private readonly windows = new Int32Array(MAX_SYMBOLS);
  private readonly angles = new Float64Array(2 * MAX_SYMBOLS);
  private readonly one = { offset: new Int32Array(1), delay: new Float64Array(1) };

  constructor(numerology: Numerology) {
    this.n = numerology;
    this.fft = fftKernel(numerology.fftSize);
    this.kernel = ofdmKernel(numerology.fftSize, numerology.nCarriers);
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
   * Sum of the spectra of two windows that follow one another, the offset taken out with phase 0 at the first sample: in one
   * transform.
   */
  transformSum(samples: Float32Array, window: number, cfo: number): Float32Array {
    this.setOffset(cfo);
    const { time, rotation } = this;
    const start = startPhase(cfo, this.n.fftSize);
    const cos = Math.cos(start);
    const sin = Math.sin(start);
    for (let i = 0, j = 2 * window, k = j + time.length; i < time.length; i += 2, j += 2, k += 2) {
      const a = samples[j] + samples[k] * cos - samples[k + 1] * sin;
      const b = samples[j + 1] + samples[k] * sin + samples[k + 1] * cos;
      const re = rotation[i];
      const im = rotation[i + 1];
      time[i] = a * re - b * im;
      time[i + 1] = a * im + b * re;
    }
    this.fft.forward(time, 0, this.spectrum, 0);
    return this.spectrum;
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
    this.one.offset[0] = phaseIndex;
    this.one.delay[0] = delay;
    this.demodulateSymbols(samples, window - phaseIndex, this.one.offset, this.one.delay, 1, cfo, out, at);
  }

  /**
   * The same for `count` symbols that follow one another, at most 16: symbol t's window begins offsets[t] samples after
   * `origin`, where the correction has phase 0, and lies delays[t] too early. out: [count][nCarriers][re, im] from `at` on.
   */
  demodulateSymbols(
    samples: Float32Array,
    origin: number,
    offsets: Int32Array,
    delays: Float64Array,
    count: number,
    cfo: number,
    out: Float32Array,
    at: number,
  ): void {
    const { windows, angles } = this;
    const unit = (2 * Math.PI) / this.n.fftSize;
    for (let t = 0; t < count; t++) {
      windows[t] = origin + offsets[t];
      angles[2 * t] = startPhase(cfo, offsets[t]);
      angles[2 * t + 1] = unit * delays[t];
    }
    this.kernel.demodulate(samples, windows, angles, count, cfo, out, at);
  }

  private setOffset(cfo: number): void {
    if (cfo === this.rotationCfo) return;
    fillRotation(cfo, this.rotation);
    this.rotationCfo = cfo;
  }

  /** Spectrum of the window with the frequency offset taken out, phase 0 at its first sample. */
  private transformRotated(samples: Float32Array, window: number, cfo: number): void {
    this.setOffset(cfo);
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
}

/** -2 pi cfo phaseIndex without its whole turns: where the correction of an offset stands at a sample, rad. */
export function startPhase(cfo: number, phaseIndex: number): number {
  const turns = cfo * phaseIndex;
  return -2 * Math.PI * (turns - Math.floor(turns));
}
