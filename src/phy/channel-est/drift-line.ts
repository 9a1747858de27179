import type { Numerology } from '../numerology.ts';

/** What is left between bursts of one transmitter when phases and delays are counted from one origin. */
export interface DriftLine {
  /** Frequency error, Hz, and clock error, samples a second: the phase 2 pi f t and the delay d t. */
  readonly frequencyHz: number;
  readonly delayPerS: number;
}

/** Points of the search in units of the resolution: 1 / span in frequency, N / carriers samples over the span in delay. */
const STEP = 0.2;
/** Rounds of parabolic refinement behind the search. */
const REFINEMENTS = 3;

/**
 * The frequency and clock error that make channel estimates of several bursts likeliest for the fading that `precision`
 * describes, when an oscillator and a clock that run on from burst to burst are all that sets them apart:
 *   (f, d) = arg max sum_{k<l} -Q_kl Re sum_c conj(x_k,c) x_l,c exp(-i (2 pi f - 2 pi k_c d / N) (t_l - t_k)).
 * A search over the two, then parabolas. O(points K^2 carriers). `value` is the sum at its largest.
 *
 * @param snapshots [nCarriers][re, im] each, with phases and delays from one origin
 * @param timesS of each
 * @param precision inverse covariance of the estimates in time, [snapshots][snapshots]
 * @param most largest frequency (Hz) and clock error (samples a second) looked for
 */
export function driftLine(
  n: Numerology,
  snapshots: readonly Float64Array[],
  timesS: readonly number[],
  precision: Float64Array,
  most: DriftLine,
): DriftLine & { readonly value: number } {
  const pairs = pairsOf(n, snapshots, timesS, precision);
  const spanS = Math.max(...timesS) - Math.min(...timesS);
  const stepF = STEP / spanS;
  const stepD = (STEP * (n.fftSize / n.nCarriers)) / spanS;
  const rows = Math.min(400, Math.ceil(most.delayPerS / stepD));
  const columns = Math.min(400, Math.ceil(most.frequencyHz / stepF));
  let best = { value: Number.NEGATIVE_INFINITY, f: 0, d: 0 };
  for (let row = -rows; row <= rows; row++) {
    const sums = sumsAt(n, pairs, row * stepD);
    for (let column = -columns; column <= columns; column++) {
      const value = likelihood(pairs, sums, column * stepF);
      if (value > best.value) best = { value, f: column * stepF, d: row * stepD };
    }
  }
  let { f, d } = best;
  let [widthF, widthD] = [stepF / 2, stepD / 2];
  for (let i = 0; i < REFINEMENTS; i++, widthF /= 3, widthD /= 3) {
    d += widthD * vertex((x) => likelihood(pairs, sumsAt(n, pairs, d + x * widthD), f));
    const sums = sumsAt(n, pairs, d);
    f += widthF * vertex((x) => likelihood(pairs, sums, f + x * widthF));
  }
  return { frequencyHz: f, delayPerS: d, value: likelihood(pairs, sumsAt(n, pairs, d), f) };
}

/** Takes phase and delay of a line out of the snapshots, in place, as if all had been taken at the latest's time. */
export function removeDrift(
  n: Numerology,
  snapshots: readonly Float64Array[],
  timesS: readonly number[],
  line: DriftLine,
): void {
  const last = timesS[timesS.length - 1];
  for (const [k, x] of snapshots.entries())
    turn(n, x, -2 * Math.PI * line.frequencyHz * (timesS[k] - last), line.delayPerS * (timesS[k] - last));
}

/** x_c exp(i (phase + 2 pi k_c delay / N)), in place: turns by a phase and takes a delay (samples) out. */
export function turn(n: Numerology, x: Float64Array, phase: number, delay: number): void {
  const unit = (2 * Math.PI * delay) / n.fftSize;
  for (let c = 0; c < n.nCarriers; c++) {
    const angle = phase + unit * n.carriers[c];
    const cos = Math.cos(angle);
    const sin = Math.sin(angle);
    const re = x[2 * c];
    x[2 * c] = re * cos - x[2 * c + 1] * sin;
    x[2 * c + 1] = re * sin + x[2 * c + 1] * cos;
  }
}

interface Pair {
  readonly lagS: number;
  /** -Q_kl conj(x_k) x_l, [nCarriers][re, im]. */
  readonly product: Float64Array;
}

function pairsOf(
  n: Numerology,
  snapshots: readonly Float64Array[],
  timesS: readonly number[],
  precision: Float64Array,
): Pair[] {
  const pairs: Pair[] = [];
  for (let k = 0; k < snapshots.length; k++) {
    for (let l = k + 1; l < snapshots.length; l++) {
      const weight = -precision[k * snapshots.length + l];
      const a = snapshots[k];
      const b = snapshots[l];
      const product = new Float64Array(2 * n.nCarriers);
      for (let c = 0; c < product.length; c += 2) {
        product[c] = weight * (a[c] * b[c] + a[c + 1] * b[c + 1]);
        product[c + 1] = weight * (a[c] * b[c + 1] - a[c + 1] * b[c]);
      }
      pairs.push({ lagS: timesS[l] - timesS[k], product });
    }
  }
  return pairs;
}

/** sum_c product_c exp(2 pi i k_c d lag / N) of every pair, [pair][re, im]. */
function sumsAt(n: Numerology, pairs: readonly Pair[], delayPerS: number): Float64Array {
  const out = new Float64Array(2 * pairs.length);
  const half = n.nCarriers / 2;
  for (const [p, { lagS, product }] of pairs.entries()) {
    const angle = (2 * Math.PI * delayPerS * lagS) / n.fftSize;
    const stepRe = Math.cos(angle);
    const stepIm = Math.sin(angle);
    let [cos, sin, re, im] = [stepRe, stepIm, 0, 0];
    // Carriers k and -k turn by opposite angles.
    for (let k = 0, up = 2 * half, down = 2 * half - 2; k < half; k++, up += 2, down -= 2) {
      re += (product[up] + product[down]) * cos - (product[up + 1] - product[down + 1]) * sin;
      im += (product[up + 1] + product[down + 1]) * cos + (product[up] - product[down]) * sin;
      const t = cos * stepRe - sin * stepIm;
      sin = cos * stepIm + sin * stepRe;
      cos = t;
    }
    out[2 * p] = re;
    out[2 * p + 1] = im;
  }
  return out;
}

function likelihood(pairs: readonly Pair[], sums: Float64Array, frequencyHz: number): number {
  let sum = 0;
  for (let p = 0; p < pairs.length; p++) {
    const angle = -2 * Math.PI * frequencyHz * pairs[p].lagS;
    sum += sums[2 * p] * Math.cos(angle) - sums[2 * p + 1] * Math.sin(angle);
  }
  return sum;
}

/** Where a parabola through f(-1), f(0), f(1) is highest, within [-1, 1]. */
function vertex(f: (x: number) => number): number {
  const [a, b, c] = [f(-1), f(0), f(1)];
  const bend = a - 2 * b + c;
  if (!(bend < 0)) return c > a ? 1 : a > c ? -1 : 0;
  return Math.max(-1, Math.min(1, (a - c) / (2 * bend)));
}
