import type { SlotPattern } from './equalise-kernel.ts';

/** Symbols of a slot. */
export const SLOT = 14;

/** Most polynomials in time that pilots are projected on. */
export const MOST_POLYNOMIALS = 5;

/** What a kernel is made for: where the pilots are, and the polynomials over a slot, [14][MOST_POLYNOMIALS]. */
export interface FitPattern extends Pick<SlotPattern, 'nSubbands' | 'pilots'> {
  readonly polynomials: Float64Array;
}

/**
 * The linear algebra of a channel fit on a separable basis, delay functions A times polynomials in time B: pilots to
 * right-hand sides, their solution, and coefficients to carriers. Bases and systems are taken in once and named by number
 * until `reset`. A delay basis has the functions 1, sqrt(2) cos, sqrt(2) sin, cos, sin, .. of the carriers, which lie
 * symmetrically about DC; `ramp` is exp(2 pi i k centre / N) at each carrier, [nCarriers][re, im].
 */
export interface LmmseKernel {
  /** Right-hand side of the next `solve`, to be filled by the caller, [size][re, im]; ask for it anew after `addSystem`. */
  readonly z: Float64Array;
  /** Solution of the last `solve`, [size][re, im]. */
  readonly theta: Float64Array;
  /** values: [nCarriers][size], size odd. */
  addBasis(values: Float32Array, size: number): number;
  /**
   * L^-1 of a positive definite matrix A = L L', [size][size], the lower triangle counts; and the penalty lambda C^-1 x I that A
   * contains, [order][order], each element for size / order coefficients.
   */
  addSystem(factor: Float64Array, size: number, penalty: Float64Array, order: number): number;
  /**
   * z_p = A' diag(B_p) (pilots x ramp) for the first `order` polynomials of one slot, to z[at..], [order][basis size][re, im].
   * pilots: [14][nSubbands][re, im] from element `from` on. Returns the energy of the pilots.
   */
  project(
    basis: number,
    ramp: Float32Array,
    pilots: Float32Array,
    from: number,
    order: number,
    z: Float64Array,
    at: number,
  ): number;
  /** theta = A^-1 z; returns z' A^-1 z + theta' (lambda C^-1 x I) theta: what the fit takes off the observations' energy. */
  solve(system: number): number;
  /**
   * Carriers of the first `order` blocks of the last solution, nodes[at..] = conj(ramp) A theta_d, [order][nCarriers][re, im].
   */
  expand(basis: number, ramp: Float32Array, order: number, nodes: Float32Array, at: number): void;
  /** Forgets all bases and systems. */
  reset(): void;
}
