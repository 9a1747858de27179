import { commonVariance, shrink } from '../channel-est/noise.ts';
import { correlateKernel } from '../kernels/correlate/correlate.ts';
import { type FftKernel, fftKernel } from '../kernels/fft/fft.ts';
import { type Numerology, SUBBAND_CARRIERS } from '../numerology.ts';
import { OfdmDemodulator } from '../ofdm/demodulate.ts';
import { CarrierShift } from './carrier-shift.ts';
import type { Detection } from './detect.ts';
import { type Preamble, preamble } from './preamble.ts';

/** Share of the impulse response's energy that must lie within one cyclic prefix (noise alone: about 0.1). */
const MIN_CONCENTRATION = 0.22;
/** Noise that every reception is taken to have, relative to the signal: -60 dB, what 10 bits leave. */
const LEAST_NOISE = 1e-6;
/** What counts as the last path, relative to the strongest: what lies behind the prefix costs more than a first path missed. */
const TAIL_SHARE = 0.005;
/** Keeps variances finite where there is nothing but zeros. */
const LEAST_COHERENCE = 1e-6;

/** What the preamble tells about a burst. */
export interface Acquisition {
  /** Sample index (relative to the array given) of the preamble's first sample on the first path. */
  readonly start: number;
  /** Frequency offset, cycles a sample. */
  readonly cfo: number;
  /** Variance of that estimate, (cycles a sample)^2. */
  readonly cfoVariance: number;
  /** Samples by which every FFT window begins before the end of its cyclic prefix. */
  readonly backoff: number;
  /** Channel by least squares over both training symbols, [nCarriers][re, im]; delays count from the window. */
  readonly channel: Float32Array;
  /** Noise variance per RE, from the difference of the training symbols. */
  readonly noiseVariance: number;
  /** The same of each subband, alike unless an interferer shows, [nSubbands]. */
  readonly subbandNoise: Float64Array;
  /** Energy share of the impulse response in one cyclic prefix. */
  readonly concentration: number;
}

/**
 * From a detection to timing, frequency offset and channel: refines the offset with longer lags of the detection
 * part, resolves its ambiguity of 4 subcarriers on the training symbols, finds the first path in the impulse
 * response, and averages the two training symbols.
 */
export class Acquirer {
  private readonly n: Numerology;
  private readonly known: Preamble;
  private readonly demodulator: OfdmDemodulator;
  /** The two training symbols, [2][nCarriers][re, im]. */
  private readonly pair: Float32Array;
  private readonly offsets = new Int32Array(2);
  private readonly delays = new Float64Array(2);
  /** Segments after which the detection part is compared with itself, and what comes of it, [lag][re, im, energy]. */
  private readonly lags: readonly number[];
  private readonly lagged: Float64Array;
  private readonly carrierShift: CarrierShift;
  private readonly impulse: Float32Array;
  private readonly taper: Float32Array;
  private readonly impulseFft: FftKernel;

  constructor(numerology: Numerology) {
    this.n = numerology;
    this.known = preamble(numerology);
    this.demodulator = new OfdmDemodulator(numerology);
    this.pair = new Float32Array(4 * numerology.nCarriers);
    this.lags = lagsOf(numerology.nSegments);
    this.lagged = new Float64Array(3 * this.lags.length);
    this.carrierShift = new CarrierShift(numerology);
    this.impulse = new Float32Array(2 * numerology.fftSize);
    this.impulseFft = fftKernel(numerology.fftSize);
    this.taper = new Float32Array(numerology.nCarriers);
    for (let c = 0; c < numerology.nCarriers; c++) {
      this.taper[c] = 0.5 - 0.5 * Math.cos((2 * Math.PI * (c + 0.5)) / numerology.nCarriers);
    }
  }

  /** Samples before and after `detection.index` that `acquire` may touch. */
  get margin(): { before: number; after: number } {
    return { before: this.n.segmentLength, after: this.n.preambleLength + 2 * this.n.segmentLength };
  }

  /**
   * `at` is the position of detection.index in `samples`. `flat`: the same samples with a flat spectrum, in which timing
   * and frequency are looked for. Returns null when the preamble is not there after all.
   */
  acquire(samples: Float32Array, at: number, detection: Detection, flat = samples): Acquisition | null {
    const n = this.n;
    const { fftSize, cpLength } = n;
    const coarse = this.refine(flat, at, detection);
    const window = at + n.nSegments * n.segmentLength + n.trainingGuard - cpLength;
    const both = this.demodulator.transformSum(flat, window, coarse.cfo);
    const shift = this.carrierShift.find(both, coarse.cfo);
    if (shift === null) return null;
    const path = this.firstPath(both, shift);
    if (path === null) return null;

    // A first path that has faded now comes back later in the burst, in a narrow band up to a resolution cell before the one
    // found: where the prefix has room for it, the window begins so much earlier.
    const cell = Math.min(cpLength >> 2, Math.round(fftSize / n.nCarriers));
    const backoff = Math.max(1, cpLength >> 3, path.spread > cpLength / 3 ? 0 : cell);
    const start = at + path.delay - cpLength;
    // The window at T1 - backoff with the offset known, and the rest of the offset from the pair of symbols.
    let cfo = coarse.cfo + shift / fftSize;
    const trainingAt = start + n.nSegments * n.segmentLength + n.trainingGuard - backoff;
    if (trainingAt < 0 || 2 * (trainingAt + 2 * fftSize) > samples.length) return null;
    const channel = new Float32Array(2 * n.nCarriers);
    const pair = this.trainingPair(flat, start, trainingAt, cfo);
    const coherence = Math.min(0.9999, Math.max(LEAST_COHERENCE, pair.coherence));
    const varianceA = coarse.variance;
    const varianceB = (1 - coherence ** 2) / (2 * coherence ** 2 * n.nCarriers) / (2 * Math.PI * fftSize) ** 2;
    const correction = pair.phase / (2 * Math.PI * fftSize);
    // Both estimates agree within their errors: weight them; else trust the training symbols.
    const weight = correction ** 2 < 16 * (varianceA + varianceB) ? varianceA / (varianceA + varianceB) : 1;
    cfo += weight * correction;
    const cfoVariance = weight === 1 ? varianceB : (varianceA * varianceB) / (varianceA + varianceB);
    const last = this.trainingPair(flat, start, trainingAt, cfo);
    if (flat !== samples) this.demodulatePair(samples, start, trainingAt, cfo);
    const { power, subbandNoise } = this.leastSquares(last, channel);
    // Rounding differs from subband to subband by orders of magnitude: without a floor the noisier would count for nothing.
    let noiseVariance = 0;
    for (let s = 0; s < n.nSubbands; s++) {
      subbandNoise[s] += LEAST_NOISE * power;
      noiseVariance += subbandNoise[s] / n.nSubbands;
    }
    const common = commonVariance(subbandNoise, SUBBAND_CARRIERS);
    return {
      start,
      cfo,
      cfoVariance,
      backoff,
      channel,
      noiseVariance,
      subbandNoise: shrink(subbandNoise, SUBBAND_CARRIERS, () => common).values,
      concentration: path.concentration,
    };
  }

  /**
   * Channel over both training symbols, [nCarriers][re, im], its mean power, and the noise of each subband from their difference.
   * `phase`: the common one between them, which is offset, not noise.
   */
  private leastSquares(phase: { cos: number; sin: number }, channel: Float32Array) {
    const n = this.n;
    const { nCarriers } = n;
    const both = this.pair;
    const { training } = this.known;
    const { cos, sin } = phase;
    const subbandNoise = new Float64Array(n.nSubbands);
    let power = 0;
    let c = 0;
    for (let s = 0; s < n.nSubbands; s++) {
      let difference = 0;
      for (const end = c + SUBBAND_CARRIERS; c < end; c++) {
        const b = 2 * (nCarriers + c);
        const ar = both[2 * c];
        const ai = both[2 * c + 1];
        const br = both[b];
        const bi = both[b + 1];
        const tr = training[2 * c];
        const ti = training[2 * c + 1];
        const re = (ar + br) / 2;
        const im = (ai + bi) / 2;
        const hr = re * tr + im * ti;
        const hi = im * tr - re * ti;
        channel[2 * c] = hr;
        channel[2 * c + 1] = hi;
        power += hr * hr + hi * hi;
        const dr = ar - br * cos - bi * sin;
        const di = ai - bi * cos + br * sin;
        difference += dr * dr + di * di;
      }
      subbandNoise[s] = difference / (2 * SUBBAND_CARRIERS);
    }
    return { power: power / nCarriers, subbandNoise };
  }

  /** Frequency offset (modulo 4 subcarriers) from lags of 4, 8 and 16 segments of the detection part. */
  private refine(samples: Float32Array, at: number, detection: Detection): { cfo: number; variance: number } {
    const { nSegments, segmentLength: d } = this.n;
    const { lags, lagged } = this;
    correlateKernel().repeated(samples, at, d, this.known.signs, lags, lagged);
    let cfo = detection.cfo;
    let variance = 1;
    for (let l = 0; l < lags.length; l++) {
      const lag = lags[l];
      const re = lagged[3 * l];
      const im = lagged[3 * l + 1];
      const energy = lagged[3 * l + 2];
      const expected = 2 * Math.PI * cfo * lag * d;
      const residual = wrap(Math.atan2(im, re) - expected);
      cfo += residual / (2 * Math.PI * lag * d);
      const rho = Math.min(0.999, Math.max(LEAST_COHERENCE, Math.sqrt(re * re + im * im) / (energy + 1e-30)));
      const count = (nSegments - lag) * d;
      variance = (1 - rho ** 2) / (2 * rho ** 2 * count) / (2 * Math.PI * lag * d) ** 2;
    }
    return { cfo, variance };
  }

  /** Delay of the first path after the window, from there to the last one (samples), and how concentrated all of them are. */
  private firstPath(
    both: Float32Array,
    shift: number,
  ): { delay: number; spread: number; concentration: number } | null {
    const { fftSize, nCarriers, bins, cpLength, segmentLength } = this.n;
    const { training } = this.known;
    const { impulse, taper } = this;
    const mask = fftSize - 1;
    impulse.fill(0);
    for (let c = 0; c < nCarriers; c++) {
      const b = 2 * ((bins[c] + shift) & mask);
      const yr = both[b];
      const yi = both[b + 1];
      const tr = training[2 * c];
      const ti = training[2 * c + 1];
      impulse[2 * bins[c]] = taper[c] * (yr * tr + yi * ti);
      impulse[2 * bins[c] + 1] = taper[c] * (yi * tr - yr * ti);
    }
    this.impulseFft.inverse(impulse, 0, impulse, 0);
    const power = (i: number) => {
      const k = 2 * (i & mask);
      return impulse[k] * impulse[k] + impulse[k + 1] * impulse[k + 1];
    };
    // A detection is certain to a fraction of a segment; paths come up to a cyclic prefix later.
    const from = cpLength - segmentLength / 2;
    const to = cpLength + segmentLength / 2 + cpLength;
    let total = 0;
    let peak = 0;
    let peakAt = 0;
    for (let i = 0; i < fftSize; i++) total += power(i);
    for (let i = from; i <= to; i++) {
      const p = power(i);
      if (p > peak) {
        peak = p;
        peakAt = i;
      }
    }
    if (!(peak > 0)) return null;
    // Best stretch of one prefix around the peak; the rest is noise.
    let around = 0;
    for (let i = peakAt - cpLength; i < peakAt; i++) around += power(i);
    let bestAround = around;
    for (let i = peakAt; i <= peakAt + cpLength; i++) {
      around += power(i) - power(i - cpLength);
      bestAround = Math.max(bestAround, around);
    }
    const concentration = bestAround / total;
    if (concentration < MIN_CONCENTRATION) return null;
    const floor = Math.max((total - bestAround) / (fftSize - cpLength), 0);
    const threshold = Math.max(peak * 0.02, floor * 9);
    let delay = peakAt;
    for (let i = peakAt - cpLength; i < peakAt; i++) {
      if (power(i) > threshold) {
        delay = i;
        break;
      }
    }
    let last = peakAt + cpLength;
    const tail = Math.max(peak * TAIL_SHARE, floor * 9);
    while (last > peakAt && power(last) <= tail) last--;
    // The taper widens a path by about 1.5 resolution cells to either side.
    const widened = Math.round((1.5 * fftSize) / nCarriers);
    if (delay < peakAt) delay = Math.min(peakAt, delay + widened);
    return { delay, spread: Math.max(peakAt, last - widened) - delay, concentration };
  }

  /** The two training symbols into `pair`, the offset taken out with phase 0 at sample `start`. */
  private demodulatePair(samples: Float32Array, start: number, trainingAt: number, cfo: number): void {
    const { offsets, delays, pair } = this;
    offsets[0] = trainingAt - start;
    offsets[1] = offsets[0] + this.n.fftSize;
    this.demodulator.demodulateSymbols(samples, start, offsets, delays, 2, cfo, pair, 0);
  }

  private trainingPair(samples: Float32Array, start: number, trainingAt: number, cfo: number) {
    const { pair } = this;
    this.demodulatePair(samples, start, trainingAt, cfo);
    const second = pair.length >> 1;
    let re = 0;
    let im = 0;
    let energy = 0;
    for (let i = 0, j = second; i < second; i += 2, j += 2) {
      const ar = pair[i];
      const ai = pair[i + 1];
      const br = pair[j];
      const bi = pair[j + 1];
      re += ar * br + ai * bi;
      im += ar * bi - ai * br;
      energy += (ar * ar + ai * ai + br * br + bi * bi) / 2;
    }
    const magnitude = Math.sqrt(re * re + im * im) + 1e-30;
    return {
      phase: Math.atan2(im, re),
      cos: re / magnitude,
      sin: im / magnitude,
      coherence: magnitude / (energy + 1e-30),
    };
  }
}

function wrap(phase: number): number {
  return phase - 2 * Math.PI * Math.round(phase / (2 * Math.PI));
}

/** 4, 8, 16 segments, as far as half of them; of many the 8 say little beside the 16. */
function lagsOf(nSegments: number): number[] {
  const lags = nSegments > 32 ? [4, 16] : [4, 8, 16];
  return lags.filter((lag) => lag <= nSegments / 2);
}
