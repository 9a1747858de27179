import { PlainFftKernel } from './fft-plain.ts';
import { fillRotation, type OfdmKernel } from './ofdm-kernel.ts';

/** The kernel in plain TypeScript: the twin of the one in WebAssembly. */
export class PlainOfdmKernel implements OfdmKernel {
  readonly fftSize: number;
  readonly nCarriers: number;
  private readonly fft: PlainFftKernel;
  private readonly time: Float32Array;
  private readonly spectrum: Float32Array;
  /** For the offset used last: the symbols of a burst share it. */
  private readonly rotation: Float64Array;
  private rotationCfo = Number.NaN;

  constructor(fftSize: number, nCarriers: number) {
    this.fftSize = fftSize;
    this.nCarriers = nCarriers;
    this.fft = new PlainFftKernel(fftSize);
    this.time = new Float32Array(2 * fftSize);
    this.spectrum = new Float32Array(2 * fftSize);
    this.rotation = new Float64Array(2 * fftSize);
  }

  demodulate(
    samples: Float32Array,
    windows: Int32Array,
    angles: Float64Array,
    count: number,
    cfo: number,
    out: Float32Array,
    at: number,
  ): void {
    if (cfo !== this.rotationCfo) {
      fillRotation(cfo, this.rotation);
      this.rotationCfo = cfo;
    }
    for (let t = 0; t < count; t++) {
      this.transformRotated(samples, windows[t]);
      this.turnCarriers(angles[2 * t], angles[2 * t + 1], out, at + 2 * this.nCarriers * t);
    }
  }

  turn(rows: Float32Array, at: number, steps: Float64Array, count: number): void {
    const { nCarriers } = this;
    for (let t = 0; t < count; t++) {
      const stepRe = Math.cos(steps[t]);
      const stepIm = Math.sin(steps[t]);
      let cos = stepRe;
      let sin = stepIm;
      let above = at + 2 * nCarriers * t + nCarriers;
      let below = above - 2;
      for (let k = 1; k <= nCarriers / 2; k++, above += 2, below -= 2) {
        let re = rows[above];
        let im = rows[above + 1];
        rows[above] = re * cos - im * sin;
        rows[above + 1] = re * sin + im * cos;
        re = rows[below];
        im = rows[below + 1];
        rows[below] = re * cos + im * sin;
        rows[below + 1] = im * cos - re * sin;
        const next = cos * stepRe - sin * stepIm;
        sin = cos * stepIm + sin * stepRe;
        cos = next;
      }
    }
  }

  /** Spectrum of one window with the frequency offset taken out, phase 0 at its first sample. */
  private transformRotated(samples: Float32Array, window: number): void {
    const { time, rotation } = this;
    const from = Math.max(0, -2 * window);
    const to = Math.min(time.length, samples.length - 2 * window);
    if (from > 0 || to < time.length) time.fill(0);
    for (let i = from, j = from + 2 * window; i < to; i += 2, j += 2) {
      const a = samples[j];
      const b = samples[j + 1];
      const re = rotation[i];
      const im = rotation[i + 1];
      time[i] = a * re - b * im;
      time[i + 1] = a * im + b * re;
    }
    this.fft.forward(time, 0, this.spectrum, 0);
  }

  /** Occupied carriers times exp(i (start + k step)), carriers k and -k together. */
  private turnCarriers(start: number, step: number, out: Float32Array, at: number): void {
    const { spectrum, nCarriers, fftSize } = this;
    const startRe = Math.cos(start);
    const startIm = Math.sin(start);
    const stepRe = Math.cos(step);
    const stepIm = Math.sin(step);
    let pr = stepRe;
    let pi = stepIm;
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
}
