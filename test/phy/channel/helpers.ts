import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';

/** Anything that turns blocks into blocks. */
export interface Processor {
  process(input: Float32Array): Float32Array;
}

/** Pushes [n][re, im] through a processor in blocks of the given sizes (repeated) and joins copies of the results. */
export function throughBlocks(processor: Processor, input: Float32Array, sizes: readonly number[]): Float32Array {
  const parts: Float32Array[] = [];
  let at = 0;
  for (let k = 0; at < input.length; k++) {
    const size = 2 * Math.max(0, sizes[k % sizes.length]);
    parts.push(processor.process(input.subarray(at, at + size)).slice());
    at += size;
  }
  const out = new Float32Array(parts.reduce((n, p) => n + p.length, 0));
  let o = 0;
  for (const p of parts) {
    out.set(p, o);
    o += p.length;
  }
  return out;
}

export function noise(n: number, variance = 1, seed: number | string = 1): Float32Array {
  const out = new Float32Array(2 * n);
  new RandomStream(seed).addComplexNoise(out, variance);
  return out;
}

/** amplitude exp(2 pi i f n), f in cycles a sample. */
export function tone(n: number, cycles: number, amplitude = 1): Float32Array {
  const out = new Float32Array(2 * n);
  for (let i = 0; i < n; i++) {
    const angle = 2 * Math.PI * ((cycles * i) % 1);
    out[2 * i] = amplitude * Math.cos(angle);
    out[2 * i + 1] = amplitude * Math.sin(angle);
  }
  return out;
}

/** Mean |x|^2 over samples [from, to). */
export function power(x: Float32Array, from = 0, to = x.length >> 1): number {
  let sum = 0;
  for (let i = 2 * from; i < 2 * to; i++) sum += x[i] * x[i];
  return sum / (to - from);
}

/** Complex amplitude of the tone of f cycles a sample in x over [from, to), Blackman-Harris weighted (side lobes -92 dB). */
export function toneAmplitude(x: Float32Array, cycles: number, from = 0, to = x.length >> 1): [number, number] {
  let re = 0;
  let im = 0;
  let weights = 0;
  const n = to - from;
  for (let i = from; i < to; i++) {
    const u = (2 * Math.PI * (i - from + 0.5)) / n;
    const w = 0.35875 - 0.48829 * Math.cos(u) + 0.14128 * Math.cos(2 * u) - 0.01168 * Math.cos(3 * u);
    const angle = -2 * Math.PI * ((cycles * i) % 1);
    const c = w * Math.cos(angle);
    const s = w * Math.sin(angle);
    re += x[2 * i] * c - x[2 * i + 1] * s;
    im += x[2 * i] * s + x[2 * i + 1] * c;
    weights += w;
  }
  return [re / weights, im / weights];
}

export function toneDb(x: Float32Array, cycles: number, from = 0, to = x.length >> 1): number {
  const [re, im] = toneAmplitude(x, cycles, from, to);
  return 10 * Math.log10(re * re + im * im);
}

/** 10 log10 of the power of a - b over that of b. */
export function errorDb(a: Float32Array, b: Float32Array): number {
  let error = 0;
  let reference = 0;
  for (let i = 0; i < b.length; i++) {
    error += (a[i] - b[i]) ** 2;
    reference += b[i] ** 2;
  }
  return 10 * Math.log10(error / reference);
}

/** Block sizes for chunk tests: empty blocks, single samples, odd and large ones. */
export const blockSizes = fc
  .array(fc.integer({ min: 0, max: 700 }), { minLength: 1, maxLength: 6 })
  .map((s) => [...s, 37]);

/** Bessel function of the first kind, order 0, by its integral (1/pi) int_0^pi cos(x sin t) dt. */
export function besselJ0(x: number): number {
  const steps = 400;
  let sum = 0;
  for (let k = 0; k < steps; k++) sum += Math.cos(x * Math.sin((Math.PI * (k + 0.5)) / steps));
  return sum / steps;
}

/** Kolmogorov-Smirnov statistic of samples against a cumulative distribution; 1.63/sqrt(n) is its 99 % point. */
export function kolmogorov(samples: Float64Array, cdf: (x: number) => number): number {
  const sorted = samples.slice().sort();
  let worst = 0;
  sorted.forEach((x, i) => {
    const f = cdf(x);
    worst = Math.max(worst, Math.abs(f - i / sorted.length), Math.abs(f - (i + 1) / sorted.length));
  });
  return worst;
}
