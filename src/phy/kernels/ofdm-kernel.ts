/**
 * OFDM demodulation of symbols that follow one another, with the frequency offset taken out before the transform and a phase
 * ramp over the carriers after it:
 *
 *   out[t][k] = exp(i (start_t + k step_t)) / sqrt(N) sum_m samples[window_t + m] exp(-2 pi i cfo m) exp(-2 pi i k m / N),
 *
 * k = -K/2..-1, 1..K/2 the occupied carriers. The unitary scale keeps the noise variance per carrier equal to that per sample.
 */
export interface OfdmKernel {
  readonly fftSize: number;
  readonly nCarriers: number;
  /**
   * samples: [..][re, im]; before and behind them there is silence. windows: first sample of each symbol's window, [count],
   * ascending. angles: [count][start, step], rad. cfo: cycles a sample. out: receives [count][nCarriers][re, im] from element
   * `at` on. O(count N log N).
   */
  demodulate(
    samples: Float32Array,
    windows: Int32Array,
    angles: Float64Array,
    count: number,
    cfo: number,
    out: Float32Array,
    at: number,
  ): void;
  /**
   * Turns the carriers of `count` symbols in place: carrier k of symbol t, which stands from element at + 2 K t of `rows` on, times
   * exp(i k steps[t]), rad. O(count K).
   */
  turn(rows: Float32Array, at: number, steps: Float64Array, count: number): void;
}

/** exp(-2 pi i cfo m) / sqrt(N), m = 0..N-1, to out[N][re, im]. */
export function fillRotation(cfo: number, out: Float64Array): void {
  const step = -2 * Math.PI * cfo;
  const stepRe = Math.cos(step);
  const stepIm = Math.sin(step);
  let re = 1 / Math.sqrt(out.length / 2);
  let im = 0;
  for (let i = 0; i < out.length; i += 2) {
    out[i] = re;
    out[i + 1] = im;
    const t = re * stepRe - im * stepIm;
    im = re * stepIm + im * stepRe;
    re = t;
  }
}
