import { fftKernel } from '../kernels/fft/fft.ts';
import { POINT_TAPS } from '../kernels/lmmse/lmmse-kernel.ts';
import type { Numerology } from '../numerology.ts';
import { type DelayWindow, delayWindows } from './delay-window.ts';

/** Half width of the interpolation kernel, grid points: error below 1e-8 of the largest value at every numerology. */
const REACH = POINT_TAPS / 2;
const TAPS = POINT_TAPS;

/**
 * The transform from carriers to any delay, Z(tau) = sum_k v_k exp(+2 pi i k tau / N), by a non-uniform fast Fourier
 * transform [Keiner09]: one N-point transform of v_k / Phi(k / N) gives a grid of whole delays, from which a
 * Kaiser-Bessel kernel phi of 12 points interpolates,
 *   phi(x) = sinh(b sqrt(m^2 - x^2)) / (pi sqrt(m^2 - x^2)),   Phi(f) = I0(m sqrt(b^2 - (2 pi f)^2)).
 * The empty guard carriers are the oversampling that it needs. Only delays from `lowest` to `highest` are kept.
 */
export class DelayTransform {
  readonly numerology: Numerology;
  /** First delay of the grid, samples, and number of points kept. */
  readonly first: number;
  readonly length: number;
  /** 1 / Phi at each carrier, [nCarriers]. */
  readonly inverseKernel: Float64Array;
  private readonly shape: number;
  private readonly spectrum: Float32Array;
  private readonly time: Float32Array;

  constructor(n: Numerology, lowest: number, highest: number) {
    this.numerology = n;
    this.first = Math.floor(lowest) - REACH;
    this.length = Math.ceil(highest) + REACH + 1 - this.first;
    const edge = n.nCarriers / 2 / n.fftSize;
    this.shape = 2 * Math.PI * (1 - edge);
    this.inverseKernel = Float64Array.from(n.carriers, (k) => {
      const f = (2 * Math.PI * k) / n.fftSize;
      return 1 / besselI0(REACH * Math.sqrt(this.shape ** 2 - f * f));
    });
    this.spectrum = new Float32Array(2 * n.fftSize);
    this.time = new Float32Array(2 * n.fftSize);
  }

  /** Transforms [nCarriers][re, im] to out[at..], [length][re, im]. O(N log N). */
  run(values: Float64Array | Float32Array, out: Float64Array, at: number): void {
    const { spectrum, time, inverseKernel } = this;
    const { bins, nCarriers, fftSize } = this.numerology;
    for (let c = 0; c < nCarriers; c++) {
      const b = 2 * bins[c];
      spectrum[b] = inverseKernel[c] * values[2 * c];
      spectrum[b + 1] = inverseKernel[c] * values[2 * c + 1];
    }
    fftKernel(fftSize).inverse(spectrum, 0, time, 0);
    let from = 2 * (((this.first % fftSize) + fftSize) % fftSize);
    for (let i = at, end = at + 2 * this.length; i < end; i += 2) {
      out[i] = time[from];
      out[i + 1] = time[from + 1];
      from = from + 2 === 2 * fftSize ? 0 : from + 2;
    }
  }

  /** Kernel weights that interpolate at a delay: the first grid point, then TAPS weights into out[at..]. */
  weights(delay: number, out: Float64Array, at: number): number {
    const base = Math.floor(delay) - REACH + 1;
    for (let i = 0; i < TAPS; i++) {
      const root = Math.sqrt(Math.max(0, REACH ** 2 - (delay - base - i) ** 2));
      out[at + i] = (root < 1e-9 ? this.shape : Math.sinh(this.shape * root) / root) / Math.PI;
    }
    return base - this.first;
  }
}

/**
 * Interpolation from a transform's grid to the functions of one delay window, z = A' v with the window's centre taken out, for the
 * kernel of the fit (LmmseKernel.addPoints).
 */
export class WindowPoints {
  readonly window: DelayWindow;
  /** First grid point of each function and its weights, [basis.size], [basis.size][TAPS]. */
  readonly starts: Int32Array;
  readonly weights: Float64Array;

  constructor(transform: DelayTransform, window: DelayWindow) {
    this.window = window;
    const { basis, centre } = window;
    this.starts = new Int32Array(basis.size);
    this.weights = new Float64Array(basis.size * TAPS);
    for (let i = 0; i < basis.size; i++) {
      // Odd elements lie after the centre, even ones as far before it.
      const away = basis.step * ((i + 1) >> 1);
      this.starts[i] = transform.weights(centre + (i & 1 ? away : -away), this.weights, i * TAPS);
    }
  }
}

/** Delay windows of one position of the FFT window, the transform that covers them and each one's interpolation. */
export interface Delays {
  readonly transform: DelayTransform;
  readonly windows: readonly DelayWindow[];
  readonly points: (window: DelayWindow) => WindowPoints;
}

const known = new Map<string, Delays>();
const MAX_KNOWN = 16;

/** Delays of a numerology and a backoff as in delayWindows, made once. */
export function delaysOf(n: Numerology, backoff: number): Delays {
  const key = `${n.id}/${backoff}`;
  let delays = known.get(key);
  if (!delays) {
    const windows = delayWindows(n, backoff);
    const half = ({ basis }: DelayWindow) => (basis.step * (basis.size - 1)) / 2;
    const lowest = Math.min(...windows.map((w) => w.centre - half(w)));
    const highest = Math.max(...windows.map((w) => w.centre + half(w)));
    const transform = new DelayTransform(n, lowest, highest);
    const all = new Map(windows.map((window) => [window, new WindowPoints(transform, window)]));
    delays = { transform, windows, points: (window) => all.get(window)! };
    if (known.size >= MAX_KNOWN) known.delete(known.keys().next().value!);
    known.set(key, delays);
  }
  return delays;
}

/** Modified Bessel function of the first kind, order 0, by its power series. */
function besselI0(x: number): number {
  const quarter = (x * x) / 4;
  let term = 1;
  let sum = 1;
  for (let k = 1; term > 1e-17 * sum; k++) {
    term *= quarter / (k * k);
    sum += term;
  }
  return sum;
}
