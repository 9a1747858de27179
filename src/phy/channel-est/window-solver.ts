import { type Numerology, SLOT_SYMBOLS, SUBBAND_CARRIERS } from '../numerology.ts';
import { resourceGrid } from '../resource-grid.ts';
import { invertFactor, solveWithFactor } from './cholesky.ts';
import { type DelayBasis, quantiseDb } from './delay-basis.ts';
import type { TimeBasis } from './time-basis.ts';

/**
 * The linear system of one hypothesis on delay and Doppler, theta = (G + lambda C^-1)^-1 z, with its factor inverted
 * once. Index of (delay function i, polynomial d) is d x basis.size + i; complex vectors are [size][re, im].
 */
export class WindowSolver {
  readonly basis: DelayBasis;
  readonly time: TimeBasis;
  readonly size: number;
  /** Degrees of freedom of the fit, tr((G + lambda C^-1)^-1 G). */
  readonly dof: number;
  /** Right-hand side, to be filled by the caller, and the solution. */
  readonly z: Float64Array;
  readonly theta: Float64Array;
  private readonly lambda: number;
  /** L^-1 of G + lambda C^-1 = L L', [size][size]. */
  private readonly factor: Float64Array;
  private readonly scratch: Float64Array;

  constructor(n: Numerology, basis: DelayBasis, time: TimeBasis, lambda: number) {
    this.basis = basis;
    this.time = time;
    this.lambda = lambda;
    const l = basis.size;
    const b = time.order;
    const size = l * b;
    this.size = size;
    this.z = new Float64Array(2 * size);
    this.theta = new Float64Array(2 * size);
    this.scratch = new Float64Array(2 * size);
    const a = gramMatrix(n, basis, time);
    for (let d = 0; d < b; d++) {
      for (let e = 0; e < b; e++) {
        for (let i = 0; i < l; i++) a[(d * l + i) * size + e * l + i] += lambda * time.priorInverse[d * b + e];
      }
    }
    const factor = invertFactor(a, size);
    this.factor = factor;
    // tr(A^-1 G) = size - lambda tr(A^-1 C^-1), A^-1 = L^-T L^-1.
    let penalty = 0;
    for (let k = 0; k < size; k++) {
      for (let d = 0; d < b; d++) {
        for (let e = 0; e < b; e++) {
          let sum = 0;
          for (let i = 0; i < l && Math.max(d, e) * l + i <= k; i++) {
            sum += factor[k * size + d * l + i] * factor[k * size + e * l + i];
          }
          penalty += time.priorInverse[d * b + e] * sum;
        }
      }
    }
    this.dof = size - lambda * penalty;
  }

  /**
   * Solves for `theta` and returns the sum of squared residuals of the fit to observations of that energy,
   * |p|^2 - 2 Re theta' z + theta' G theta = |p|^2 - z' A^-1 z - lambda theta' C^-1 theta.
   */
  solve(energy: number): number {
    const { theta, lambda } = this;
    const explained = solveWithFactor(this.factor, this.size, this.z, this.scratch, theta);
    const { order, priorInverse } = this.time;
    const l2 = 2 * this.basis.size;
    let penalty = 0;
    for (let d = 0; d < order; d++) {
      for (let e = 0; e < order; e++) {
        let sum = 0;
        for (let i = 0; i < l2; i++) sum += theta[d * l2 + i] * theta[e * l2 + i];
        penalty += priorInverse[d * order + e] * sum;
      }
    }
    return Math.max(energy - explained - lambda * penalty, 1e-9 * energy);
  }
}

/** G = sum over the window's pilots of (a x b)(a x b)', [size][size]. */
function gramMatrix(n: Numerology, basis: DelayBasis, time: TimeBasis): Float64Array {
  const grid = resourceGrid(n);
  const l = basis.size;
  const b = time.order;
  const size = l * b;
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
  const gram = new Float64Array(size * size);
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
          gram[(d * l + i) * size + e * l + j] = sum;
          gram[(e * l + j) * size + d * l + i] = sum;
        }
      }
    }
  }
  return gram;
}

/** By delay basis, time basis and 3 dB step of lambda. */
let solvers = new Map<DelayBasis, Map<TimeBasis, Map<number, WindowSolver>>>();
let solverCount = 0;
const MAX_SOLVERS = 96;

/** The solver of a hypothesis, made once for each 3 dB of lambda (fine enough for a regulariser). */
export function windowSolver(n: Numerology, basis: DelayBasis, time: TimeBasis, lambda: number): WindowSolver {
  const step = 3 * Math.round(quantiseDb(lambda) / 3);
  let solver = solvers.get(basis)?.get(time)?.get(step);
  if (!solver) {
    if (++solverCount > MAX_SOLVERS) {
      solvers = new Map();
      solverCount = 1;
    }
    solver = new WindowSolver(n, basis, time, 10 ** (step / 10));
    const byTime = solvers.get(basis) ?? new Map<TimeBasis, Map<number, WindowSolver>>();
    const byStep = byTime.get(time) ?? new Map<number, WindowSolver>();
    solvers.set(basis, byTime.set(time, byStep.set(step, solver)));
  }
  return solver;
}
