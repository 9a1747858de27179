import { type Numerology, SLOT_SYMBOLS, SUBBAND_CARRIERS } from '../numerology.ts';
import { resourceGrid } from '../resource-grid.ts';
import { invertSymmetric } from './cholesky.ts';
import { type DelayBasis, quantiseDb } from './delay-basis.ts';
import { type DelayWindow, delayWindows, ramp } from './delay-window.ts';
import type { ChannelEstimate, ChannelEstimator, PilotObservations } from './estimator.ts';
import { TIME_CLASSES, type TimeBasis, type TimeClass, timeBasis } from './time-basis.ts';

/**
 * Two-dimensional LMMSE estimation from scattered pilots [Hoeher97] on a separable basis: delay functions A (the
 * window found on the preamble) times polynomials in time B over a few slots,
 *   theta = (G + sigma^2 C^-1)^-1 (A x B)' p,   G = sum over pilots of (a x b)(a x b)',
 * C the prior covariance (uniform delay profile, Jakes Doppler). G repeats from slot to slot because the pilot
 * pattern does, so the inverses are cached. The Doppler class is chosen by generalised cross-validation on the
 * pilots themselves [Golub79].
 */
export class LmmseEstimator implements ChannelEstimator {
  readonly name = 'lmmse';

  estimate(observed: PilotObservations): ChannelEstimate {
    const { numerology: n, slots, preamble } = observed;
    let { basis, centre } = preamble.window;
    let best: Candidate | null = null;
    for (const timeClass of TIME_CLASSES) {
      const candidate = judge(observed, preamble.window, timeClass);
      // A slower class is kept unless a faster one is clearly better.
      if (!best || candidate.score < 0.995 * best.score) best = candidate;
    }
    // The preamble saw one instant and few samples; paths that had faded then, or noise taken for paths, show here.
    for (const window of delayWindows(n, preamble.backoff)) {
      if (window.basis === basis && window.centre === centre) continue;
      const candidate = judge(observed, window, best!.timeClass);
      if (candidate.score < 0.997 * best!.score) best = candidate;
    }
    const { solver, timeClass } = best!;
    ({ basis, centre } = best!.window);
    const projected = project(n, observed.pilots, 0, slots, basis, centre);
    const channel = new Float32Array(2 * n.nCarriers * slots * SLOT_SYMBOLS);
    const theta = new Float64Array(2 * solver.size);
    const row = new Float64Array(2 * basis.size);
    const unramped = new Float32Array(2 * n.nCarriers);
    let solvedFor = -1;
    for (let slot = 0; slot < slots; slot++) {
      const first = windowStart(slot, slots, solver.time.slots);
      if (first !== solvedFor) solver.solve(projected, first, theta);
      solvedFor = first;
      for (let t = 0; t < SLOT_SYMBOLS; t++) {
        solver.coefficients(theta, (slot - first) * SLOT_SYMBOLS + t, row);
        basis.expand(row, 0, unramped, 0);
        ramp(n, unramped, 0, -centre, channel, 2 * n.nCarriers * (slot * SLOT_SYMBOLS + t));
      }
    }
    const observations = solver.time.slots * SLOT_SYMBOLS * n.nSubbands;
    return {
      channel,
      errorRatio: solver.dof / observations,
      summary: `LMMSE, delay window ${(2 * basis.halfWidth).toFixed(1)} samples, Doppler class ${timeClass.dopplerHz} Hz over ${solver.time.slots} slots`,
    };
  }
}

/** One hypothesis on delay and Doppler with its cross-validation score. */
interface Candidate {
  readonly window: DelayWindow;
  readonly timeClass: TimeClass;
  readonly solver: WindowSolver;
  readonly score: number;
}

function judge(observed: PilotObservations, window: DelayWindow, timeClass: TimeClass): Candidate {
  const { numerology: n, slots, noiseVariance, preamble } = observed;
  const lambda = (noiseVariance * window.basis.size) / preamble.power;
  const solver = windowSolver(n, window.basis, timeBasis(Math.min(timeClass.slots, slots), timeClass), lambda);
  return { window, timeClass, solver, score: crossValidate(observed, window, solver) };
}

const ONE_SLOT: TimeClass = { dopplerHz: 12, slots: 1, order: 2 };

/**
 * Channel in the middle of one slot from that slot's pilots alone, out[nCarriers][re, im]: the reference that phase
 * and timing of the next slot are tracked against. Returns the error ratio of the fit.
 */
export function estimateSlot(observed: PilotObservations, out: Float32Array): number {
  const { numerology: n, preamble } = observed;
  const { basis, centre } = preamble.window;
  const lambda = (observed.noiseVariance * basis.size) / preamble.power;
  const solver = windowSolver(n, basis, timeBasis(1, ONE_SLOT), lambda);
  const theta = new Float64Array(2 * solver.size);
  solver.solve(project(n, observed.pilots, 0, 1, basis, centre), 0, theta);
  // The middle of the slot, where the odd polynomial vanishes: the constant alone.
  basis.expand(theta, 0, out, 0);
  ramp(n, out, 0, -centre, out, 0);
  return solver.dof / (SLOT_SYMBOLS * n.nSubbands);
}

/** First slot of the window of `width` slots used for `slot`: centred where the burst allows. */
function windowStart(slot: number, slots: number, width: number): number {
  return Math.max(0, Math.min(slots - width, slot - ((width - 1) >> 1)));
}

/** A' p of `slots` slots from slot `first` on, the window's centre taken out, [slot x 14][basis.size][re, im]. */
function project(
  n: Numerology,
  pilots: Float32Array,
  first: number,
  slots: number,
  basis: DelayBasis,
  centre: number,
): Float64Array {
  const grid = resourceGrid(n);
  const { size, values } = basis;
  const out = new Float64Array(2 * size * slots * SLOT_SYMBOLS);
  const step = (2 * Math.PI * centre) / n.fftSize;
  for (let symbol = 0; symbol < slots * SLOT_SYMBOLS; symbol++) {
    const offset = grid.pilotOffset(symbol % SLOT_SYMBOLS);
    const at = 2 * size * symbol;
    for (let s = 0; s < n.nSubbands; s++) {
      const c = s * SUBBAND_CARRIERS + offset;
      const cos = Math.cos(step * n.carriers[c]);
      const sin = Math.sin(step * n.carriers[c]);
      const p = 2 * ((first * SLOT_SYMBOLS + symbol) * n.nSubbands + s);
      const re = pilots[p] * cos - pilots[p + 1] * sin;
      const im = pilots[p] * sin + pilots[p + 1] * cos;
      const row = c * size;
      for (let i = 0; i < size; i++) {
        out[at + 2 * i] += values[row + i] * re;
        out[at + 2 * i + 1] += values[row + i] * im;
      }
    }
  }
  return out;
}

/** The linear system of one window: cached inverse, and its degrees of freedom. */
class WindowSolver {
  readonly basis: DelayBasis;
  readonly time: TimeBasis;
  readonly size: number;
  readonly dof: number;
  private readonly inverse: Float32Array;
  private readonly z: Float64Array;

  constructor(n: Numerology, basis: DelayBasis, time: TimeBasis, lambda: number) {
    this.basis = basis;
    this.time = time;
    const grid = resourceGrid(n);
    const l = basis.size;
    const b = time.order;
    this.size = l * b;
    this.z = new Float64Array(2 * this.size);
    // Gram matrices of the delay functions over the pilots of each of the 12 offsets.
    const perOffset: Float64Array[] = [];
    for (let offset = 0; offset < SUBBAND_CARRIERS; offset++) {
      const g = new Float64Array(l * l);
      for (let c = offset; c < n.nCarriers; c += SUBBAND_CARRIERS) {
        const row = c * l;
        for (let i = 0; i < l; i++) {
          for (let j = 0; j <= i; j++) g[i * l + j] += basis.values[row + i] * basis.values[row + j];
        }
      }
      perOffset.push(g);
    }
    const gram = new Float64Array(this.size * this.size);
    // Index of (function i, polynomial d) is d * l + i.
    for (let d = 0; d < b; d++) {
      for (let e = 0; e <= d; e++) {
        const weight = new Float64Array(SUBBAND_CARRIERS);
        for (let symbol = 0; symbol < time.slots * SLOT_SYMBOLS; symbol++) {
          weight[grid.pilotOffset(symbol % SLOT_SYMBOLS)] += time.values[symbol * b + d] * time.values[symbol * b + e];
        }
        for (let i = 0; i < l; i++) {
          for (let j = 0; j < l; j++) {
            let sum = 0;
            const lower = i >= j ? i * l + j : j * l + i;
            for (let o = 0; o < SUBBAND_CARRIERS; o++) sum += weight[o] * perOffset[o][lower];
            gram[(d * l + i) * this.size + e * l + j] = sum;
            gram[(e * l + j) * this.size + d * l + i] = sum;
          }
        }
      }
    }
    const a = gram.slice();
    for (let d = 0; d < b; d++) {
      for (let e = 0; e < b; e++) {
        for (let i = 0; i < l; i++) a[(d * l + i) * this.size + e * l + i] += lambda * time.priorInverse[d * b + e];
      }
    }
    const inverse = invertSymmetric(a, this.size);
    let dof = 0;
    for (let i = 0; i < gram.length; i++) dof += inverse[i] * gram[i];
    this.dof = dof;
    this.inverse = Float32Array.from(inverse);
  }

  /** theta [order][basis.size][re, im] from the projections of the window that starts at slot `first`. */
  solve(projected: Float64Array, first: number, theta: Float64Array): void {
    const { z, size, inverse } = this;
    const l = this.basis.size;
    const { values, order, slots } = this.time;
    z.fill(0);
    for (let t = 0; t < slots * SLOT_SYMBOLS; t++) {
      const u = 2 * l * (first * SLOT_SYMBOLS + t);
      for (let d = 0; d < order; d++) {
        const w = values[t * order + d];
        const at = 2 * l * d;
        for (let i = 0; i < 2 * l; i++) z[at + i] += w * projected[u + i];
      }
    }
    for (let i = 0; i < size; i++) {
      let re = 0;
      let im = 0;
      const row = i * size;
      for (let j = 0; j < size; j++) {
        re += inverse[row + j] * z[2 * j];
        im += inverse[row + j] * z[2 * j + 1];
      }
      theta[2 * i] = re;
      theta[2 * i + 1] = im;
    }
  }

  /** Delay coefficients at symbol t of the window, [basis.size][re, im]. */
  coefficients(theta: Float64Array, t: number, out: Float64Array): void {
    const l2 = 2 * this.basis.size;
    const { values, order } = this.time;
    out.fill(0);
    for (let d = 0; d < order; d++) {
      const w = values[t * order + d];
      for (let i = 0; i < l2; i++) out[i] += w * theta[d * l2 + i];
    }
  }
}

const solvers = new Map<string, WindowSolver>();
const MAX_SOLVERS = 128;

function windowSolver(n: Numerology, basis: DelayBasis, time: TimeBasis, lambda: number): WindowSolver {
  // Steps of 3 dB are fine enough for a regulariser.
  const step = 3 * Math.round(quantiseDb(lambda) / 3);
  const key = `${n.id}/${basis.halfWidth}/${time.slots}/${time.order}/${time.priorInverse[0]}/${step}`;
  let solver = solvers.get(key);
  if (!solver) {
    solver = new WindowSolver(n, basis, time, 10 ** (step / 10));
    if (solvers.size >= MAX_SOLVERS) solvers.delete(solvers.keys().next().value!);
    solvers.set(key, solver);
  }
  return solver;
}

/** Generalised cross-validation, (residual / n) / (1 - dof / n)^2, on up to five stretches of the burst. */
function crossValidate(observed: PilotObservations, window: DelayWindow, solver: WindowSolver): number {
  const { numerology: n, slots, pilots } = observed;
  const { basis, centre } = window;
  const grid = resourceGrid(n);
  const width = solver.time.slots;
  const last = slots - width;
  const starts = new Set([0, last >> 2, last >> 1, last - (last >> 2), last]);
  const theta = new Float64Array(2 * solver.size);
  const row = new Float64Array(2 * basis.size);
  const step = (2 * Math.PI * centre) / n.fftSize;
  let residual = 0;
  let count = 0;
  for (const first of starts) {
    solver.solve(project(n, pilots, first, width, basis, centre), 0, theta);
    for (let t = 0; t < width * SLOT_SYMBOLS; t++) {
      solver.coefficients(theta, t, row);
      const symbol = first * SLOT_SYMBOLS + t;
      const offset = grid.pilotOffset(t % SLOT_SYMBOLS);
      for (let s = 0; s < n.nSubbands; s++) {
        const c = s * SUBBAND_CARRIERS + offset;
        let re = 0;
        let im = 0;
        for (let i = 0; i < basis.size; i++) {
          const v = basis.values[c * basis.size + i];
          re += v * row[2 * i];
          im += v * row[2 * i + 1];
        }
        const cos = Math.cos(step * n.carriers[c]);
        const sin = Math.sin(step * n.carriers[c]);
        const p = 2 * (symbol * n.nSubbands + s);
        residual +=
          (pilots[p] * cos - pilots[p + 1] * sin - re) ** 2 + (pilots[p] * sin + pilots[p + 1] * cos - im) ** 2;
        count++;
      }
    }
  }
  const share = Math.min(0.9, solver.dof / (width * SLOT_SYMBOLS * n.nSubbands));
  return residual / count / (1 - share) ** 2;
}
