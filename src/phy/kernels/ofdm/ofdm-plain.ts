import { PlainFftKernel } from '../fft/fft-plain.ts';
import { fillRotation, type Held, type HeldPattern, type OfdmKernel, slotsOf } from './ofdm-kernel.ts';

const SUBBAND_CARRIERS = 12;
const SLOT_SYMBOLS = 14;

/** The kernel in plain TypeScript: the twin of the one in WebAssembly. */
export class PlainOfdmKernel implements OfdmKernel {
  readonly fftSize: number;
  readonly nCarriers: number;
  readonly memory = null;
  private readonly fft: PlainFftKernel;
  private readonly time: Float32Array;
  private readonly spectrum: Float32Array;
  /** For the offset used last: the symbols of a burst share it. */
  private readonly rotation: Float64Array;
  private rotationCfo = Number.NaN;
  private pattern: HeldPattern | null = null;
  private held: Held | null = null;

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
    this.setOffset(cfo);
    for (let t = 0; t < count; t++) {
      this.transformRotated(samples, windows[t]);
      this.turnCarriers(angles[2 * t], angles[2 * t + 1], out, at + 2 * this.nCarriers * t);
    }
  }

  hold(pattern: HeldPattern, symbols: number): Held {
    const { nCarriers } = this;
    this.pattern = pattern;
    const perSymbol = (2 * nCarriers) / SUBBAND_CARRIERS;
    const pilots = new Float32Array(perSymbol * symbols);
    const slotPilots = slotsOf(pilots, SLOT_SYMBOLS * perSymbol);
    const rows = new Float32Array(2 * nCarriers * symbols);
    this.held = { rows, turns: new Float64Array(4 * symbols), pilots, slotPilots };
    return this.held;
  }

  take(
    samples: Float32Array,
    windows: Int32Array,
    angles: Float64Array,
    count: number,
    cfo: number,
    first: number,
    sequence: number,
  ): void {
    const { nCarriers, fftSize, spectrum } = this;
    const { rows } = this.held!;
    const turned = new Float32Array(2 * nCarriers);
    this.setOffset(cfo);
    for (let t = 0; t < count; t++) {
      this.transformRotated(samples, windows[t]);
      const at = 2 * nCarriers * (first + t);
      rows.set(spectrum.subarray(2 * fftSize - nCarriers), at);
      rows.set(spectrum.subarray(2, 2 + nCarriers), at + nCarriers);
      this.turnCarriers(angles[2 * t], angles[2 * t + 1], turned, 0);
      this.pilotsOf(turned, 0, t % SLOT_SYMBOLS, first + t, sequence);
    }
  }

  finish(angles: Float64Array, count: number, sequence: number): number {
    const { nCarriers, fftSize, spectrum } = this;
    const { rows, turns, pilots } = this.held!;
    const turned = new Float32Array(2 * nCarriers);
    let energy = 0;
    for (let t = 0; t < count; t++) {
      const at = 2 * nCarriers * t;
      spectrum.set(rows.subarray(at, at + nCarriers), 2 * fftSize - nCarriers);
      spectrum.set(rows.subarray(at + nCarriers, at + 2 * nCarriers), 2);
      this.turnCarriers(angles[2 * t], angles[2 * t + 1], turned, 0);
      this.pilotsOf(turned, 0, t % SLOT_SYMBOLS, t, sequence);
      const step = angles[2 * t + 1];
      const first = angles[2 * t] - (nCarriers / 2) * step;
      turns.set([Math.cos(first), Math.sin(first), Math.cos(step), Math.sin(step)], 4 * t);
    }
    const length = ((2 * nCarriers) / SUBBAND_CARRIERS) * count;
    for (let i = 0; i < length; i++) energy += pilots[i] * pilots[i];
    return energy;
  }

  /** Channel at the pilots of a row, which has the pattern of a slot's symbol `local`, to those of symbol `t`. */
  private pilotsOf(row: Float32Array, at: number, local: number, t: number, sequence: number): void {
    const { offsets, values } = this.pattern!;
    const { pilots } = this.held!;
    const nSubbands = this.nCarriers / SUBBAND_CARRIERS;
    const p = 2 * nSubbands * ((sequence + t) % (values.length / (2 * nSubbands)));
    for (let s = 0; s < nSubbands; s++) {
      const i = at + 2 * (s * SUBBAND_CARRIERS + offsets[local]);
      const pr = values[p + 2 * s];
      const pi = values[p + 2 * s + 1];
      const out = 2 * (nSubbands * t + s);
      pilots[out] = row[i] * pr + row[i + 1] * pi;
      pilots[out + 1] = row[i + 1] * pr - row[i] * pi;
    }
  }

  private setOffset(cfo: number): void {
    if (cfo === this.rotationCfo) return;
    fillRotation(cfo, this.rotation);
    this.rotationCfo = cfo;
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
