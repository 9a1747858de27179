import type { Numerology } from '../numerology.ts';
import { preamble } from './preamble.ts';

/**
 * Burst detection by signed differential autocorrelation.
 *
 * With lag D (one segment), p(n) = conj(r(n)) r(n + D), the metric at n is
 *   M(n) = sum_i c_i sum_{m < D} p(n + iD + m),   rho(n) = |M(n)| / sqrt(E1 E2),
 * E1 and E2 the energies of the two stretches compared [Schmidl97 eq. 5-8, with the sign pattern of Minn03 taken
 * further]. It is evaluated once a hop of D/4 samples. In noise P(rho > t) = exp(-(P-1) D t^2); `threshold` sets
 * that to about 1e-6 a hop. arg M = 2 pi D cfo / rate gives the frequency offset modulo rate / D (4 subcarriers).
 */
export interface Detection {
  /** Sample index of the preamble's start, to about D/8. */
  readonly index: number;
  readonly rho: number;
  /** Frequency offset in cycles a sample, modulo 1/D. */
  readonly cfo: number;
}

const HOPS_PER_SEGMENT = 4;
const FALSE_ALARM_EXPONENT = 13.5;

/** Consumes samples in order; results refer to absolute sample indices. */
export class Detector {
  private readonly n: Numerology;
  private readonly products: Int8Array;
  readonly hop: number;
  readonly threshold: number;
  /** Samples needed after a preamble's start before it can be reported. */
  readonly lookahead: number;
  // Rings over hops: lag-product sums and energies of single hops.
  private readonly ringSize: number;
  private readonly crossRe: Float64Array;
  private readonly crossIm: Float64Array;
  private readonly energy: Float64Array;
  private hops = 0;
  private firstIndex = 0;
  private best: Detection | null = null;
  private bestHop = 0;

  constructor(numerology: Numerology) {
    this.n = numerology;
    this.products = preamble(numerology).products;
    this.hop = numerology.segmentLength / HOPS_PER_SEGMENT;
    this.threshold = Math.sqrt(FALSE_ALARM_EXPONENT / (this.products.length * numerology.segmentLength));
    this.ringSize = 4 * HOPS_PER_SEGMENT * numerology.nSegments;
    this.crossRe = new Float64Array(this.ringSize);
    this.crossIm = new Float64Array(this.ringSize);
    this.energy = new Float64Array(this.ringSize);
    this.lookahead = (2 * numerology.nSegments + 2) * numerology.segmentLength;
  }

  /** Starts anew at an absolute sample index. */
  reset(index: number): void {
    this.firstIndex = index;
    this.hops = 0;
    this.best = null;
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

  private evaluate(start: number): void {
    const { ringSize, products, crossRe, crossIm, energy } = this;
    let re = 0;
    let im = 0;
    let e1 = 0;
    let index = start % ringSize;
    for (let i = 0; i < products.length; i++) {
      let sRe = 0;
      let sIm = 0;
      for (let h = 0; h < HOPS_PER_SEGMENT; h++) {
        sRe += crossRe[index];
        sIm += crossIm[index];
        e1 += energy[index];
        if (++index === ringSize) index = 0;
      }
      re += products[i] * sRe;
      im += products[i] * sIm;
    }
    // The later stretch lies one segment on.
    let e2 = e1;
    for (let h = 0; h < HOPS_PER_SEGMENT; h++) {
      e2 += energy[index] - energy[(start + h) % ringSize];
      if (++index === ringSize) index = 0;
    }
    const norm = Math.sqrt(e1 * Math.max(e2, 0));
    if (!(norm > 0)) return;
    const rho = Math.hypot(re, im) / norm;
    if (rho > this.threshold && (!this.best || rho > this.best.rho)) {
      const d = this.n.segmentLength;
      this.best = {
        index: this.firstIndex + start * this.hop,
        rho,
        cfo: Math.atan2(im, re) / (2 * Math.PI * d),
      };
      this.bestHop = start;
    }
  }

  describe(): string {
    const l = this.products.length * this.n.segmentLength;
    return `detector: signed autocorrelation over ${l} samples, threshold ${this.threshold.toFixed(3)}`;
  }
}
