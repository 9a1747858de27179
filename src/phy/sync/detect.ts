import type { Numerology } from '../numerology.ts';
import { preamble } from './preamble.ts';

/**
 * Burst detection by signed differential autocorrelation.
 *
 * With lag D (one segment) and p(n) = conj(r(n)) r(n + D), the metric at n is the mean over the P - 1 pairs of segments of
 *   c_i sum_{m < D} p(n + iD + m) / sqrt(E_i E_(i+1)),   rho(n) = |mean|,
 * E_i the energy of segment i [Schmidl97 eq. 5-8, with the sign pattern of Minn03 taken further]. Every pair is normalised
 * by itself, so that a pulse or the edge of a strong signal spoils the pairs it touches and no more. It is evaluated once
 * a hop of D/4 samples. In noise P(rho > t) = exp(-(P-1) D t^2); `threshold` sets that to about 1e-6 a hop. The mean's
 * argument is 2 pi D cfo / rate and gives the frequency offset modulo rate / D (4 subcarriers).
 *
 * Without the signs c_i the mean is the share of the energy that a carrier has: `toneShare`.
 */
export interface Detection {
  /** Sample index of the preamble's start, to about D/8. */
  readonly index: number;
  readonly rho: number;
  /** Frequency offset in cycles a sample, modulo 1/D. */
  readonly cfo: number;
}

const HOPS_PER_SEGMENT = 4;
/** A segment with less energy is digital silence, whatever its shape. */
const LEAST_ENERGY = 1e-20;
const FALSE_ALARM_EXPONENT = 13.5;
/** Inside another burst the threshold is so many times higher: its samples are less independent than noise. */
const STRICT = 1.6;

/** Consumes samples in order; results refer to absolute sample indices. */
export class Detector {
  private readonly n: Numerology;
  private readonly products: Int8Array;
  readonly hop: number;
  readonly threshold: number;
  /** Most samples between a preamble's start and the next hop when it (or a runner-up) is reported. */
  readonly lookahead: number;
  // Rings over hops: lag products and energies of single hops, and normalised products of the segment that starts there.
  private readonly ringSize: number;
  private readonly crossRe: Float64Array;
  private readonly crossIm: Float64Array;
  private readonly energy: Float64Array;
  private readonly pairRe: Float64Array;
  private readonly pairIm: Float64Array;
  private hops = 0;
  private firstIndex = 0;
  private strictUntil = 0;
  private best: Detection | null = null;
  private bestHop = 0;
  /** The strongest beside the best one, a segment away from it at least. */
  private second: Detection | null = null;
  /** Share of a carrier in the last preamble's length of samples, 0 to 1; 0 until there are so many. */
  toneShare = 0;

  constructor(numerology: Numerology) {
    this.n = numerology;
    this.products = preamble(numerology).products;
    this.hop = numerology.segmentLength / HOPS_PER_SEGMENT;
    this.threshold = Math.sqrt(FALSE_ALARM_EXPONENT / (this.products.length * numerology.segmentLength));
    this.ringSize = 4 * HOPS_PER_SEGMENT * numerology.nSegments;
    this.crossRe = new Float64Array(this.ringSize);
    this.crossIm = new Float64Array(this.ringSize);
    this.energy = new Float64Array(this.ringSize);
    this.pairRe = new Float64Array(this.ringSize);
    this.pairIm = new Float64Array(this.ringSize);
    this.lookahead = (3 * numerology.nSegments + 2) * numerology.segmentLength;
  }

  /** Starts anew at an absolute sample index; up to `strictUntil` the samples belong to another burst. */
  reset(index: number, strictUntil = index): void {
    this.firstIndex = index;
    this.strictUntil = strictUntil;
    this.hops = 0;
    this.best = null;
    this.second = null;
    this.toneShare = 0;
  }

  /** First sample of the stretch that `toneShare` is about. */
  get stretchStart(): number {
    return this.nextIndex - this.n.nSegments * this.n.segmentLength;
  }

  /** What was strongest beside the detection reported last, for when that one was none; told once. */
  takeRunnerUp(): Detection | null {
    const runnerUp = this.second;
    this.second = null;
    return runnerUp;
  }

  /** First sample that the next call of `push` must be given. */
  get nextIndex(): number {
    return this.firstIndex + this.hops * this.hop;
  }

  /**
   * Examines one hop. `samples` is [..][re, im]; the hop starts at sample `at`, and hop + D samples from there on must
   * be present. Returns a detection once no stronger one can follow within a preamble's length (the sidelobes of the
   * sign pattern reach that far), else null.
   */
  push(samples: Float32Array, at: number): Detection | null {
    const d = this.n.segmentLength;
    const { hop, ringSize } = this;
    let re = 0;
    let im = 0;
    let e = 0;
    for (let i = 2 * at, j = 2 * (at + d), end = 2 * (at + hop); i < end; i += 2, j += 2) {
      const a = samples[i];
      const b = samples[i + 1];
      const c = samples[j];
      const f = samples[j + 1];
      re += a * c + b * f;
      im += a * f - b * c;
      e += a * a + b * b;
    }
    const slot = this.hops % ringSize;
    this.crossRe[slot] = re;
    this.crossIm[slot] = im;
    this.energy[slot] = e;
    this.hops++;
    if (this.hops >= 2 * HOPS_PER_SEGMENT) this.normalise(this.hops - 2 * HOPS_PER_SEGMENT);
    const start = this.hops - (this.products.length + 1) * HOPS_PER_SEGMENT;
    if (start < 0) return null;
    this.evaluate(start);
    const best = this.best;
    if (best && start - this.bestHop >= this.n.nSegments * HOPS_PER_SEGMENT) {
      this.best = null;
      return best;
    }
    return null;
  }

  /** Normalised lag product of the segment that starts at hop `first` with the next segment. */
  private normalise(first: number): void {
    const { ringSize, crossRe, crossIm, energy } = this;
    let re = 0;
    let im = 0;
    let e1 = 0;
    let e2 = 0;
    for (let h = first; h < first + HOPS_PER_SEGMENT; h++) {
      const i = h % ringSize;
      re += crossRe[i];
      im += crossIm[i];
      e1 += energy[i];
      e2 += energy[(h + HOPS_PER_SEGMENT) % ringSize];
    }
    const norm = Math.sqrt(e1 * e2);
    const scale = norm > LEAST_ENERGY ? 1 / norm : 0;
    const at = first % ringSize;
    this.pairRe[at] = scale * re;
    this.pairIm[at] = scale * im;
  }

  private evaluate(start: number): void {
    const { ringSize, products, pairRe, pairIm } = this;
    const count = products.length;
    let re = 0;
    let im = 0;
    let plainRe = 0;
    let plainIm = 0;
    let index = start % ringSize;
    for (let i = 0; i < count; i++) {
      const pr = pairRe[index];
      const pi = pairIm[index];
      re += products[i] * pr;
      im += products[i] * pi;
      plainRe += pr;
      plainIm += pi;
      index += HOPS_PER_SEGMENT;
      if (index >= ringSize) index -= ringSize;
    }
    this.toneShare = Math.sqrt(plainRe * plainRe + plainIm * plainIm) / count;
    const rho = Math.sqrt(re * re + im * im) / count;
    const found = this.firstIndex + start * this.hop;
    if (!(rho > (found < this.strictUntil ? STRICT : 1) * this.threshold)) return;
    const cfo = Math.atan2(im, re) / (2 * Math.PI * this.n.segmentLength);
    this.keep({ index: found, rho, cfo }, start);
  }

  /** Remembers a metric above the threshold if it is the strongest or the strongest apart from that. */
  private keep(found: Detection, start: number): void {
    const { best } = this;
    if (best && found.rho <= best.rho) {
      const apart = start - this.bestHop > HOPS_PER_SEGMENT;
      if (apart && found.rho > (this.second?.rho ?? 0)) this.second = found;
      return;
    }
    if (best && start - this.bestHop > HOPS_PER_SEGMENT) this.second = best;
    this.best = found;
    this.bestHop = start;
  }

  describe(): string {
    const l = this.products.length * this.n.segmentLength;
    return `detector: signed autocorrelation over ${l} samples, threshold ${this.threshold.toFixed(3)}`;
  }
}
