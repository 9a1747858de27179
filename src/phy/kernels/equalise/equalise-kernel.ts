/** Numbers that the kernel is told of each RB: see `SlotsToEqualise.noise`. */
export const NOISE_NUMBERS = 4;

/** SNR of one RE that counts as no more. */
export const MOST_SNR = 1e12;

/** A burst's slots as received, and what is known of their channel (`SeparableChannel` of the channel estimate). */
export interface SlotsToEqualise {
  readonly slots: number;
  /** Number of the first slot's first symbol, counted from the header's first. */
  readonly symbol: number;
  /** [slot x 14][nCarriers][re, im]; read where they are if they lie in the memory that the kernel was given. */
  readonly rows: Float32Array;
  /**
   * What the rows are turned by: at the first carrier, and from carrier to carrier, [slot x 14][2][re, im]. The carriers are
   * k = -K/2..-1, 1..K/2, so there are two steps from the last one below DC to the first one above. Read where they are as the rows.
   */
  readonly turns: Float64Array;
  /** h = sum_d weights[symbol][d] nodes[sets[slot]][d]: [set][order][nCarriers][re, im], [slots], [slot x 14][order]. */
  readonly order: number;
  readonly nodes: Float32Array;
  readonly sets: Uint16Array;
  readonly weights: Float32Array;
  /** [slot x nSubbands][sigma^2, 1 / sigma^2, bias, 1 / noise]. */
  readonly noise: Float32Array;
}

/**
 * MMSE equalisation of the data RE of slots, with phase, delay and scrambling taken out in the same step, straight from the
 * functions that make up the channel,
 *
 *   x = conj(h) y turn / (|h|^2 + sigma^2) j^-quarters,   snr = |h|^2 / sigma^2,
 *
 * and for the SNR of each RB the spectral efficiency, sum of log2(1 + max(0, |h|^2 - bias) / noise) over its data RE.
 */
export interface EqualiserKernel {
  readonly nSubbands: number;
  /**
   * payload: receives [slot][nSubbands][154][re, im], payloadSnr [slot][nSubbands][154], efficiency [slot x nSubbands],
   * middles the channel of each slot's eighth symbol, [slot][nCarriers][re, im].
   * Returns the sum of |h|^2 over the data RE.
   */
  equalise(
    input: SlotsToEqualise,
    payload: Float32Array,
    payloadSnr: Float32Array,
    efficiency: Float64Array,
    middles: Float32Array,
  ): number;

  /** Soft bits of control symbols, weight y exp(-i phase) j^-quarters, in coded order: llr receives [count][11 nSubbands][re, im]. */
  controlLlrs(input: ControlSymbols, llr: Float32Array): void;
}

/** Symbols of the control part as received, QPSK. */
export interface ControlSymbols {
  readonly count: number;
  /** Number of the first one, where its scrambling begins. */
  readonly symbol: number;
  /** [count][nCarriers][re, im] */
  readonly rows: Float32Array;
  /** conj(channel) by what makes LLRs of it, [nCarriers][re, im]: one for all symbols, or each its own. */
  readonly weights: Float32Array;
  /** Common phases to be taken out, [count], rad. */
  readonly phases: Float64Array;
  /** Carrier of the pilot within each subband, [count]. */
  readonly pilots: Uint32Array;
}

/** Most functions that the channel may be made of: one for each symbol of a slot. */
export const MOST_ORDER = 14;

/** Where pilots and scrambling are: what a kernel is made for. */
export interface SlotPattern {
  readonly nSubbands: number;
  /** Carrier of the pilot within its subband, [14]. */
  readonly pilots: readonly number[];
  /** Quarter turns of the data RE, [64][11 nSubbands]; symbols beyond begin again. */
  readonly turns: Uint8Array;
}
