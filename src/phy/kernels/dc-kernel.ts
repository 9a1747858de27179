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
 * Removes DC with a running mean that steps once a group of 16 samples:
 *
 *   out(n) = x(n) - mean,   then   mean += (sum of the group's x - 16 mean) / (63 + samples so far, this group included),
 *
 * the plain mean of the stream behind 63 samples of nothing, until DC_MEMORY samples have been seen, and from then on
 * exponential with that memory. Samples that are not finite, or beyond DC_MAX_POWER, become 0 and are counted; where more than
 * DC_SILENT samples of exactly 0 follow one another the output is 0, too.
 */
export interface DcKernel {
  /** input, out: [n][re, im], n a multiple of 16; state: [DC_STATE], taken on. O(n). */
  process(state: Float64Array, input: Float32Array, out: Float32Array): void;
  /**
   * Sums over samples [from, to) of [..][re, im]: out = [re, im, |x|^2]; and of every whole stretch of 64 from `from` on how much
   * it changes, sum |x - its first sample|^2, to changes[stretch]. O(to - from).
   */
  sums(samples: Float32Array, from: number, to: number, out: Float64Array, changes: Float32Array): void;
}
