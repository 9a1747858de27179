/** Samples that share a value of the mean; what a kernel is given is a whole number of these. */
export const DC_GROUP = 16;
/** Samples over which the running mean settles: a notch of some 40 Hz at 7.68 Msps. */
export const DC_MEMORY = 1 << 15;
/** Samples of nothing that the mean begins with, so that a stream's first samples are not taken for DC. */
export const DC_FIRST = 64;
/** After so many samples of exactly 0 the input is silent: a file without noise, or a gap that a driver filled. */
export const DC_SILENT = 64;
/** Samples beyond this many times full scale, squared, are none: one would spoil the mean for long. */
export const DC_MAX_POWER = 1e10;

/** Samples of a stretch whose changes are summed. */
export const DC_STRETCH = 64;

/** What a DC blocker knows of the samples so far, f64 [mean re, mean im, samples that made it, zeros in a row, not finite]. */
export const DC_STATE = 5;

/**
 * What is done to every sample that a receiver holds, where it stands: the kernel's memory is the window of the stream, so that
 * nothing is copied but what comes in. One kernel a window.
 *
 * `process` removes DC with a running mean that steps once a group of 16 samples:
 *
 *   out(n) = x(n) - mean,   then   mean += (sum of the group's x - 16 mean) / (63 + samples so far, this group included),
 *
 * the plain mean of the stream behind 63 samples of nothing, until DC_MEMORY samples have been seen, and from then on
 * exponential with that memory. Samples that are not finite, or beyond DC_MAX_POWER, become 0 and are counted; where more than
 * DC_SILENT samples of exactly 0 follow one another the output is 0, too.
 */
export interface DcKernel {
  /** Room for the samples held, [..][re, im]; another array after `reserve`. */
  readonly samples: Float32Array;
  /** Makes room for `count` samples at least; those held stay. */
  reserve(count: number): void;
  /** input: [n][re, im], n a multiple of 16, to the samples held from number `at` on; state: [DC_STATE], taken on. O(n). */
  process(state: Float64Array, input: Float32Array, at: number): void;
  /** The same of one group, to an array of the caller's. */
  processGroup(state: Float64Array, group: Float32Array, out: Float32Array): void;
  /**
   * Sums over samples [from, to) of those held: out = [re, im, |x|^2]; and of every whole stretch of 64 from `from` on how much
   * it changes, sum |x - its first sample|^2, to changes[stretch]. O(to - from).
   */
  sums(from: number, to: number, out: Float64Array, changes: Float32Array): void;
  /**
   * Correlation of neighbours over samples [from, to), a multiple of 8,
   * 2 |sum conj(x(n)) x(n + 1)| / sum (|x(n)|^2 + |x(n + 1)|^2), n every 4th sample from `from` on.
   */
  colour(from: number, to: number): number;
}
