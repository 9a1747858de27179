/** Numbers that the kernel is told of each subband: see `EqualiserKernel.equaliseSlot`. */
export const NOISE_NUMBERS = 4;

/** SNR of one RE that counts as no more; 11 of them must not overflow when multiplied. */
export const MOST_SNR = 1e12;

/**
 * MMSE equalisation of the data RE of one slot, with common phase and scrambling taken out in the same step,
 *
 *   x = conj(h) y / (|h|^2 + sigma^2) exp(-i phase) j^-turns,   snr = |h|^2 / sigma^2,
 *
 * and for the SNR of each RB what its 11 data RE of each symbol contribute, product over (1 + max(0, |h|^2 - bias) / noise).
 */
export interface EqualiserKernel {
  readonly nSubbands: number;
  /**
   * rows, channel: [14][nCarriers][re, im] from element `from` on. symbol: number of the slot's first symbol, counted from
   * the header's first. phases: [14] from `phaseAt` on, rad. noise: [nSubbands][sigma^2, 1 / sigma^2, bias, 1 / noise].
   * payload: receives [nSubbands][154][re, im], payloadSnr [nSubbands][154], from RE `re` on; products: [14][nSubbands].
   * Returns the sum of |h|^2 over the data RE.
   */
  equaliseSlot(
    rows: Float32Array,
    channel: Float32Array,
    from: number,
    symbol: number,
    phases: Float64Array,
    phaseAt: number,
    noise: Float32Array,
    payload: Float32Array,
    payloadSnr: Float32Array,
    re: number,
    products: Float64Array,
  ): number;
}

/** Where pilots and scrambling are: what a kernel is made for. */
export interface SlotPattern {
  readonly nSubbands: number;
  /** Carrier of the pilot within its subband, [14]. */
  readonly pilots: readonly number[];
  /** Quarter turns of the data RE, [64][11 nSubbands]; symbols beyond begin again. */
  readonly turns: Uint8Array;
}
