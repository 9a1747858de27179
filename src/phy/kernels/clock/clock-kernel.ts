/** Half width of the interpolating sinc: images and error <= -75 dB for |f| <= 0.4 of the sample rate. */
export const CLOCK_HALF_TAPS = 16;
/** Samples that an output depends on: 15 before its place, the one at it or just before, and 16 behind. */
export const CLOCK_TAPS = 2 * CLOCK_HALF_TAPS;
/** Table rows a sample; linear interpolation between rows adds (2 pi 0.4 / 256)^2 / 8 = -98 dB. */
export const CLOCK_PHASES = 256;

/** Where the outputs of a clock lie in the stream of its input. */
export interface ClockGrid {
  /** Input samples an output. */
  readonly ratio: number;
  /** Output i is x(i x ratio - shift). */
  readonly shift: number;
}

/**
 * Band-limited interpolation from a table [Smith84]: out[i] = x((index + i) ratio - shift), a windowed sinc of 32 taps. Both kernels compute each place
 * from the absolute index, sum even and odd taps apart in double precision, and agree to the bit: a seed stands for a channel.
 */
export interface ClockKernel {
  /**
   * @param x [..][re, im]; sample 0 of the stream would be its sample `origin`. From 15 samples before the first place to 16 behind the last.
   * @param out [..][re, im], outputs [outAt, outAt + count). O(count).
   */
  run(
    grid: ClockGrid,
    index: number,
    x: Float32Array,
    origin: number,
    out: Float32Array,
    outAt: number,
    count: number,
  ): void;
}
