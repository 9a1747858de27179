import type { SlotPattern } from '../equalise/equalise-kernel.ts';

/** Symbols of a slot. */
export const SLOT = 14;

/** Most polynomials in time that pilots are projected on. */
export const MOST_POLYNOMIALS = 5;

/** What a kernel is made for: where the pilots are, and the polynomials over a slot, [14][MOST_POLYNOMIALS]. */
export interface FitPattern extends Pick<SlotPattern, 'nSubbands' | 'pilots'> {
  readonly polynomials: Float64Array;
}

/** Taps with which a delay function is interpolated from a grid over delay (DelayTransform). */
export const POINT_TAPS = 12;

/** One hypothesis: (delay functions) x (polynomials in time over several slots) and what regularises its coefficients. */
export interface FitSystem {
  /** Unknowns: delay functions x order; index polynomial x delay functions + function. */
  readonly size: number;
  readonly order: number;
  /** L^-1 of the positive definite matrix A = L L' to be solved, [size][size]; the lower triangle counts. */
  readonly factor: Float64Array;
  /** The penalty lambda C^-1 x I that A contains, [order][order], each element for all delay functions. */
  readonly penalty: Float64Array;
  /** The polynomials by those of single slots, [slots][order][order]: d over the slots = sum over p <= d of [slot][d][p] x p. */
  readonly slots: number;
  readonly perSlot: Float64Array;
}

/** h = sum_d weights[symbol][d] nodes[sets[slot]][d]: [set][order][nCarriers][re, im], [slots], [slot x 14][order]. */
export interface FittedChannel {
  readonly order: number;
  readonly nodes: Float32Array;
  readonly sets: Uint16Array;
  readonly weights: Float32Array;
}

/**
 * The linear algebra of a channel fit on a separable basis, delay functions A times polynomials in time B: pilots to
 * right-hand sides, their solution, and coefficients to carriers. Bases, interpolations and systems are taken in once and named
 * by number until `reset`. A delay basis has the functions 1, sqrt(2) cos, sqrt(2) sin, cos, sin, .. of the carriers, which
 * lie symmetrically about DC; `ramp` is exp(2 pi i k centre / N) at each carrier, [nCarriers][re, im].
 */
export interface LmmseKernel {
  /** Right-hand side z and solution of the last system solved, [size][re, im]; look anew after each call. */
  readonly z: Float64Array;
  readonly theta: Float64Array;
  /** values: [nCarriers][size], size odd. */
  addBasis(values: Float32Array, size: number): number;
  /** Functions of a delay window from a grid: starts [size], weights [size][POINT_TAPS], pairs after and before the centre. */
  addPoints(starts: Int32Array, weights: Float64Array, size: number): number;
  addSystem(system: FitSystem): number;
  /** Makes room for the projections of so many slots on a basis; what stood there is lost. */
  begin(basis: number, slots: number): void;
  /**
   * z_p = A' diag(B_p) (pilots x ramp) for the first `order` polynomials of one slot, kept as that of `slot`.
   * pilots: [14][nSubbands][re, im] from element `from` on. Returns the energy of the pilots.
   */
  project(ramp: Float32Array, pilots: Float32Array, from: number, order: number, slot: number): number;
  /** The same of `count` slots one after the other; energies[slot..] receives theirs. */
  projectSlots(
    ramp: Float32Array,
    pilots: Float32Array,
    from: number,
    order: number,
    slot: number,
    count: number,
    energies: Float64Array,
  ): void;
  /**
   * theta = A^-1 z for the slots from `first` on; returns z' A^-1 z + theta' (lambda C^-1 x I) theta: what the fit takes off the
   * observations' energy.
   */
  solveSlots(system: number, first: number): number;
  /** Takes a stretch's pilots over delay, [order][row][re, im]. */
  loadGrid(grid: Float64Array, row: number): void;
  /** The same as solveSlots with z interpolated from that grid. */
  solvePoints(system: number, points: number): number;
  /**
   * Carriers of the first `order` blocks of the last solution, nodes[at..] = conj(ramp) A theta_d, [order][nCarriers][re, im].
   */
  expand(basis: number, ramp: Float32Array, order: number, nodes: Float32Array, at: number): void;
  /**
   * values_d,c = sum of the pilots of carrier c over symbols, weighted with weights[symbol][d]: pilots of whole slots, [symbol][nSubbands]
   * [re, im] from element `from` on. Returns [order][nCarriers][re, im] of its own, order up to MOST_POLYNOMIALS; look anew after each call.
   */
  weigh(pilots: Float32Array, from: number, weights: Float32Array, order: number): Float32Array;
  /**
   * What a channel leaves of the pilots of slots, [slot x 14][nSubbands][re, im]: out[slot x nSubbands + subband] receives the sum of
   * |p - sum_d weights[symbol][d] nodes[sets[slot]][d][carrier]|^2 over the RB, with sets, nodes and weights as a SeparableChannel has them.
   */
  residual(pilots: Float32Array, channel: FittedChannel, out: Float64Array): void;
  /**
   * Turns the pilots of every symbol, [symbol][nSubbands][re, im], by its phasor, [symbol][re, im], or (sign -1) back, in place. Returns
   * their energy, sum of |p|^2.
   */
  turn(pilots: Float32Array, phasors: Float32Array, sign: 1 | -1): number;
  /** Forgets everything. */
  reset(): void;
}
