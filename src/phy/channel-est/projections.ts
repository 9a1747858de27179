import { SLOT_SYMBOLS } from '../numerology.ts';
import { type Delays, delaysOf } from './delay-transform.ts';
import { type DelayWindow, rampTable } from './delay-window.ts';
import type { PilotObservations } from './estimator.ts';
import type { TimeBasis } from './time-basis.ts';
import { type FitStore, fitStore, type WindowSolver } from './window-solver.ts';

/**
 * Fits of a burst's pilots by hypotheses on delay and Doppler: straight from the pilots of each slot where many stretches are asked
 * for with one window, through one transform to delay where a stretch is asked for with many windows. What is computed is
 * what is asked for, and kept until the next `load`.
 */
export class Projections {
  windows: readonly DelayWindow[] = [];
  fits!: FitStore;
  private observed!: PilotObservations;
  private delays!: Delays;
  /** Energy of each slot's pilots; NaN: not known yet. */
  private energies = new Float64Array(0);
  /** The window whose projections the kernel holds; of each slot the first `done` polynomials are there. */
  private chosen: DelayWindow | null = null;
  private ramp: Float32Array = new Float32Array(0);
  private done = new Uint8Array(0);
  /** Polynomials of a stretch over delay, [order][transform's length][re, im]. */
  private grid = new Float64Array(0);
  /** Energy of the stretch whose grid the kernel holds. */
  private stretchEnergy = 0;

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
    return this;
  }

  /** The one of `windows` that is the same as `window`. */
  find(window: DelayWindow): DelayWindow {
    const found = this.windows.find((w) => w.basis === window.basis && w.centre === window.centre);
    if (!found) throw new RangeError('the delay window is not one of those tried');
    return found;
  }

  /** Turns to the stretch of `time.slots` slots from `first` on, for `fitStretch`. */
  enter(time: TimeBasis, first: number): void {
    const { transform } = this.delays;
    const row = 2 * transform.length;
    if (this.grid.length !== time.order * row) this.grid = new Float64Array(time.order * row);
    const { numerology: n, pilots } = this.observed;
    const values = this.fits.kernel.weigh(pilots, 2 * first * SLOT_SYMBOLS * n.nSubbands, time.weights, time.order);
    for (let d = 0; d < time.order; d++) {
      transform.run(values.subarray(2 * n.nCarriers * d), this.grid, d * row);
    }
    this.stretchEnergy = 0;
    for (let slot = first; slot < first + time.slots; slot++) this.stretchEnergy += this.energyOf(slot);
    this.fits.kernel.loadGrid(this.grid, transform.length);
  }

  /** Residual of a solver's fit to that stretch in one of `windows`. */
  fitStretch(solver: WindowSolver, window: DelayWindow): number {
    return solver.solveStretch(this.delays.points(window), this.stretchEnergy);
  }

  /**
   * The same for the stretch from slot `first` on straight from its slots, `order` polynomials each (more than the solver's where
   * more will be asked for).
   */
  fitSlots(solver: WindowSolver, window: DelayWindow, first: number, order = solver.time.order): number {
    const { time } = solver;
    const { done, energies } = this;
    const end = first + time.slots;
    this.choose(window);
    for (let slot = first; slot < end; slot++) {
      if (done[slot] >= time.order) continue;
      let behind = slot + 1;
      while (behind < end && done[behind] < time.order) behind++;
      this.project(slot, behind - slot, order);
      slot = behind;
    }
    let energy = 0;
    for (let slot = first; slot < end; slot++) energy += energies[slot];
    return solver.solveSlots(first, energy);
  }

  private choose(window: DelayWindow): void {
    if (this.chosen === window) return;
    const { numerology: n, slots } = this.observed;
    this.chosen = window;
    this.ramp = rampTable(n, window.centre);
    this.fits.kernel.begin(this.fits.basis(window.basis), slots);
    this.done.fill(0);
  }

  private project(slot: number, count: number, order: number): void {
    const { fits, ramp, observed } = this;
    const from = 2 * SLOT_SYMBOLS * observed.numerology.nSubbands * slot;
    fits.kernel.projectSlots(ramp, observed.pilots, from, order, slot, count, this.energies);
    this.done.fill(order, slot, slot + count);
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
