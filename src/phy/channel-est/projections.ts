import { MOST_POLYNOMIALS } from '../kernels/lmmse-kernel.ts';
import { SLOT_SYMBOLS, SUBBAND_CARRIERS } from '../numerology.ts';
import { resourceGrid } from '../resource-grid.ts';
import { type Delays, delaysOf } from './delay-transform.ts';
import { type DelayWindow, rampTable } from './delay-window.ts';
import type { PilotObservations } from './estimator.ts';
import type { TimeBasis } from './time-basis.ts';
import { type FitStore, fitStore, type WindowSolver } from './window-solver.ts';

/** Several slots' pilots against polynomials in time, over delay: [order][transform.length][re, im], and their energy. */
export interface Stretch {
  readonly grid: Float64Array;
  readonly energy: number;
}

/**
 * (A x B)' p for every delay window: straight from the pilots of each slot where many stretches are asked for with one window,
 * through one transform to delay where a stretch is asked for with many windows. What is computed is what is asked for,
 * and kept until the next `load`.
 */
export class Projections {
  windows: readonly DelayWindow[] = [];
  fits!: FitStore;
  private observed!: PilotObservations;
  private delays!: Delays;
  /** Energy of each slot's pilots; NaN: not known yet. */
  private energies = new Float64Array(0);
  /** Polynomials over single slots at the functions of `chosen`, [slot][MOST_POLYNOMIALS][basis.size][re, im]. */
  private chosen: DelayWindow | null = null;
  private ramp: Float32Array = new Float32Array(0);
  private basis = 0;
  private chosenZ = new Float64Array(0);
  /** Of each slot the first `done` polynomials are there. */
  private done = new Uint8Array(0);
  /** One polynomial over a stretch at the carriers, [nCarriers][re, im]. */
  private values = new Float64Array(0);

  /** Takes the pilots of another burst. */
  load(observed: PilotObservations): this {
    const { numerology: n, slots, preamble } = observed;
    this.observed = observed;
    this.fits = fitStore(n);
    this.fits.tidy();
    this.delays = delaysOf(n, preamble.backoff);
    this.windows = this.delays.windows;
    this.chosen = null;
    if (this.done.length < slots) {
      this.done = new Uint8Array(slots);
      this.energies = new Float64Array(slots);
    }
    this.energies.fill(Number.NaN);
    if (this.values.length !== 2 * n.nCarriers) this.values = new Float64Array(2 * n.nCarriers);
    return this;
  }

  /** The one of `windows` that is the same as `window`. */
  find(window: DelayWindow): DelayWindow {
    const found = this.windows.find((w) => w.basis === window.basis && w.centre === window.centre);
    if (!found) throw new RangeError('the delay window is not one of those tried');
    return found;
  }

  /** The stretch of `time.slots` slots from `first` on. */
  stretch(time: TimeBasis, first: number): Stretch {
    const { transform } = this.delays;
    const row = 2 * transform.length;
    const grid = new Float64Array(time.order * row);
    for (let d = 0; d < time.order; d++) {
      this.weigh(time, d, first);
      transform.run(this.values, grid, d * row);
    }
    let energy = 0;
    for (let slot = first; slot < first + time.slots; slot++) energy += this.energyOf(slot);
    return { grid, energy };
  }

  /** Right-hand side of a solver from a stretch, for one of `windows`. */
  fill(solver: WindowSolver, window: DelayWindow, stretch: Stretch): void {
    const points = this.delays.points(window);
    const row = 2 * this.delays.transform.length;
    const { z } = solver;
    for (let d = 0; d < solver.time.order; d++) points.project(stretch.grid, row * d, z, 2 * window.basis.size * d);
  }

  /**
   * The same straight from the slots, `order` polynomials each (more than the solver's where more will be asked for). Returns the
   * stretch's energy.
   */
  fillFromSlots(solver: WindowSolver, window: DelayWindow, first: number, order = solver.time.order): number {
    const { time } = solver;
    const size = 2 * window.basis.size;
    // Before the kernel's memory is looked at: it may grow.
    this.choose(window);
    const { z } = solver;
    z.fill(0, 0, time.order * size);
    let energy = 0;
    for (let slot = 0; slot < time.slots; slot++) {
      const at = (first + slot) * MOST_POLYNOMIALS * size;
      if (this.done[first + slot] < time.order) this.project(first + slot, order, at);
      energy += this.energies[first + slot];
      accumulate(time, slot, this.chosenZ, at, size, z);
    }
    return energy;
  }

  private choose(window: DelayWindow): void {
    if (this.chosen === window) return;
    const { numerology: n, slots } = this.observed;
    this.chosen = window;
    this.ramp = rampTable(n, window.centre);
    this.basis = this.fits.basis(window.basis);
    this.done.fill(0);
    const needed = 2 * slots * MOST_POLYNOMIALS * window.basis.size;
    if (this.chosenZ.length < needed) this.chosenZ = new Float64Array(needed);
  }

  /** The first `order` polynomials of a slot at the functions of `chosen`. */
  private project(slot: number, order: number, at: number): void {
    const { fits, basis, ramp, chosenZ, observed } = this;
    const from = 2 * SLOT_SYMBOLS * observed.numerology.nSubbands * slot;
    this.energies[slot] = fits.kernel.project(basis, ramp, observed.pilots, from, order, chosenZ, at);
    this.done[slot] = order;
  }

  /** values = the pilots of a stretch's carriers, weighted with polynomial `d`. */
  private weigh(time: TimeBasis, d: number, first: number): void {
    const { values } = this;
    const { numerology: n, pilots } = this.observed;
    const grid = resourceGrid(n);
    values.fill(0);
    let at = 2 * first * SLOT_SYMBOLS * n.nSubbands;
    for (let symbol = 0; symbol < time.slots * SLOT_SYMBOLS; symbol++) {
      const w = time.values[symbol * time.order + d];
      for (let c = 2 * grid.pilotOffset(symbol % SLOT_SYMBOLS); c < values.length; c += 2 * SUBBAND_CARRIERS, at += 2) {
        values[c] += w * pilots[at];
        values[c + 1] += w * pilots[at + 1];
      }
    }
  }

  private energyOf(slot: number): number {
    const { energies } = this;
    if (Number.isNaN(energies[slot])) {
      const { numerology: n, pilots } = this.observed;
      const length = 2 * SLOT_SYMBOLS * n.nSubbands;
      energies[slot] = 0;
      for (let i = slot * length; i < (slot + 1) * length; i++) energies[slot] += pilots[i] * pilots[i];
    }
    return energies[slot];
  }
}

/** to[d] += sum_p perSlot[slot][d][p] from[p], `row` elements each, d below the time basis's order. */
function accumulate(
  time: TimeBasis,
  slot: number,
  from: Float64Array,
  fromAt: number,
  row: number,
  to: Float64Array,
): void {
  const { order, perSlot } = time;
  for (let d = 0; d < order; d++) {
    for (let p = 0; p <= d; p++) {
      const w = perSlot[(slot * order + d) * order + p];
      if (Math.abs(w) < 1e-12) continue;
      for (let o = d * row, end = o + row, i = fromAt + p * row; o < end; i++, o++) to[o] += w * from[i];
    }
  }
}
