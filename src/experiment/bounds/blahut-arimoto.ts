import { UsageError } from '../../common/errors.ts';
import { type FiniteProblem, finiteProblem, type Knows } from './finite-problem.ts';
import type { FiniteSource } from './finite-source.ts';
import { type Tilting, tilt } from './tilted-channel.ts';

export interface FiniteRate {
  /** Bits per source letter that the test channel found needs: an upper bound; Infinity where no channel meets the constraints. */
  readonly rateBits: number;
  /** Dual (Csiszar) bound from below; the truth lies between them. */
  readonly lowerBits: number;
  /** Of that channel; where there is no limit, those of the best guess from what the decoder has. */
  readonly achieved: { readonly ds: number; readonly dx: number } | null;
  /** Multipliers of both constraints, nats per unit of distortion. */
  readonly semanticMultiplier: number;
  readonly pixelMultiplier: number;
  readonly iterations: number;
}

export interface BlahutArimotoOptions {
  /** Who has the side information of the source; default nobody. */
  readonly knows?: Knows;
  /** Stop when upper and lower bound are this close, bits; default 1e-7. */
  readonly toleranceBits?: number;
  readonly maxIterations?: number;
}

/** Distortions this close to their least value count as equal to it. */
const TIE = 1e-12;
/** A limit counts as kept to this share of (1 + limit). */
const KEPT = 1e-9;
/** Exponentials of all steps together: some ten seconds. */
const MAX_WORK = 4e8;

/**
 * R(Ds, Dx) of a finite source by Blahut-Arimoto iteration [Blahut72] with both constraints inside [Chen23]; with side information by its form
 * for that [Dupuis04]. With rows x and columns y of `finite-problem.ts`, in turn
 *
 *   P(y|x) = prod over v of q(y|v)^P(v|x) exp(-s1 ds'(x, y) - s2 dx(x, y)) / Z(x),   s1, s2 >= 0 such that both constraints hold,
 *   q(y|v) = sum over x of P(x|v) P(y|x),
 *
 * which minimises I(X; Y|V). Without V there is one v and q(y) is what it always was. The problem is convex, so that it converges to the
 * rate. Each step gives the rate of a channel that meets the constraints (from above), and, because a weighted geometric mean is at most the
 * arithmetic one, the bound -sum P(x) ln Z(x) - s D - ln sum over v of P(v) max over y of q'(y|v) / q(y|v) from below, q' the next q. No closed form in general.
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
  const { knows = 'nobody', toleranceBits = 1e-7 } = options;
  const problem = finiteProblem(source, knows, ds, dx);
  const { least, columns, rows, views } = problem;
  const limits = [ds, dx];
  if (limits.some((d, c) => d < Number.POSITIVE_INFINITY && !(d >= least[c] - TIE))) {
    const none = { achieved: null, semanticMultiplier: 0, pixelMultiplier: 0, iterations: 0 };
    return { rateBits: Number.POSITIVE_INFINITY, lowerBits: Number.POSITIVE_INFINITY, ...none };
  }
  const most = options.maxIterations ?? Math.min(20_000, Math.ceil(MAX_WORK / (20 * rows * columns)));
  const t: Tilting = {
    ...start(problem, limits),
    s: [0, 0],
    channel: new Float64Array(rows * columns),
    logChannel: new Float64Array(rows * columns),
  };
  const q = new Float64Array(views * columns).fill(-Math.log(columns)); // ln q(y|v), [v][y]
  let [upper, lower, iterations] = [Number.POSITIVE_INFINITY, 0, 0];
  let mean: readonly [number, number] = [0, 0];
  while (iterations < most && upper - lower > toleranceBits) {
    iterations++;
    weigh(problem, q, t.base);
    const tilted = tilt(t);
    mean = tilted.mean;
    const next = outputs(problem, t.logChannel);
    const limit = t.s[0] * (t.active[0] ? ds : 0) + t.s[1] * (t.active[1] ? dx : 0);
    lower = Math.max(lower, (-tilted.logZ - limit - Math.log(growth(problem, q, next))) / Math.LN2);
    const kept = limits.every((d, c) => d === Number.POSITIVE_INFINITY || mean[c] <= d + KEPT * (1 + least[c]));
    if (kept) upper = Math.min(upper, information(problem, t.channel, next) / Math.LN2);
    q.set(next);
  }
  const achieved = (c: 0 | 1) => (limits[c] < Number.POSITIVE_INFINITY ? mean[c] : problem.bestGuess(c, t.channel));
  return {
    rateBits: Math.max(0, upper),
    lowerBits: Math.max(0, Math.min(lower, upper)),
    achieved: { ds: achieved(0), dx: achieved(1) },
    semanticMultiplier: t.s[0],
    pixelMultiplier: t.s[1],
    iterations,
  };
}

/** Entries that may be used, and limits that need a multiplier: one at its least value allows only what reaches it, and no multiplier says that. */
function start(problem: FiniteProblem, limits: readonly number[]) {
  const { rows, columns, cost, never, rowLeast, least } = problem;
  const open = new Uint8Array(rows * columns).fill(1);
  const active = limits.map((d, c) => {
    if (d === Number.POSITIVE_INFINITY) return false;
    const tied = d <= least[c] + TIE;
    for (let i = 0; i < open.length; i++) {
      if (never[c][i] || (tied && cost[c][i] > rowLeast[c][Math.floor(i / columns)] + TIE)) open[i] = 0;
    }
    return !tied;
  });
  return { problem, limits, open, active, base: new Float64Array(rows * columns) };
}

/** sum over v of P(v|x) ln q(y|v), the logarithm of a column's weight in a row. */
function weigh({ rows, columns, views, view }: FiniteProblem, q: Float64Array, base: Float64Array): void {
  base.fill(0);
  for (let r = 0; r < rows; r++) {
    for (let v = 0; v < views; v++) {
      const p = view[r * views + v];
      if (p > 0) for (let y = 0; y < columns; y++) base[r * columns + y] += p * q[v * columns + y];
    }
  }
}

/** ln q'(y|v): how often the channel says y where V is v; by logarithms, so that what falls out of use does so without end. */
function outputs({ rows, columns, views, view, px }: FiniteProblem, logChannel: Float64Array): Float64Array {
  const next = new Float64Array(views * columns);
  const terms = new Float64Array(rows);
  for (let v = 0; v < views; v++) {
    const weight = Float64Array.from(px, (p, r) => p * view[r * views + v]);
    const logTotal = Math.log(weight.reduce((a, b) => a + b, 0));
    for (let y = 0; y < columns; y++) {
      let largest = Number.NEGATIVE_INFINITY;
      for (let r = 0; r < rows; r++) {
        terms[r] = weight[r] > 0 ? logChannel[r * columns + y] : Number.NEGATIVE_INFINITY;
        largest = Math.max(largest, terms[r]);
      }
      let sum = 0;
      if (largest > Number.NEGATIVE_INFINITY) {
        for (let r = 0; r < rows; r++) if (weight[r] > 0) sum += weight[r] * Math.exp(terms[r] - largest);
      }
      next[v * columns + y] = sum > 0 ? Math.log(sum) + largest - logTotal : Number.NEGATIVE_INFINITY;
    }
  }
  return next;
}

/** sum over v of P(v) max over y of q'(y|v) / q(y|v): 1 at the optimum. */
function growth({ rows, columns, views, view, px }: FiniteProblem, q: Float64Array, next: Float64Array): number {
  let total = 0;
  for (let v = 0; v < views; v++) {
    let pv = 0;
    for (let r = 0; r < rows; r++) pv += px[r] * view[r * views + v];
    let most = Number.NEGATIVE_INFINITY;
    for (let i = v * columns; i < (v + 1) * columns; i++) {
      if (next[i] > Number.NEGATIVE_INFINITY) most = Math.max(most, next[i] - q[i]);
    }
    if (pv > 0) total += pv * Math.exp(most);
  }
  return total;
}

/** I(X; Y|V) of the channel, whose output has the logarithms `next`; nats. */
function information(p: FiniteProblem, channel: Float64Array, next: Float64Array): number {
  let total = 0;
  for (let r = 0; r < p.rows; r++) {
    for (let y = 0; y < p.columns; y++) {
      const share = channel[r * p.columns + y];
      if (!(share > 0)) continue;
      for (let v = 0; v < p.views; v++) {
        const seen = p.view[r * p.views + v];
        if (seen > 0) total += p.px[r] * share * seen * (Math.log(share) - next[v * p.columns + y]);
      }
    }
  }
  return Math.max(0, total);
}
