import type { FftKernel } from './fft-kernel.ts';

/**
 * The kernel in plain TypeScript, the twin of the one in WebAssembly.
 *
 * Radix-4 Stockham autosort transform [Oppenheim10 §9] in double precision, sizes 4^a and 2 x 4^a from 16 on. Of stride s
 * and length n, with w = exp(-2 pi i / n), a stage takes x[q + s (p + r n/4)], r = 0..3, to y[q + s (4 p + r)]:
 *   y0 = a + b + c + d, y1 = w^p (a - i b - c + i d), y2 = w^2p (a - b + c - d), y3 = w^3p (a + i b - c - i d);
 * then s grows and n shrinks by 4. The first stage reads the caller's floats, the last (without factors) writes them.
 * The inverse is the same with real and imaginary parts exchanged on the way in and out.
 */
export class PlainFftKernel implements FftKernel {
  readonly size: number;
  private readonly here: Float64Array;
  private readonly there: Float64Array;
  /** w^p, w^2p, w^3p of each stage but the last, one stage after another: [p][3][re, im]. */
  private readonly factors: Float64Array;

  constructor(size: number) {
    if (size < 16 || (size & (size - 1)) !== 0) throw new RangeError(`FFT size ${size} is not a power of two >= 16`);
    this.size = size;
    this.here = new Float64Array(2 * size);
    this.there = new Float64Array(2 * size);
    const factors: number[] = [];
    for (let n = size; n > 4; n >>= 2) {
      for (let p = 0; p < n / 4; p++) {
        for (let r = 1; r < 4; r++) {
          const angle = (-2 * Math.PI * r * p) / n;
          factors.push(Math.cos(angle), Math.sin(angle));
        }
      }
    }
    this.factors = Float64Array.from(factors);
  }

  forward(input: Float32Array, inOffset: number, output: Float32Array, outOffset: number): void {
    this.transform(input, inOffset, inOffset + 1, output, outOffset, outOffset + 1);
  }

  inverse(input: Float32Array, inOffset: number, output: Float32Array, outOffset: number): void {
    this.transform(input, inOffset + 1, inOffset, output, outOffset + 1, outOffset);
  }

  private transform(x: Float32Array, xRe: number, xIm: number, y: Float32Array, yRe: number, yIm: number): void {
    const { size, factors } = this;
    let from = this.here;
    let to = this.there;
    firstStage(x, xRe, xIm, from, factors, size);
    let at = (6 * size) / 4;
    let stride = 4;
    let n = size / 4;
    for (; n > 4; n >>= 2) {
      middleStage(from, to, factors, at, n, stride);
      at += (6 * n) / 4;
      stride *= 4;
      const swap = from;
      from = to;
      to = swap;
    }
    if (n === 4) lastOfFour(from, y, yRe, yIm, stride);
    else lastOfTwo(from, y, yRe, yIm, stride);
  }
}

/** Stride 1: butterfly p is one of each quarter. */
function firstStage(
  x: Float32Array,
  xRe: number,
  xIm: number,
  to: Float64Array,
  factors: Float64Array,
  size: number,
): void {
  const quarter = size / 2;
  for (let p = 0, i = 0, o = 0, f = 0; p < size / 4; p++, i += 2, o += 8, f += 6) {
    const ar = x[xRe + i];
    const ai = x[xIm + i];
    const br = x[xRe + i + quarter];
    const bi = x[xIm + i + quarter];
    const cr = x[xRe + i + 2 * quarter];
    const ci = x[xIm + i + 2 * quarter];
    const dr = x[xRe + i + 3 * quarter];
    const di = x[xIm + i + 3 * quarter];
    const sr = ar + cr;
    const si = ai + ci;
    const mr = ar - cr;
    const mi = ai - ci;
    const tr = br + dr;
    const ti = bi + di;
    const ur = br - dr;
    const ui = bi - di;
    to[o] = sr + tr;
    to[o + 1] = si + ti;
    let re = mr + ui;
    let im = mi - ur;
    let wr = factors[f];
    let wi = factors[f + 1];
    to[o + 2] = re * wr - im * wi;
    to[o + 3] = re * wi + im * wr;
    re = sr - tr;
    im = si - ti;
    wr = factors[f + 2];
    wi = factors[f + 3];
    to[o + 4] = re * wr - im * wi;
    to[o + 5] = re * wi + im * wr;
    re = mr - ui;
    im = mi + ur;
    wr = factors[f + 4];
    wi = factors[f + 5];
    to[o + 6] = re * wr - im * wi;
    to[o + 7] = re * wi + im * wr;
  }
}

function middleStage(
  x: Float64Array,
  y: Float64Array,
  factors: Float64Array,
  factorsAt: number,
  n: number,
  stride: number,
): void {
  const quarter = (n / 2) * stride;
  const s2 = 2 * stride;
  for (let p = 0, f = factorsAt, i = 0, o = 0; p < n / 4; p++, f += 6, o += 3 * s2) {
    const w1r = factors[f];
    const w1i = factors[f + 1];
    const w2r = factors[f + 2];
    const w2i = factors[f + 3];
    const w3r = factors[f + 4];
    const w3i = factors[f + 5];
    for (const end = i + s2; i < end; i += 2, o += 2) {
      const ar = x[i];
      const ai = x[i + 1];
      const br = x[i + quarter];
      const bi = x[i + quarter + 1];
      const cr = x[i + 2 * quarter];
      const ci = x[i + 2 * quarter + 1];
      const dr = x[i + 3 * quarter];
      const di = x[i + 3 * quarter + 1];
      const sr = ar + cr;
      const si = ai + ci;
      const mr = ar - cr;
      const mi = ai - ci;
      const tr = br + dr;
      const ti = bi + di;
      const ur = br - dr;
      const ui = bi - di;
      y[o] = sr + tr;
      y[o + 1] = si + ti;
      let re = mr + ui;
      let im = mi - ur;
      y[o + s2] = re * w1r - im * w1i;
      y[o + s2 + 1] = re * w1i + im * w1r;
      re = sr - tr;
      im = si - ti;
      y[o + 2 * s2] = re * w2r - im * w2i;
      y[o + 2 * s2 + 1] = re * w2i + im * w2r;
      re = mr - ui;
      im = mi + ur;
      y[o + 3 * s2] = re * w3r - im * w3i;
      y[o + 3 * s2 + 1] = re * w3i + im * w3r;
    }
  }
}

function lastOfFour(x: Float64Array, y: Float32Array, yRe: number, yIm: number, stride: number): void {
  const s2 = 2 * stride;
  for (let i = 0; i < s2; i += 2) {
    const ar = x[i];
    const ai = x[i + 1];
    const br = x[i + s2];
    const bi = x[i + s2 + 1];
    const cr = x[i + 2 * s2];
    const ci = x[i + 2 * s2 + 1];
    const dr = x[i + 3 * s2];
    const di = x[i + 3 * s2 + 1];
    const sr = ar + cr;
    const si = ai + ci;
    const mr = ar - cr;
    const mi = ai - ci;
    const tr = br + dr;
    const ti = bi + di;
    const ur = br - dr;
    const ui = bi - di;
    y[yRe + i] = sr + tr;
    y[yIm + i] = si + ti;
    y[yRe + i + s2] = mr + ui;
    y[yIm + i + s2] = mi - ur;
    y[yRe + i + 2 * s2] = sr - tr;
    y[yIm + i + 2 * s2] = si - ti;
    y[yRe + i + 3 * s2] = mr - ui;
    y[yIm + i + 3 * s2] = mi + ur;
  }
}

function lastOfTwo(x: Float64Array, y: Float32Array, yRe: number, yIm: number, stride: number): void {
  const s2 = 2 * stride;
  for (let i = 0; i < s2; i += 2) {
    const ar = x[i];
    const ai = x[i + 1];
    const br = x[i + s2];
    const bi = x[i + s2 + 1];
    y[yRe + i] = ar + br;
    y[yIm + i] = ai + bi;
    y[yRe + i + s2] = ar - br;
    y[yIm + i + s2] = ai - bi;
  }
}
