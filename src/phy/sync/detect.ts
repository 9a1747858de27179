import { correlateKernel } from '../kernels/correlate/correlate.ts';
import { SEGMENT_HOPS, SearchPast, type SearchPattern } from '../kernels/correlate/correlate-kernel.ts';
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

const FALSE_ALARM_EXPONENT = 13.5;
/** Inside another burst the threshold is so many times higher: its samples are less independent than noise. */
const STRICT = 1.6;
/** A carrier with more than this share of the energy is told of. */
export const TONE_SHARE = 0.75;
/** Samples whose metrics are computed at once: more would be for nothing where a burst begins. */
const AHEAD = 2048;

/** Consumes samples in order; results refer to absolute sample indices. */
export class Detector {
  private readonly n: Numerology;
  private readonly pattern: SearchPattern;
  readonly hop: number;
  readonly threshold: number;
  /** Most samples between a preamble's start and the next hop when it (or a runner-up) is reported. */
  readonly lookahead: number;
  private readonly past: SearchPast;
  /** Metrics of hops computed ahead, from hop `aheadFrom` on. */
  private readonly metric: { re: Float32Array; im: Float32Array; plain: Float32Array };
  private aheadFrom = 0;
  private aheadTo = 0;
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
    const { products } = preamble(numerology);
    const lag = numerology.segmentLength;
    this.n = numerology;
    this.hop = lag / SEGMENT_HOPS;
    this.pattern = { lag, hop: this.hop, products };
    this.threshold = Math.sqrt(FALSE_ALARM_EXPONENT / (products.length * lag));
    this.past = new SearchPast(this.pattern);
    const most = AHEAD / this.hop;
    this.metric = { re: new Float32Array(most), im: new Float32Array(most), plain: new Float32Array(most) };
    this.lookahead = (3 * numerology.nSegments + 2) * lag;
  }

  /** Starts anew at an absolute sample index; up to `strictUntil` the samples belong to another burst. */
  reset(index: number, strictUntil = index): void {
    this.firstIndex = index;
    this.strictUntil = strictUntil;
    this.hops = 0;
    this.aheadFrom = 0;
    this.aheadTo = 0;
    this.past.reset();
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

  /** First sample that has not been examined. */
  get nextIndex(): number {
    return this.firstIndex + this.hops * this.hop;
  }

  /**
   * Examines hop after hop of `samples` [..][re, im], whose first one has the absolute index `start`; a hop is examined when a
   * segment's length of samples behind it is there. Returns a detection once no stronger one can follow within a preamble's
   * length (the sidelobes of the sign pattern reach that far), 'tone' behind a hop at which `toneShare` exceeds TONE_SHARE, or
   * null when the samples are used up.
   */
  scan(samples: Float32Array, start: number): Detection | 'tone' | null {
    const { re, im, plain } = this.metric;
    const count = this.pattern.products.length;
    const toneLimit = (TONE_SHARE * count) ** 2;
    const strict = (STRICT * this.threshold * count) ** 2;
    const usual = (this.threshold * count) ** 2;
    const settling = (count + 1) * SEGMENT_HOPS;
    for (;;) {
      if (this.hops === this.aheadTo && !this.computeAhead(samples, start)) return null;
      for (let h = this.hops - this.aheadFrom, end = this.aheadTo - this.aheadFrom; h < end; h++) {
        this.hops = this.aheadFrom + h + 1;
        const begin = this.hops - settling;
        if (begin < 0) continue;
        const square = re[h] * re[h] + im[h] * im[h];
        if (square > usual) {
          const index = this.firstIndex + begin * this.hop;
          if (index >= this.strictUntil || square > strict) {
            const cfo = Math.atan2(im[h], re[h]) / (2 * Math.PI * this.n.segmentLength);
            this.keep({ index, rho: Math.sqrt(square) / count, cfo }, begin);
          }
        }
        const { best } = this;
        if (best && begin - this.bestHop >= this.n.nSegments * SEGMENT_HOPS) {
          this.best = null;
          this.toneShare = Math.sqrt(plain[h]) / count;
          return best;
        }
        if (!(plain[h] >= toneLimit)) continue;
        this.toneShare = Math.sqrt(plain[h]) / count;
        return 'tone';
      }
    }
  }

  /** Metrics of the next hops, as many as there are samples for; false when for none. */
  private computeAhead(samples: Float32Array, start: number): boolean {
    const { hop, metric } = this;
    const at = this.nextIndex - start;
    const there = Math.floor((samples.length / 2 - this.n.segmentLength - at) / hop);
    const some = Math.min(metric.re.length, there);
    if (some < 1) return false;
    correlateKernel().search(this.pattern, this.past, samples, at, some, metric, 0);
    this.aheadFrom = this.hops;
    this.aheadTo = this.hops + some;
    return true;
  }

  /** Remembers a metric above the threshold if it is the strongest or the strongest apart from that. */
  private keep(found: Detection, start: number): void {
    const { best } = this;
    if (best && found.rho <= best.rho) {
      const apart = start - this.bestHop > SEGMENT_HOPS;
      if (apart && found.rho > (this.second?.rho ?? 0)) this.second = found;
      return;
    }
    if (best && start - this.bestHop > SEGMENT_HOPS) this.second = best;
    this.best = found;
    this.bestHop = start;
  }

  describe(): string {
    const l = this.pattern.products.length * this.n.segmentLength;
    return `detector: signed autocorrelation over ${l} samples, threshold ${this.threshold.toFixed(3)}`;
  }
}
