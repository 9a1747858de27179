/** Where the pilots that a tracker follows stand. */
export interface TrackPattern {
  readonly nSubbands: number;
  /** Carrier of the pilot within each subband, of local symbols 0 to 11; it repeats. */
  readonly offsets: readonly number[];
  /** Signed subcarrier number of each occupied carrier, [nCarriers]. */
  readonly carriers: Int32Array;
}

/** Most symbols of one call. */
export const TRACK_SYMBOLS = 16;

/**
 * Follows the common phase of a burst's pilots p against a reference channel h: of every symbol z = sum_s w_s p_s conj(h_s), its
 * angle and that angle's variance sigma^2 / (2 sum w |h|^2) go to the filters of PhaseTracker. One burst at a time, from
 * `begin` on, symbol after symbol. Pilots are [symbol][nSubbands][re, im] from an element of their array on.
 */
export interface TrackKernel {
  /** Pilots of the last symbols less their smoothed phases, [16][nSubbands][re, im]; the caller may change them. */
  readonly turned: Float32Array;
  /** Phase step a symbol as filtered so far, rad. */
  readonly phaseStep: number;
  /**
   * A new burst. `stepVariance`: of the initial phase step a symbol, rad^2; `noiseVariance`: of one RE; `weights`: of the subbands,
   * [nSubbands]; `symbols`: how many will come.
   */
  begin(stepVariance: number, noiseVariance: number, weights: Float64Array, symbols: number): void;
  /** Takes the channel to measure against from now on, [nCarriers][re, im]; returns its mean carrier number, weighted with its power. */
  refer(reference: Float32Array): number;
  /** Takes the pilots of `count` symbols, at most 16, whose pattern begins with that of local symbol `pattern`. */
  follow(pilots: Float32Array, at: number, count: number, pattern: number): void;
  /** Takes the most likely strength of the phase noise from now on. */
  adapt(): void;
  /** `turned` = pilots of the last `count` symbols, at most 16, as they were followed, times exp(-i smoothed phase). */
  turnBack(pilots: Float32Array, at: number, count: number): void;
  /**
   * Of `turned` against the reference, k the carrier's number: out = [sum w k Im(p conj h), sum w k^2 Re(p conj h),
   * sum w k^2 |h|^2, sum w |p - h|^2].
   */
  slope(count: number, pattern: number, out: Float64Array): void;
  /** Of `turned`, one slot: out = sum w g_(c+1) conj(g_c), [re, im], over neighbouring carriers of its first 12 symbols. */
  neighbours(out: Float64Array): void;
  /** Smoothed phases of the symbols from `from` on, rad. */
  phases(from: number): Float64Array;
}
