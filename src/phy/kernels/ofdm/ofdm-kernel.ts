import type { KernelMemory } from '../wasm.ts';

/** Pilots of a burst's slots. */
export interface HeldPattern {
  /** Carrier of the pilot within each subband of 12 carriers, of a slot's symbols 0 to 13. */
  readonly offsets: readonly number[];
  /** Pilot values, [64][nSubbands][re, im]. */
  readonly values: Float32Array;
}

/** What a kernel holds of a burst's slots; views of its memory. */
export interface Held {
  /** [symbol][nCarriers][re, im], as they come out of the transform, without start phases and ramps. */
  readonly rows: Float32Array;
  /** After `finish`, what each row is to be turned by: at its first carrier, and from carrier to carrier, [symbol][2][re, im]. */
  readonly turns: Float64Array;
  /** Least-squares channel y conj(pilot), [symbol][nSubbands][re, im] */
  readonly pilots: Float32Array;
  /** The same of each slot alone. */
  readonly slotPilots: readonly Float32Array[];
}

/** `pilots` of each slot, whose symbols have `length` numbers all together. */
export function slotsOf(pilots: Float32Array, length: number): Float32Array[] {
  return Array.from({ length: Math.floor(pilots.length / length) }, (_, slot) =>
    pilots.subarray(slot * length, (slot + 1) * length),
  );
}

/**
 * The slots of one burst, which stay in the kernel's memory until all of them are there: what their symbols have to be turned by
 * is known best then. Only the pilots are turned, on the way and once more at the end; the rest is where it is read (EqualiserKernel).
 */
export interface HeldSymbols {
  /** What the rows held lie in, for a kernel that reads them there; null in plain TypeScript. */
  readonly memory: KernelMemory | null;
  /** Room for so many symbols with that pattern; what was held before is lost. */
  hold(pattern: HeldPattern, symbols: number): Held;
  /**
   * Holds the next `count` symbols, from number `first` on (a slot's first), as `demodulate` does but for start phases and ramps,
   * which are only in `pilots`. `sequence`: where in the pilots' sequence symbol 0 stands.
   */
  take(
    samples: Float32Array,
    windows: Int32Array,
    angles: Float64Array,
    count: number,
    cfo: number,
    first: number,
    sequence: number,
  ): void;
  /** Turns of all `count` symbols held, by their angles, [count][start, step], and `pilots` anew with them; returns the pilots' energy. */
  finish(angles: Float64Array, count: number, sequence: number): number;
}

/**
 * OFDM demodulation of symbols that follow one another, with the frequency offset taken out before the transform and a phase
 * ramp over the carriers after it:
 *
 *   out[t][k] = exp(i (start_t + k step_t)) / sqrt(N) sum_m samples[window_t + m] exp(-2 pi i cfo m) exp(-2 pi i k m / N),
 *
 * k = -K/2..-1, 1..K/2 the occupied carriers. The unitary scale keeps the noise variance per carrier equal to that per sample.
 */
export interface OfdmKernel extends HeldSymbols {
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
