import type { FiniteProblem } from './finite-problem.ts';

/** What the search for multipliers works with: the logarithms of the columns' weights in each row, and which entries may be used at all. */
export interface Tilting {
  readonly problem: FiniteProblem;
  /** Logarithm of a column's weight in a row before the distortions count, [row][column]. */
  readonly base: Float64Array;
  readonly open: Uint8Array; // [row][column]
  readonly limits: readonly number[];
  /** Limits that need a multiplier. */
  readonly active: readonly boolean[];
  /** Multipliers, nats per unit of distortion; changed in place. */
  readonly s: [number, number];
  /** P(column|row) that they give, and its logarithm, which is finite where the other is no more; written. */
  readonly channel: Float64Array; // [row][column]
  readonly logChannel: Float64Array;
}

export interface Tilted {
  /** Mean over the rows of ln Z(row), Z the sum of weights. */
  readonly logZ: number;
  readonly mean: readonly [number, number];
}

interface Moments extends Tilted {
  readonly value: number;
  readonly gradient: readonly [number, number];
  /** Second derivatives: variances and covariance of both distortions in a row. */
  readonly hessian: readonly [number, number, number];
}

const SIDES = [0, 1] as const;
/** Gradients this close to none, relative to 1 + limit, are none. */
const MET = 1e-13;
/** Values this close together differ by rounding. */
const FLAT = 1e-14;

/**
 * Multipliers that meet the active limits with least effort: the minimum over s >= 0 of the convex function logZ(s) + s D, by Newton steps in
 * the plane with s >= 0 as an active set. Leaves the channel of those multipliers behind.
 */
export function tilt(t: Tilting): Tilted {
  const { s } = t;
  let at = moments(t, s);
  for (let step = 0; step < 100; step++) {
    const free = SIDES.filter((c) => t.active[c] && (s[c] > 0 || at.gradient[c] < 0));
    const worst = (m: Moments) => Math.max(0, ...free.map((c) => Math.abs(m.gradient[c]) / (1 + t.limits[c])));
    if (worst(at) <= MET) break;
    const move = newton(at, free);
    let next = at;
    const trial: [number, number] = [0, 0];
    let size = 1;
    for (let halving = 0; halving < 60; halving++, size /= 2) {
      for (const c of SIDES) {
        trial[c] = free.some((f) => f === c) ? Math.max(0, s[c] + size * move[c]) : s[c];
      }
      next = moments(t, trial);
      const promised = free.reduce<number>((total, c) => total + at.gradient[c] * (trial[c] - s[c]), 0);
      if (next.value <= at.value + 1e-4 * promised) break;
      // So near the minimum values say nothing any more; gradients still do.
      if (Math.abs(next.value - at.value) <= FLAT * (1 + Math.abs(at.value)) && worst(next) < worst(at)) break;
    }
    if ((trial[0] === s[0] && trial[1] === s[1]) || (next.value >= at.value && worst(next) >= worst(at))) break;
    s[0] = trial[0];
    s[1] = trial[1];
    at = next;
  }
  return moments(t, s);
}

function moments({ problem, base, open, limits, active, channel, logChannel }: Tilting, s: readonly number[]): Moments {
  const { rows, columns, px } = problem;
  const [a, b] = problem.cost;
  let logZ = 0;
  let [m0, m1, v00, v01, v11] = [0, 0, 0, 0, 0];
  for (let r = 0; r < rows; r++) {
    const [from, to] = [r * columns, (r + 1) * columns];
    let largest = Number.NEGATIVE_INFINITY;
    for (let i = from; i < to; i++) if (open[i]) largest = Math.max(largest, base[i] - s[0] * a[i] - s[1] * b[i]);
    let [z, za, zb, zaa, zab, zbb] = [0, 0, 0, 0, 0, 0];
    for (let i = from; i < to; i++) {
      const w = open[i] ? Math.exp(base[i] - s[0] * a[i] - s[1] * b[i] - largest) : 0;
      channel[i] = w;
      z += w;
      za += w * a[i];
      zb += w * b[i];
      zaa += w * a[i] * a[i];
      zab += w * a[i] * b[i];
      zbb += w * b[i] * b[i];
    }
    const total = Math.log(z) + largest;
    for (let i = from; i < to; i++) {
      channel[i] /= z;
      logChannel[i] = open[i] ? base[i] - s[0] * a[i] - s[1] * b[i] - total : Number.NEGATIVE_INFINITY;
    }
    const [ea, eb] = [za / z, zb / z];
    logZ += px[r] * total;
    m0 += px[r] * ea;
    m1 += px[r] * eb;
    v00 += px[r] * (zaa / z - ea * ea);
    v01 += px[r] * (zab / z - ea * eb);
    v11 += px[r] * (zbb / z - eb * eb);
  }
  const gradient = [active[0] ? limits[0] - m0 : 0, active[1] ? limits[1] - m1 : 0] as const;
  const value = logZ + (active[0] ? s[0] * limits[0] : 0) + (active[1] ? s[1] * limits[1] : 0);
  return { value, logZ, gradient, hessian: [v00, v01, v11], mean: [m0, m1] };
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
