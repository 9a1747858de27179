import { makeLmmse } from '../kernels/lmmse/lmmse.ts';
import type { LmmseKernel } from '../kernels/lmmse/lmmse-kernel.ts';
import { type Numerology, SLOT_SYMBOLS, SUBBAND_CARRIERS } from '../numerology.ts';
import { resourceGrid } from '../resource-grid.ts';
import { invertFactor } from './cholesky.ts';
import { type DelayBasis, type Fitter, quantiseDb } from './delay-basis.ts';
import type { WindowPoints } from './delay-transform.ts';
import { SLOT_POLYNOMIALS, type TimeBasis } from './time-basis.ts';

/** Half of the 3 dB between one lambda and the next that solvers are made for. */
const HALF_STEP = 10 ** 0.15;

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
  /** One line for logs: the hypothesis. */
  readonly summary: string;
  /** It stands for any lambda from here up to below there. */
  readonly from: number;
  readonly below: number;
  private readonly fits: FitStore;
  private readonly system: number;

  constructor(fits: FitStore, basis: DelayBasis, time: TimeBasis, lambda: number) {
    this.fits = fits;
    this.basis = basis;
    this.time = time;
    const l = basis.size;
    const b = time.order;
    const size = l * b;
    this.size = size;
    this.from = lambda / HALF_STEP;
    this.below = lambda * HALF_STEP;
    this.summary = `LMMSE, delay window ${(2 * basis.halfWidth).toFixed(1)} samples, Doppler class ${time.dopplerHz} Hz over ${time.slots} slots`;
    const a = gramMatrix(fits.numerology, basis, time);
    for (let d = 0; d < b; d++) {
      for (let e = 0; e < b; e++) {
        for (let i = 0; i < l; i++) a[(d * l + i) * size + e * l + i] += lambda * time.priorInverse[d * b + e];
      }
    }
    const factor = invertFactor(a, size);
    const weights = time.priorInverse.map((p) => lambda * p);
    // tr(A^-1 G) = size - lambda tr(A^-1 C^-1), A^-1 = L^-T L^-1.
    let penalty = 0;
    for (let k = 0; k < size; k++) {
      for (let d = 0; d < b; d++) {
        for (let e = 0; e < b; e++) {
          let sum = 0;
          for (let i = 0; i < l && Math.max(d, e) * l + i <= k; i++) {
            sum += factor[k * size + d * l + i] * factor[k * size + e * l + i];
          }
          penalty += weights[d * b + e] * sum;
        }
      }
    }
    this.dof = size - penalty;
    const { slots, perSlot } = time;
    this.system = fits.kernel.addSystem({ size, order: b, factor, penalty: weights, slots, perSlot });
  }

  /**
   * Solves for the slots from `first` on, whose projections the kernel holds; returns the sum of squared residuals of the
   * fit to observations of that energy,
   * |p|^2 - 2 Re theta' z + theta' G theta = |p|^2 - z' A^-1 z - lambda theta' C^-1 theta.
   */
  solveSlots(first: number, energy: number): number {
    return Math.max(energy - this.fits.kernel.solveSlots(this.system, first), 1e-9 * energy);
  }

  /** The same for the stretch whose grid over delay the kernel holds. */
  solveStretch(points: WindowPoints, energy: number): number {
    return Math.max(energy - this.fits.kernel.solvePoints(this.system, this.fits.points(points)), 1e-9 * energy);
  }

  /** The last solution's first `order` polynomials over the carriers, nodes[at..], [order][nCarriers][re, im]; `ramp`: its centre's. */
  expand(ramp: Float32Array, order: number, nodes: Float32Array, at: number): void {
    this.fits.kernel.expand(this.fits.basis(this.basis), ramp, order, nodes, at);
  }
}

/** G = sum over the window's pilots of (a x b)(a x b)', [size][size]. */
function gramMatrix(n: Numerology, basis: DelayBasis, time: TimeBasis): Float64Array {
  const grid = resourceGrid(n);
  const l = basis.size;
  const b = time.order;
  const size = l * b;
  const perOffset = offsetGrams(n, basis);
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

const gramsOf = new WeakMap<DelayBasis, Float64Array[]>();

/** Gram matrices of the delay functions over the pilots of each of the 12 offsets, lower triangles, made once a basis. */
function offsetGrams(n: Numerology, basis: DelayBasis): Float64Array[] {
  const known = gramsOf.get(basis);
  if (known) return known;
  const l = basis.size;
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
  gramsOf.set(basis, perOffset);
  return perOffset;
}

/** Most elements of systems kept; half of them lie above diagonals and are not stored: some 50 MB. */
const MAX_ELEMENTS = 12e6;
/** Most interpolations kept: of some ten positions of the FFT window. */
const MAX_POINTS = 96;

/** The kernel of one numerology with the bases and systems it was given. */
export class FitStore {
  readonly numerology: Numerology;
  readonly kernel: LmmseKernel;
  private readonly bases = new Map<DelayBasis, number>();
  private readonly allPoints = new Map<WindowPoints, number>();
  /** By delay basis, time basis and 3 dB step of lambda. */
  private readonly solvers = new Map<DelayBasis, Map<TimeBasis, Map<number, WindowSolver>>>();
  private readonly training = new Map<Fitter, number>();
  private elements = 0;
  /** The solver asked for last. */
  private latest: WindowSolver | null = null;

  constructor(n: Numerology) {
    this.numerology = n;
    this.kernel = makeLmmse({ ...resourceGrid(n).slotPattern, polynomials: SLOT_POLYNOMIALS });
  }

  /** Makes room where it is needed, before a burst: solvers of earlier ones may not be used any more. */
  tidy(): void {
    if (this.elements >= MAX_ELEMENTS || this.allPoints.size >= MAX_POINTS) this.forget();
  }

  /** Drops all that the kernel was given. */
  forget(): void {
    this.elements = 0;
    this.latest = null;
    this.training.clear();
    this.bases.clear();
    this.allPoints.clear();
    this.solvers.clear();
    this.kernel.reset();
  }

  /** The kernel's number of a delay basis. */
  basis(basis: DelayBasis): number {
    let number = this.bases.get(basis);
    if (number === undefined) {
      number = this.kernel.addBasis(basis.values, basis.size);
      this.bases.set(basis, number);
    }
    return number;
  }

  /** The kernel's number of a delay window's interpolation. */
  points(points: WindowPoints): number {
    let number = this.allPoints.get(points);
    if (number === undefined) {
      number = this.kernel.addPoints(points.starts, points.weights, points.window.basis.size);
      this.allPoints.set(points, number);
    }
    return number;
  }

  /** The kernel's number of a fit to all carriers at once. */
  fitter(fitter: Fitter): number {
    let number = this.training.get(fitter);
    if (number === undefined) {
      const { factor, size, lambda } = fitter;
      const one = Float64Array.of(1);
      const penalty = Float64Array.of(lambda);
      number = this.kernel.addSystem({ size, order: 1, factor, penalty, slots: 1, perSlot: one });
      this.training.set(fitter, number);
      this.elements += size ** 2;
    }
    return number;
  }

  /** The solver of a hypothesis, made once for each 3 dB of lambda (fine enough for a regulariser). */
  solver(basis: DelayBasis, time: TimeBasis, lambda: number): WindowSolver {
    const { latest } = this;
    // Slot after slot asks for the same one.
    if (latest && latest.basis === basis && latest.time === time && lambda >= latest.from && lambda < latest.below)
      return latest;
    const step = 3 * Math.round(quantiseDb(lambda) / 3);
    let byTime = this.solvers.get(basis);
    if (!byTime) this.solvers.set(basis, (byTime = new Map()));
    let byStep = byTime.get(time);
    if (!byStep) byTime.set(time, (byStep = new Map()));
    let solver = byStep.get(step);
    if (!solver) {
      solver = new WindowSolver(this, basis, time, 10 ** (step / 10));
      this.elements += solver.size ** 2;
      byStep.set(step, solver);
    }
    this.latest = solver;
    return solver;
  }
}

const stores = new Map<number, FitStore>();

/** The store of a numerology, made once a thread. */
export function fitStore(n: Numerology): FitStore {
  let store = stores.get(n.id);
  if (!store) {
    store = new FitStore(n);
    stores.set(n.id, store);
  }
  return store;
}
