/** Samples as a device gives them, [n][i, q]. */
export type NativeSamples = Int8Array | Int16Array | Float32Array;

/** Polyphase filter of the ratio up/down. */
export interface PolyphaseFilter {
  readonly up: number;
  readonly down: number;
  readonly taps: number;
  /** [up][taps], each branch in ascending order of input index */
  readonly branches: Float32Array;
}

/** What a stream goes through. */
export interface ResampleSetup {
  /** null where both rates are equal */
  readonly filter: PolyphaseFilter | null;
  /** Cycles per input sample by which the spectrum is shifted before the filter, 0 for none. */
  readonly cyclesBefore: number;
  /** Cycles per output sample by which it is shifted behind the filter, 0 for none; only one of the two is not 0. */
  readonly cyclesAfter: number;
}

/** y = (reGain I + reOffset) + i (imGain Q + reToIm I + imOffset), on samples of full scale 1. */
export interface SampleCorrection {
  readonly reGain: number;
  readonly imGain: number;
  readonly reToIm: number;
  readonly reOffset: number;
  readonly imOffset: number;
}

export const NO_CORRECTION: SampleCorrection = { reGain: 1, imGain: 1, reToIm: 0, reOffset: 0, imOffset: 0 };

/** Is told the moments of samples on their way. */
export interface MomentSink {
  /** How many samples the next call of `add` may speak of at most. */
  readonly wanted: number;
  /** moments: sums of I, Q, I^2, Q^2, I Q over the next `samples` samples, Float64Array [5], valid during the call. */
  add(moments: Float64Array, samples: number): void;
}

/**
 * The sample front end of one stream in one pass: u[n] = scale native[n] (what is then no finite number is 0 and counted); its
 * moments; x[n] = correction(u[n]) exp(2 pi i cyclesBefore n);
 *
 *   y[k] = exp(2 pi i cyclesAfter k) sum_i branches[k down mod up][i] x[floor(k down / up) - taps + 1 + i].
 *
 * n inputs from the start give ceil(n up / down) outputs in all, the same whatever the lengths of the calls are. Before the first
 * input stand zeros.
 */
export interface ResampleKernel {
  readonly name: string;
  /** Components of all input so far that were no finite numbers. */
  readonly nonFinite: number;
  reset(): void;
  /**
   * Adds samples [n][i, q]; `moments` is told of u. The result, [k][re, im], is valid until the next call and may have any
   * length.
   */
  process(data: NativeSamples, scale: number, correction: SampleCorrection, moments: MomentSink | null): Float32Array;
}
