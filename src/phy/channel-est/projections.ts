import { SLOT_SYMBOLS, SUBBAND_CARRIERS } from '../numerology.ts';
import { resourceGrid } from '../resource-grid.ts';
import { type Delays, delaysOf } from './delay-transform.ts';
import type { DelayWindow } from './delay-window.ts';
import type { PilotObservations } from './estimator.ts';
import { MOST_POLYNOMIALS, SLOT_POLYNOMIALS, type TimeBasis } from './time-basis.ts';
import type { WindowSolver } from './window-solver.ts';

/** Several slots' pilots against polynomials in time, over delay: [order][transform.length][re, im], and their energy. */
export interface Stretch {
  readonly grid: Float64Array;
  readonly energy: number;
}

/**
 * (A x B)' p for every delay window: the pilots of each slot are weighted with polynomials in time and transformed to
 * delay once; windows interpolate, and stretches of several slots add up. What is computed is what is asked for, and
 * kept until the next `load`.
 */
export class Projections {
  windows: readonly DelayWindow[] = [];
  private observed!: PilotObservations;
  private delays!: Delays;
  /** [slot][MOST_POLYNOMIALS][transform.length][re, im]; of each slot the first `done` polynomials are there. */
  private grids = new Float64Array(0);
  private done = new Uint8Array(0);
  private energies = new Float64Array(0);
  /** The same at the functions of `chosen`, [slot][MOST_POLYNOMIALS][basis.size][re, im]. */
  private chosen: DelayWindow | null = null;
  private chosenZ = new Float64Array(0);
  private chosenDone = new Uint8Array(0);
  private values = new Float64Array(0);

  /** Takes the pilots of another burst. */
  load(observed: PilotObservations): this {
    const { numerology: n, slots, preamble } = observed;
    this.observed = observed;
    this.delays = delaysOf(n, preamble.backoff);
    this.windows = this.delays.windows;
    this.chosen = null;
    const needed = slots * MOST_POLYNOMIALS * 2 * this.delays.transform.length;
    if (this.grids.length < needed) this.grids = new Float64Array(needed);
    if (this.done.length < slots) {
      this.done = new Uint8Array(slots);
      this.chosenDone = new Uint8Array(slots);
      this.energies = new Float64Array(slots);
    }
    this.done.fill(0);
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
    const row = 2 * this.delays.transform.length;
    const grid = new Float64Array(time.order * row);
    let energy = 0;
    for (let slot = 0; slot < time.slots; slot++) {
      this.compute(first + slot, time.order);
      energy += this.energies[first + slot];
      accumulate(time, slot, this.grids, (first + slot) * MOST_POLYNOMIALS * row, row, grid);
    }
    return { grid, energy };
  }

  /** Right-hand side of a solver from a stretch, for one of `windows`. */
  fill(solver: WindowSolver, window: DelayWindow, stretch: Stretch): void {
    const points = this.delays.points(window);
    const row = 2 * this.delays.transform.length;
    for (let d = 0; d < solver.time.order; d++) {
      points.project(stretch.grid, row * d, solver.z, 2 * window.basis.size * d);
    }
  }

  /**
   * The same straight from the slots, which is less work where many stretches are asked for with one window. Returns the
   * stretch's energy.
   */
  fillFromSlots(solver: WindowSolver, window: DelayWindow, first: number): number {
    const { time, z } = solver;
    const size = 2 * window.basis.size;
    const points = this.delays.points(window);
    if (this.chosen !== window) {
      this.chosen = window;
      this.chosenDone.fill(0);
      const needed = this.observed.slots * MOST_POLYNOMIALS * size;
      if (this.chosenZ.length < needed) this.chosenZ = new Float64Array(needed);
    }
    const row = 2 * this.delays.transform.length;
    z.fill(0);
    let energy = 0;
    for (let slot = 0; slot < time.slots; slot++) {
      const at = (first + slot) * MOST_POLYNOMIALS;
      this.compute(first + slot, time.order);
      energy += this.energies[first + slot];
      for (let p = this.chosenDone[first + slot]; p < time.order; p++) {
        points.project(this.grids, (at + p) * row, this.chosenZ, (at + p) * size);
        this.chosenDone[first + slot] = p + 1;
      }
      accumulate(time, slot, this.chosenZ, at * size, size, z);
    }
    return energy;
  }

  /** Sees to it that the first `order` polynomials of a slot are there. */
  private compute(slot: number, order: number): void {
    const { values, grids, done } = this;
    if (done[slot] >= order) return;
    const { numerology: n, pilots } = this.observed;
    const { transform } = this.delays;
    const grid = resourceGrid(n);
    for (let p = done[slot]; p < order; p++) {
      let energy = 0;
      for (let t = 0; t < SLOT_SYMBOLS; t++) {
        const w = SLOT_POLYNOMIALS[t * MOST_POLYNOMIALS + p];
        let at = 2 * (slot * SLOT_SYMBOLS + t) * n.nSubbands;
        // The first 12 symbols visit every carrier once.
        const again = t < SUBBAND_CARRIERS ? 0 : 1;
        for (let c = 2 * grid.pilotOffset(t); c < 2 * n.nCarriers; c += 2 * SUBBAND_CARRIERS, at += 2) {
          const re = pilots[at];
          const im = pilots[at + 1];
          values[c] = again * values[c] + w * re;
          values[c + 1] = again * values[c + 1] + w * im;
          energy += re * re + im * im;
        }
      }
      this.energies[slot] = energy;
      transform.run(values, grids, 2 * transform.length * (slot * MOST_POLYNOMIALS + p));
    }
    done[slot] = order;
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
