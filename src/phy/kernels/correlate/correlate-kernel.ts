/** A preamble's repetition as the search looks for it. */
export interface SearchPattern {
  /** Samples from one segment to the next, and of one hop: a quarter of a segment. */
  readonly lag: number;
  readonly hop: number;
  /** Products of neighbouring segments' signs, +-1, [segments - 1], at most 32. */
  readonly products: Int8Array;
}

/** Hops of a segment. */
export const SEGMENT_HOPS = 4;
/** A segment with less energy is digital silence, whatever its shape. */
export const LEAST_ENERGY = 1e-20;
/** Hops whose products and energies belong to a pair of segments, less the newest one. */
const PAIR_PAST = 2 * SEGMENT_HOPS - 1;

/** What goes on from one call to the next: the last hops' products and energies, the last pairs. A kernel may hold them itself. */
export class SearchPast {
  /** [re, im, energy][7 hops] */
  readonly hops = new Float32Array(3 * PAIR_PAST);
  /** [re, im][hops before the newest pair of the metric] */
  readonly pairs: Float32Array;
  /** What stands here is what counts, no kernel's copy. */
  here = true;

  constructor({ products }: SearchPattern) {
    this.pairs = new Float32Array(2 * SEGMENT_HOPS * (products.length - 1));
  }

  /** Silence before the next hop. */
  reset(): void {
    this.hops.fill(0);
    this.pairs.fill(0);
    this.here = true;
  }
}

/** Results of a search, one a hop: the one of hop h is about the preamble whose last segment ends with it. */
export interface SearchMetric {
  /** Signed sum over the pairs of segments, re and im, [hop]. */
  readonly re: Float32Array;
  readonly im: Float32Array;
  /** |plain sum|^2, [hop]. */
  readonly plain: Float32Array;
}

/**
 * Correlation of samples x(n) with later ones.
 *
 * `search`: with p(n) = conj(x(n)) x(n + lag), pair(h) = sum of p over the segment of four hops from h on, over
 * sqrt(E E'), E and E' the energies of that segment and the next (0 where there is hardly any),
 *   re, im(h) = sum_i products_i pair(h' + 4 i),   plain(h) = |sum_i pair(h' + 4 i)|^2,
 * h' the hop at which the preamble that ends with hop h begins. Hops before the first of a fresh past count as silence.
 */
export interface CorrelateKernel {
  /**
   * `count` hops from sample `at` of `samples` [..][re, im] on, which must hold lag samples more; results to `metric` from
   * element `to` on. O(count (hop + segments)).
   */
  search(
    pattern: SearchPattern,
    past: SearchPast,
    samples: Float32Array,
    at: number,
    count: number,
    metric: SearchMetric,
    to: number,
  ): void;
  /**
   * Of segments of `length` samples, a multiple of 4, each with its sign, one after the other from sample `at` on, with those
   * some segments on, for every one of `lags` L:
   *   out[..] = sum_s signs_s signs_(s + L) sum_i conj(x_s(i)) x_(s + L)(i), [re, im], and sum_s sum_i |x_s(i)|^2.
   * Before the array there is silence. At most 4096 samples, 52 segments.
   */
  repeated(
    samples: Float32Array,
    at: number,
    length: number,
    signs: Int8Array,
    lags: readonly number[],
    out: Float64Array,
  ): void;
}
