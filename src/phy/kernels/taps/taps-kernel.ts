/** Taps of the longest filter: 10 us at 61.44 Msps, and the width of a fractional delay. */
export const MAX_TAPS = 768;
/** Samples of the longest way from one filter to the next. */
export const MAX_SPACING = 1024;

/** How a filter changes over `spacing` samples. */
export interface FilterChange {
  /** [taps][re, im], in ascending order of the input sample; up to MAX_TAPS. */
  readonly first: Float64Array;
  readonly second: Float64Array;
  /** From one filter to the next, samples; a power of two up to MAX_SPACING. */
  readonly spacing: number;
  /** Over which a filter is held, samples; a power of two up to `spacing`. */
  readonly hold: number;
  /** line: from first to second; sum: first, and more and more of second. */
  readonly kind: 'line' | 'sum';
}

/**
 * Convolution with a filter that changes with time:
 *
 *   out[i] = sum_l h_i[l] x[i + l],   h_i = (1 - w) first + w second (line) or first + w second (sum),
 *
 * w = the middle of the hold interval that sample `within` + i of the change lies in, over `spacing`. Both kernels sum even and odd taps
 * apart in double precision and agree to the bit: a seed stands for a channel.
 */
export interface TapsKernel {
  /**
   * x [..][re, im] from sample `at` on (taps - 1 + count samples); out [..][re, im] from sample `outAt` on. count <= spacing - within.
   * O(taps x count).
   */
  run(
    change: FilterChange,
    within: number,
    x: Float32Array,
    at: number,
    out: Float32Array,
    outAt: number,
    count: number,
  ): void;
}
