import { type Numerology, SLOT_SYMBOLS, SUBBAND_CARRIERS } from '../numerology.ts';
import { resourceGrid } from '../resource-grid.ts';
import { invertSymmetric } from './cholesky.ts';
import { type DelayBasis, quantiseDb } from './delay-basis.ts';
import { type DelayWindow, delayWindows, ramp, rampTable } from './delay-window.ts';
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
    const first = new Projections(observed, preamble.window);
    for (const timeClass of TIME_CLASSES) {
      const candidate = judge(observed, first, timeClass);
      // A slower class is kept unless a faster one is clearly better.
      if (!best || candidate.score < 0.995 * best.score) best = candidate;
    }
    // The preamble saw one instant and few samples; paths that had faded then, or noise taken for paths, show here.
    for (const window of delayWindows(n, preamble.backoff)) {
      if (window.basis === basis && window.centre === centre) continue;
      const candidate = judge(observed, new Projections(observed, window), best!.timeClass);
      if (candidate.score < 0.997 * best!.score) best = candidate;
    }
    const { solver, timeClass, projections } = best!;
    ({ basis, centre } = projections.window);
    const channel = new Float32Array(2 * n.nCarriers * slots * SLOT_SYMBOLS);
    const theta = new Float64Array(2 * solver.size);
    const row = new Float64Array(2 * basis.size);
    const unramped = new Float32Array(2 * n.nCarriers);
    let solvedFor = -1;
    for (let slot = 0; slot < slots; slot++) {
      const first = windowStart(slot, slots, solver.time.slots);
      if (first !== solvedFor) solver.solve(projections, first, theta);
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
  readonly projections: Projections;
  readonly timeClass: TimeClass;
  readonly solver: WindowSolver;
  readonly score: number;
}

function judge(observed: PilotObservations, projections: Projections, timeClass: TimeClass): Candidate {
  const { numerology: n, slots, noiseVariance, preamble } = observed;
  const { window } = projections;
  const lambda = (noiseVariance * window.basis.size) / preamble.power;
  const solver = windowSolver(n, window.basis, timeBasis(Math.min(timeClass.slots, slots), timeClass), lambda);
  return { projections, timeClass, solver, score: crossValidate(n, slots, projections, solver) };
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
  solver.solve(new Projections(observed, preamble.window), 0, theta);
  // The middle of the slot, where the odd polynomial vanishes: the constant alone.
  basis.expand(theta, 0, out, 0);
  ramp(n, out, 0, -centre, out, 0);
  return solver.dof / (SLOT_SYMBOLS * n.nSubbands);
}

/** First slot of the window of `width` slots used for `slot`: centred where the burst allows. */
function windowStart(slot: number, slots: number, width: number): number {
  return Math.max(0, Math.min(slots - width, slot - ((width - 1) >> 1)));
}

/** A' p of every slot of a burst for one delay window, its centre taken out; each slot is computed when asked for. */
class Projections {
  readonly window: DelayWindow;
  private readonly observed: PilotObservations;
  private readonly slots: (Float64Array | undefined)[];
  private readonly energies: Float64Array;
  private readonly ramp: Float32Array;

  constructor(observed: PilotObservations, window: DelayWindow) {
    this.observed = observed;
    this.window = window;
    this.slots = new Array(observed.slots);
    this.energies = new Float64Array(observed.slots);
    this.ramp = rampTable(observed.numerology, window.centre);
  }

  /** [14][basis.size][re, im]. */
  slot(slot: number): Float64Array {
    return (this.slots[slot] ??= this.compute(slot));
  }

  /** Sum of |p|^2 over the pilots of a slot whose projection was asked for. */
  energy(slot: number): number {
    return this.energies[slot];
  }

  private compute(slot: number): Float64Array {
    const { ramp } = this;
    const { numerology: n, pilots } = this.observed;
    const { size, values } = this.window.basis;
    const grid = resourceGrid(n);
    const out = new Float64Array(2 * size * SLOT_SYMBOLS);
    let energy = 0;
    for (let t = 0; t < SLOT_SYMBOLS; t++) {
      const at = 2 * size * t;
      let p = 2 * (slot * SLOT_SYMBOLS + t) * n.nSubbands;
      for (let c = grid.pilotOffset(t); c < n.nCarriers; c += SUBBAND_CARRIERS, p += 2) {
        const cos = ramp[2 * c];
        const sin = ramp[2 * c + 1];
        const re = pilots[p] * cos - pilots[p + 1] * sin;
        const im = pilots[p] * sin + pilots[p + 1] * cos;
        energy += re * re + im * im;
        for (let v = c * size, end = v + size, o = at; v < end; v++, o += 2) {
          out[o] += values[v] * re;
          out[o + 1] += values[v] * im;
        }
      }
    }
    this.energies[slot] = energy;
    return out;
  }
}

/** The linear system of one window: cached inverse, and its degrees of freedom. */
class WindowSolver {
  readonly basis: DelayBasis;
  readonly time: TimeBasis;
  readonly size: number;
  readonly dof: number;
  private readonly inverse: Float32Array;
  private readonly gram: Float32Array;
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
    this.gram = Float32Array.from(gram);
    this.inverse = Float32Array.from(inverse);
  }

  /** theta [order][basis.size][re, im] from the projections of the window that starts at slot `first`. */
  solve(projections: Projections, first: number, theta: Float64Array): void {
    const { z, size, inverse } = this;
    const l = this.basis.size;
    const { values, order, slots } = this.time;
    z.fill(0);
    for (let slot = 0; slot < slots; slot++) {
      const u = projections.slot(first + slot);
      for (let t = 0; t < SLOT_SYMBOLS; t++) {
        for (let d = 0; d < order; d++) {
          const w = values[(slot * SLOT_SYMBOLS + t) * order + d];
          for (let i = 2 * l * d, end = i + 2 * l, j = 2 * l * t; i < end; i++, j++) z[i] += w * u[j];
        }
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

  /**
   * Sum of squared residuals of the fit just solved: |p|^2 - 2 Re theta' z + theta' G theta, which errors of theta enter
   * only through the small regulariser.
   */
  residual(energy: number, theta: Float64Array): number {
    const { z, size, gram } = this;
    let sum = energy;
    for (let i = 0; i < size; i++) {
      let re = 0;
      let im = 0;
      for (let j = 0, row = i * size; j < size; j++, row++) {
        re += gram[row] * theta[2 * j];
        im += gram[row] * theta[2 * j + 1];
      }
      sum += theta[2 * i] * (re - 2 * z[2 * i]) + theta[2 * i + 1] * (im - 2 * z[2 * i + 1]);
    }
    return Math.max(sum, 1e-9 * energy);
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
const MAX_SOLVERS = 96;

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
function crossValidate(n: Numerology, slots: number, projections: Projections, solver: WindowSolver): number {
  const width = solver.time.slots;
  const last = slots - width;
  const starts = new Set([0, last >> 2, last >> 1, last - (last >> 2), last]);
  const theta = new Float64Array(2 * solver.size);
  const observations = width * SLOT_SYMBOLS * n.nSubbands;
  let residual = 0;
  for (const first of starts) {
    solver.solve(projections, first, theta);
    let energy = 0;
    for (let slot = first; slot < first + width; slot++) energy += projections.energy(slot);
    residual += solver.residual(energy, theta);
  }
  const share = Math.min(0.9, solver.dof / observations);
  return residual / (starts.size * observations) / (1 - share) ** 2;
}
