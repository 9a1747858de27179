import { fftKernel } from '../kernels/fft/fft.ts';
import type { Numerology } from '../numerology.ts';
import { goldQpsk, SEQUENCE } from '../sequence.ts';

/**
 * The preamble: a detection part of `nSegments` repetitions of one short waveform with signs, then a guard interval
 * and two equal training symbols that load every occupied carrier.
 *
 * The products of neighbouring signs, c_i = s_i s_(i+1), are balanced: a constant or a tone, whose lag product is the
 * same everywhere, sums to zero in the detector, so DC and carriers do not trigger it. c is a maximal-length
 * sequence with one element added, which keeps its partial sums low.
 */
export interface Preamble {
  /** Signs s_i of the segments, +-1, [nSegments]. */
  readonly signs: Int8Array;
  /** Products s_i s_(i+1), +-1, [nSegments - 1], sum 0. */
  readonly products: Int8Array;
  /** Known training carriers, unit power, [nCarriers][re, im]. */
  readonly training: Float32Array;
  /** Samples with mean square 1, [preambleLength][re, im]. */
  readonly samples: Float32Array;
}

/** Feedback taps (bit mask) of x^3+x+1, x^4+x+1, x^5+x^2+1: sequences of 7, 15, 31. */
const PRIMITIVE: Record<number, { degree: number; taps: number }> = {
  8: { degree: 3, taps: 0b011 },
  16: { degree: 4, taps: 0b0011 },
  32: { degree: 5, taps: 0b00101 },
};

function balancedProducts(length: number): Int8Array {
  const p = PRIMITIVE[length];
  if (!p) throw new RangeError(`no balanced sequence of ${length}`);
  const out = new Int8Array(length);
  let state = 1;
  let sum = 0;
  for (let i = 0; i < length - 1; i++) {
    out[i] = state & 1 ? -1 : 1;
    sum += out[i];
    let feedback = 0;
    for (let b = 0; b < p.degree; b++) if ((p.taps >> b) & 1) feedback ^= (state >> b) & 1;
    state = (state >> 1) | (feedback << (p.degree - 1));
  }
  out[length - 1] = -sum;
  return out;
}

function build(n: Numerology): Preamble {
  const products = balancedProducts(n.nSegments - 1);
  const signs = new Int8Array(n.nSegments);
  signs[0] = 1;
  for (let i = 1; i < n.nSegments; i++) signs[i] = signs[i - 1] * products[i - 1];

  // One segment: every 4th carrier with Newman's quadratic phases, whose crest factor is low [Newman65].
  const d = n.segmentLength;
  const half = Math.floor(n.nCarriers / 8);
  const spectrum = new Float32Array(2 * d);
  for (let m = -half; m <= half; m++) {
    if (m === 0) continue;
    const phase = (Math.PI * (m + half) ** 2) / (2 * half + 1);
    const bin = (m + d) % d;
    spectrum[2 * bin] = Math.cos(phase);
    spectrum[2 * bin + 1] = Math.sin(phase);
  }
  const segment = new Float32Array(2 * d);
  fftKernel(d).inverse(spectrum, 0, segment, 0);
  const segmentScale = 1 / Math.sqrt(2 * half);

  const training = goldQpsk(SEQUENCE.training + n.id, n.nCarriers);
  const full = new Float32Array(2 * n.fftSize);
  for (let i = 0; i < n.nCarriers; i++) {
    full[2 * n.bins[i]] = training[2 * i];
    full[2 * n.bins[i] + 1] = training[2 * i + 1];
  }
  const symbol = new Float32Array(2 * n.fftSize);
  fftKernel(n.fftSize).inverse(full, 0, symbol, 0);
  const trainingScale = 1 / Math.sqrt(n.nCarriers);

  const samples = new Float32Array(2 * n.preambleLength);
  for (let i = 0; i < n.nSegments; i++) {
    for (let j = 0; j < 2 * d; j++) samples[2 * d * i + j] = signs[i] * segmentScale * segment[j];
  }
  const at = n.nSegments * d;
  for (let i = 0; i < n.trainingGuard + 2 * n.fftSize; i++) {
    const source = (i - n.trainingGuard + n.fftSize) % n.fftSize;
    samples[2 * (at + i)] = trainingScale * symbol[2 * source];
    samples[2 * (at + i) + 1] = trainingScale * symbol[2 * source + 1];
  }
  return { signs, products, training, samples };
}

const cache = new Map<number, Preamble>();

/** The preamble of a numerology, made once. */
export function preamble(n: Numerology): Preamble {
  let p = cache.get(n.id);
  if (!p) {
    p = build(n);
    cache.set(n.id, p);
  }
  return p;
}
