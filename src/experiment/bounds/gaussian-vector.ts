import { inRange, UsageError } from '../../common/errors.ts';
import { LARGEST, requireDistortion, requireLength } from './limits.ts';
import { combine, eigenSymmetric, factor, type Matrix, matrix, multiply, trace, transpose } from './symmetric.ts';

/** Most components of a source given by its components, and rows of one given by matrices (each step takes their eigenvalues). */
export const MAX_COMPONENTS = 4096;
export const MAX_ROWS = 32;

/**
 * X ~ N(0, Sx), S = H X + N. In coordinates where the error covariance is D = L E L' with L L' = Sx and 0 < E <= I, the pixel distortion
 * tr D is tr(P E) and the semantic one above the mmse, tr(H D H'), is tr(Q E).
 */
export interface VectorSource {
  /** Diagonals of P and Q where they commute (KLT components), else the matrices. */
  readonly form:
    | { readonly kind: 'components'; readonly p: Float64Array; readonly q: Float64Array }
    | { readonly kind: 'matrices'; readonly p: Matrix; readonly q: Matrix; readonly root: Matrix };
  readonly mmse: number;
  /** Distortions below which rounding of the matrices would be all that is described. */
  readonly finest: { readonly ds: number; readonly dx: number };
}

/** For a pair of multipliers: both distortions and the rate of the E that minimises rate + l1 tr(P E) + l2 tr(Q E). */
interface Filling {
  readonly pixel: number;
  readonly semantic: number;
  readonly rateNats: number;
}

export interface VectorRate {
  /** Bits per source vector; Infinity where Ds is at or below the mmse. */
  readonly rateBits: number;
  /** Multipliers in nats per unit of distortion; 0 where a constraint does not bind. */
  readonly pixelMultiplier: number;
  readonly semanticMultiplier: number;
  readonly achieved: { readonly ds: number; readonly dx: number } | null;
  /** Rate less its dual bound, bits: how far from the optimum this can be at most. */
  readonly gapBits: number;
  /** Distortion of each component (components), or the eigenvalues of D, descending (matrices). */
  readonly distortions: Float64Array | null;
}

/** Source of independent components: variances of X, and weights w_i, the eigenvalues of H'H in the same order. */
export function componentSource(variances: ArrayLike<number>, weights: ArrayLike<number>, mmse: number): VectorSource {
  requireLength('lambda', variances, 1, MAX_COMPONENTS);
  if (weights.length !== variances.length) {
    throw new UsageError(`w has ${weights.length} elements, lambda has ${variances.length}: one of each a component`);
  }
  inRange('mmse', mmse, 0, LARGEST);
  for (let i = 0; i < variances.length; i++) {
    inRange(`lambda[${i}]`, variances[i], 0, LARGEST);
    inRange(`w[${i}]`, weights[i], 0, LARGEST);
  }
  const p = Float64Array.from(variances);
  return { form: { kind: 'components', p, q: p.map((v, i) => v * weights[i]) }, mmse, finest: { ds: 0, dx: 0 } };
}

/** Source given by the covariance of X [n][n], H [m][n] and the mmse of S given X: tr of the covariance of N. */
export function matrixSource(covarianceX: Matrix, h: Matrix, mmse: number): VectorSource {
  if (covarianceX.rows > MAX_ROWS || h.rows > MAX_ROWS) {
    throw new UsageError(`${Math.max(covarianceX.rows, h.rows)} rows of X or S: allowed 1 to ${MAX_ROWS}`);
  }
  const { root, left } = factor(covarianceX);
  const hl = multiply(h, root);
  const form = { kind: 'matrices', p: multiply(transpose(root), root), q: multiply(transpose(hl), hl), root } as const;
  const finest = { ds: mmse + left * h.data.reduce((total, v) => total + v * v, 0), dx: left };
  return { form, mmse, finest };
}

/** Share of a distortion that its mmse may be off by rounding. */
const ROUNDING = 1e-15;

/** Distortions with nothing sent: the variances. */
export function distortionsAtRest({ form, mmse }: VectorSource): { ds: number; dx: number } {
  if (form.kind === 'matrices') return { ds: mmse + trace(form.q), dx: trace(form.p) };
  return { ds: mmse + sum(form.q), dx: sum(form.p) };
}

/**
 * Rate-distortion function of an indirect Gaussian vector ([Liu21]; [Shi23] eq. 2): the convex problem
 *
 *   R = min over 0 < D <= Sx of 1/2 log2(det Sx / det D),   tr D <= Dx,   tr(H D H') <= Ds - mmse,
 *
 * by reverse water-filling with two multipliers. Components: D_i = min(lambda_i, 1 / (l1 + l2 w_i)). In general E = U min(1, 1/omega) U'
 * with l1 P + l2 Q = U omega U', and R = 1/2 sum log2 max(1, omega). The dual function is concave, so that the multipliers come
 * from two nested searches for a zero; no closed form but for one binding constraint.
 *
 * @throws UsageError naming a distortion that is no number above 0
 */
export function rateVector(source: VectorSource, ds: number, dx: number): VectorRate {
  requireDistortion('Ds', ds);
  requireDistortion('Dx', dx);
  const rest = distortionsAtRest(source);
  requireFinest('Ds', source.mmse < ds && ds < rest.ds ? ds : Number.POSITIVE_INFINITY, source.finest.ds);
  requireFinest('Dx', dx, source.finest.dx);
  const target = ds - source.mmse;
  // A limit that is the mmse but for rounding cannot be met either.
  if (!(target > (source.mmse > 0 ? ROUNDING * rest.ds : 0)) && ds < rest.ds) {
    const none = { achieved: null, gapBits: 0, distortions: null };
    return { rateBits: Number.POSITIVE_INFINITY, pixelMultiplier: 0, semanticMultiplier: 0, ...none };
  }
  const n = source.form.kind === 'matrices' ? source.form.p.rows : source.form.p.length;
  const semantic = (l1: number) =>
    decreasingZero((l2) => fill(source, l1, l2).semantic - target, rest.ds <= ds ? 0 : n / target, target);
  const l1 = decreasingZero((l) => fill(source, l, semantic(l)).pixel - dx, rest.dx <= dx ? 0 : n / dx, dx);
  const l2 = semantic(l1);
  const filling = fill(source, l1, l2);
  const slack = (l: number, at: number, limit: number) => (l > 0 ? Math.abs(l * (limit - at)) : 0);
  const gap = slack(l1, filling.pixel, dx) + slack(l2, filling.semantic, target);
  return {
    rateBits: filling.rateNats / Math.LN2,
    pixelMultiplier: l1,
    semanticMultiplier: l2,
    achieved: { ds: source.mmse + filling.semantic, dx: filling.pixel },
    gapBits: gap / (2 * Math.LN2),
    distortions: errorSpectrum(source, l1, l2),
  };
}

/** A direction whose variance is lost beside the others' has no rate of its own: UsageError for a distortion that asks for it. */
function requireFinest(name: string, value: number, finest: number): void {
  if (value >= finest) return;
  throw new UsageError(
    `${name} ${value} is out of range: allowed from ${finest.toPrecision(3)}, what rounding leaves of the least variance of X beside the largest`,
    'give independent components by --lambda and --w: they have no rounding in common',
  );
}

/**
 * Distortions on the edge of what `rateBits` reaches, where pixel and semantic multiplier stand as 1 - weight to weight: weight 0 is the
 * classical code (Ds = inf), 1 that for the task alone.
 */
export function edgeAtRate(source: VectorSource, rateBits: number, weight: number): { ds: number; dx: number } {
  inRange('rate', rateBits, 0, 1e6, 'bit');
  inRange('weight', weight, 0, 1);
  const rest = distortionsAtRest(source);
  if (rateBits === 0) return rest;
  // Each multiplier in units of its own variance, so that the weight means the same for every source.
  const unit1 = rest.dx > 0 ? (1 - weight) / rest.dx : 0;
  const unit2 = rest.ds > source.mmse ? weight / (rest.ds - source.mmse) : 0;
  if (unit1 === 0 && unit2 === 0) return rest;
  const wanted = rateBits * Math.LN2;
  let high = 1;
  while (fill(source, high * unit1, high * unit2).rateNats < wanted && high < 1e200) high *= 16;
  const c = decreasingZero((l) => wanted - fill(source, l * unit1, l * unit2).rateNats, high, wanted);
  const at = fill(source, c * unit1, c * unit2);
  return { ds: source.mmse + at.semantic, dx: at.pixel };
}

function fill({ form }: VectorSource, l1: number, l2: number): Filling {
  let [pixel, semantic, rateNats] = [0, 0, 0];
  if (form.kind === 'components') {
    for (let i = 0; i < form.p.length; i++) {
      const omega = l1 * form.p[i] + l2 * form.q[i];
      const e = omega > 1 ? 1 / omega : 1;
      pixel += form.p[i] * e;
      semantic += form.q[i] * e;
      if (omega > 1) rateNats += 0.5 * Math.log(omega);
    }
    return { pixel, semantic, rateNats };
  }
  const n = form.p.rows;
  const { values, vectors } = eigenSymmetric(combine(l1, form.p, l2, form.q));
  for (let i = 0; i < n; i++) {
    const e = values[i] > 1 ? 1 / values[i] : 1;
    pixel += e * quadratic(form.p, vectors, i);
    semantic += e * quadratic(form.q, vectors, i);
    if (values[i] > 1) rateNats += 0.5 * Math.log(values[i]);
  }
  return { pixel, semantic, rateNats };
}

function errorSpectrum({ form }: VectorSource, l1: number, l2: number): Float64Array {
  if (form.kind === 'components') {
    return form.p.map((p, i) => p / Math.max(1, l1 * p + l2 * form.q[i]));
  }
  const { values, vectors } = eigenSymmetric(combine(l1, form.p, l2, form.q));
  const n = form.p.rows;
  const shaped = matrix(n, n, (r, c) => vectors.data[r * n + c] / Math.sqrt(Math.max(1, values[c])));
  const half = multiply(form.root, shaped);
  return eigenSymmetric(multiply(half, transpose(half))).values;
}

/** u' a u with u column i of `vectors`. */
function quadratic(a: Matrix, vectors: Matrix, i: number): number {
  const n = a.rows;
  let total = 0;
  for (let r = 0; r < n; r++) {
    let row = 0;
    for (let c = 0; c < n; c++) row += a.data[r * n + c] * vectors.data[c * n + i];
    total += row * vectors.data[r * n + i];
  }
  return total;
}

/**
 * Zero of a falling function of l >= 0 with f(high) <= 0; 0 where f(0) <= 0 (or high is 0). The bracket is narrowed by factors, then by
 * false position on ln l (Illinois, every third step a bisection), until |f| is 1e-14 of `scale` or the bracket is.
 */
function decreasingZero(f: (l: number) => number, high: number, scale: number): number {
  if (high === 0 || f(0) <= 0) return 0;
  let below = high;
  let fBelow = f(high);
  let above = high;
  let fAbove = fBelow;
  for (let i = 0; i < 250 && fAbove <= 0; i++) {
    [below, fBelow] = [above, fAbove];
    above /= 16;
    fAbove = f(above);
  }
  if (fAbove <= 0) return 0;
  let [a, b] = [Math.log(above), Math.log(below)];
  let [fa, fb] = [fAbove, fBelow];
  let side = 0;
  for (let i = 0; i < 300 && b - a > 1e-15 * Math.max(1, Math.abs(a)); i++) {
    const x = a + (i % 3 === 2 ? 0.5 : fa / (fa - fb)) * (b - a);
    const fx = f(Math.exp(x));
    if (Math.abs(fx) <= 1e-14 * scale) return Math.exp(x);
    if (fx > 0) {
      [a, fa] = [x, fx];
      if (side === 1) fb /= 2;
      side = 1;
    } else {
      [b, fb] = [x, fx];
      if (side === -1) fa /= 2;
      side = -1;
    }
  }
  // The end at which the constraint holds.
  return Math.exp(b);
}

function sum(x: Float64Array): number {
  return x.reduce((a, b) => a + b, 0);
}
