import { UsageError } from '../../common/errors.ts';
import type { FiniteSource } from './finite-source.ts';

export interface FiniteRate {
  /** Bits per source letter that the test channel found needs: an upper bound; Infinity where no channel meets the constraints. */
  readonly rateBits: number;
  /** Dual (Csiszar) bound from below; the truth lies between them. */
  readonly lowerBits: number;
  readonly achieved: { readonly ds: number; readonly dx: number } | null;
  /** Multipliers of both constraints, nats per unit of distortion. */
  readonly semanticMultiplier: number;
  readonly pixelMultiplier: number;
  readonly iterations: number;
}

export interface BlahutArimotoOptions {
  /** Stop when upper and lower bound are this close, bits; default 1e-7. */
  readonly toleranceBits?: number;
  readonly maxIterations?: number;
}

/** Distortions this close to their least value count as equal to it. */
const TIE = 1e-12;
/** A limit counts as kept to this share of (1 + limit). */
const KEPT = 1e-9;
/** A reproduction that is used less often is given up: its logarithms would soon be none. The bound from below still asks for it. */
const UNUSED = 1e-200;

/**
 * R(Ds, Dx) of a finite source by Blahut-Arimoto iteration [Blahut72] with both constraints inside [Chen23]: reproductions are pairs
 * y = (shat, xhat); in turn
 *
 *   P(y|x) = q(y) exp(-s1 ds'(x, shat) - s2 dx(x, xhat)) / Z(x),   s1, s2 >= 0 such that both constraints hold,
 *   q(y)   = sum over x of P(x) P(y|x).
 *
 * It converges to the rate-distortion function. Each step gives the rate of a channel that meets the constraints (from above) and, with
 * c(y) = sum P(x) exp(-s d(x,y)) / Z(x), the bound -sum P(x) ln Z(x) - s D - ln max c from below. No closed form in general.
 *
 * @param ds, dx at least 0; Infinity for no constraint
 */
export function rateFinite(
  source: FiniteSource,
  ds: number,
  dx: number,
  options: BlahutArimotoOptions = {},
): FiniteRate {
  for (const [name, value] of [
    ['Ds', ds],
    ['Dx', dx],
  ] as const) {
    if (!(value >= 0))
      throw new UsageError(`${name} ${value} is out of range: allowed from 0, or inf for no constraint`);
  }
  const { toleranceBits = 1e-7, maxIterations = 20_000 } = options;
  const problem = tables(source);
  const { px, cost, letters, count, least } = problem;
  const limits = [ds, dx];
  if (limits.some((d, c) => d < least[c] - TIE)) {
    const none = { achieved: null, semanticMultiplier: 0, pixelMultiplier: 0, iterations: 0 };
    return { rateBits: Number.POSITIVE_INFINITY, lowerBits: Number.POSITIVE_INFINITY, ...none };
  }
  // A constraint at its least value allows only the letters that reach it, and no multiplier says that.
  const open = new Uint8Array(letters * count).fill(1);
  const active = limits.map((d, c) => {
    if (d > least[c] + TIE) return d < Number.POSITIVE_INFINITY;
    for (let i = 0; i < open.length; i++)
      if (cost[c][i] > problem.rowLeast[c][Math.floor(i / count)] + TIE) open[i] = 0;
    return false;
  });
  const q = new Float64Array(count).fill(1 / count);
  const s = [0, 0];
  const weight = new Float64Array(letters * count);
  let upper = Number.POSITIVE_INFINITY;
  let lower = 0;
  let mean = [0, 0];
  let iterations = 0;
  while (iterations < maxIterations && upper - lower > toleranceBits) {
    iterations++;
    mean = tilt(problem, q, open, limits, active, s, weight);
    const next = new Float64Array(count);
    const c = new Float64Array(count);
    let logZ = 0;
    for (let x = 0; x < letters; x++) {
      let z = 0;
      for (let y = 0; y < count; y++) z += q[y] * weight[x * count + y];
      // Rows of weights are scaled so that their largest is 1; the scale is in `shift`.
      logZ += px[x] * (Math.log(z) - problem.shift[x]);
      for (let y = 0; y < count; y++) {
        const share = (px[x] * weight[x * count + y]) / z;
        c[y] += share;
        next[y] += share * q[y];
      }
    }
    const tilted = s[0] * (active[0] ? ds : 0) + s[1] * (active[1] ? dx : 0);
    lower = Math.max(lower, (-logZ - tilted - Math.log(Math.max(...c))) / Math.LN2);
    for (let y = 0; y < count; y++) if (next[y] < UNUSED) next[y] = 0;
    const kept = limits.every((d, i) => mean[i] <= d + KEPT * (1 + least[i]));
    if (kept) upper = Math.min(upper, information(problem, q, next, weight) / Math.LN2);
    q.set(next);
  }
  return {
    rateBits: Math.max(0, upper),
    lowerBits: Math.max(0, Math.min(lower, upper)),
    achieved: { ds: mean[0], dx: mean[1] },
    semanticMultiplier: s[0],
    pixelMultiplier: s[1],
    iterations,
  };
}

interface Problem {
  readonly px: Float64Array;
  readonly letters: number;
  readonly count: number;
  /** Semantic and pixel distortion, each [x][y] over the letters x that occur. */
  readonly cost: readonly [Float64Array, Float64Array];
  readonly rowLeast: readonly [Float64Array, Float64Array];
  /** Least mean distortions: those of the best reproduction for every x. */
  readonly least: readonly [number, number];
  /** Largest exponent of a row, taken out of its weights. */
  readonly shift: Float64Array;
}

function tables({ px, semantic, pixel }: FiniteSource): Problem {
  const used = Array.from(px.keys()).filter((x) => px[x] > 0);
  const count = semantic[0].length * pixel[0].length;
  const letters = used.length;
  const table = (of: (x: number, y: number) => number) =>
    Float64Array.from({ length: letters * count }, (_, i) => of(used[Math.floor(i / count)], i % count));
  const wide = pixel[0].length;
  const cost = [table((x, y) => semantic[x][Math.floor(y / wide)]), table((x, y) => pixel[x][y % wide])] as const;
  const p = Float64Array.from(used, (x) => px[x]);
  const rowLeast = cost.map((c) => Float64Array.from(p, (_, x) => Math.min(...c.subarray(x * count, (x + 1) * count))));
  const mean = (rows: Float64Array) => rows.reduce((total, v, x) => total + p[x] * v, 0);
  return {
    px: p,
    letters,
    count,
    cost,
    rowLeast: [rowLeast[0], rowLeast[1]],
    least: [mean(rowLeast[0]), mean(rowLeast[1])],
    shift: new Float64Array(letters),
  };
}

/** Mutual information of the channel whose rows are q weight / Z, with output distribution `output`; nats. */
function information(p: Problem, q: Float64Array, output: Float64Array, weight: Float64Array): number {
  let total = 0;
  for (let x = 0; x < p.letters; x++) {
    let z = 0;
    for (let y = 0; y < p.count; y++) z += q[y] * weight[x * p.count + y];
    for (let y = 0; y < p.count; y++) {
      const channel = (q[y] * weight[x * p.count + y]) / z;
      if (channel > 0 && output[y] > 0) total += p.px[x] * channel * Math.log(channel / output[y]);
    }
  }
  return Math.max(0, total);
}

/**
 * Multipliers `s` (changed in place) that meet the active constraints with least effort for this q: the minimum over s >= 0 of the convex
 * sum P(x) ln Z(x) + s D, by Newton steps in the plane with the constraints s >= 0 as an active set. Leaves the weights
 * exp(-s d) behind and returns the mean distortions.
 */
function tilt(
  p: Problem,
  q: Float64Array,
  open: Uint8Array,
  limits: readonly number[],
  active: readonly boolean[],
  s: number[],
  weight: Float64Array,
): [number, number] {
  let at = moments(p, q, open, s, limits, active, weight);
  for (let step = 0; step < 100; step++) {
    const free = [0, 1].filter((c) => active[c] && (s[c] > 0 || at.gradient[c] < 0));
    if (free.every((c) => Math.abs(at.gradient[c]) <= 1e-13 * (1 + limits[c]))) break;
    const move = newton(at, free);
    let size = 1;
    let next = at;
    const trial = [0, 0];
    for (let halving = 0; halving < 60; halving++, size /= 2) {
      for (const c of [0, 1]) trial[c] = free.includes(c) ? Math.max(0, s[c] + size * move[c]) : s[c];
      next = moments(p, q, open, trial, limits, active, weight);
      const promised = free.reduce((total, c) => total + at.gradient[c] * (trial[c] - s[c]), 0);
      if (next.value <= at.value + 1e-4 * promised) break;
    }
    if (trial[0] === s[0] && trial[1] === s[1]) break;
    if (next.value >= at.value && Math.max(...free.map((c) => Math.abs(at.gradient[c]))) < 1e-9) break;
    s[0] = trial[0];
    s[1] = trial[1];
    at = next;
  }
  return moments(p, q, open, s, limits, active, weight).mean;
}

interface Moments {
  readonly value: number;
  readonly gradient: readonly [number, number];
  /** Second derivatives: variances and covariance of both distortions given x. */
  readonly hessian: readonly [number, number, number];
  readonly mean: [number, number];
}

function moments(
  p: Problem,
  q: Float64Array,
  open: Uint8Array,
  s: readonly number[],
  limits: readonly number[],
  active: readonly boolean[],
  weight: Float64Array,
): Moments {
  const { count, letters, px, shift } = p;
  const [a, b] = p.cost;
  let value = (active[0] ? s[0] * limits[0] : 0) + (active[1] ? s[1] * limits[1] : 0);
  let [m0, m1, v00, v01, v11] = [0, 0, 0, 0, 0];
  for (let x = 0; x < letters; x++) {
    const row = x * count;
    let largest = Number.NEGATIVE_INFINITY;
    for (let i = row; i < row + count; i++) if (open[i]) largest = Math.max(largest, -s[0] * a[i] - s[1] * b[i]);
    let [z, za, zb, zaa, zab, zbb] = [0, 0, 0, 0, 0, 0];
    for (let y = 0, i = row; y < count; y++, i++) {
      const w = open[i] ? Math.exp(-s[0] * a[i] - s[1] * b[i] - largest) : 0;
      weight[i] = w;
      const share = q[y] * w;
      z += share;
      za += share * a[i];
      zb += share * b[i];
      zaa += share * a[i] * a[i];
      zab += share * a[i] * b[i];
      zbb += share * b[i] * b[i];
    }
    shift[x] = -largest;
    const [ea, eb] = [za / z, zb / z];
    value += px[x] * (Math.log(z) + largest);
    m0 += px[x] * ea;
    m1 += px[x] * eb;
    v00 += px[x] * (zaa / z - ea * ea);
    v01 += px[x] * (zab / z - ea * eb);
    v11 += px[x] * (zbb / z - eb * eb);
  }
  const gradient = [active[0] ? limits[0] - m0 : 0, active[1] ? limits[1] - m1 : 0] as const;
  return { value, gradient, hessian: [v00, v01, v11], mean: [m0, m1] };
}

/** Newton step over the free multipliers; the gradient itself where the curvature is none. */
function newton({ gradient, hessian }: Moments, free: readonly number[]): [number, number] {
  const [h00, h01, h11] = hessian;
  const det = h00 * h11 - h01 * h01;
  if (free.length === 2 && det > 1e-14 * h00 * h11) {
    const [g0, g1] = gradient;
    const move: [number, number] = [-(h11 * g0 - h01 * g1) / det, -(h00 * g1 - h01 * g0) / det];
    if (move[0] * g0 + move[1] * g1 < 0) return move;
  }
  const move: [number, number] = [0, 0];
  for (const c of free) {
    const curvature = c === 0 ? h00 : h11;
    move[c] = -gradient[c] / Math.max(curvature, 1e-12);
  }
  // Both constraints together curve the function at most twice as much as their sum says.
  return free.length === 2 ? [move[0] / 2, move[1] / 2] : move;
}
