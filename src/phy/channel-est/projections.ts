import { type Numerology, SLOT_SYMBOLS, SUBBAND_CARRIERS } from '../numerology.ts';
import { resourceGrid } from '../resource-grid.ts';
import { DelayTransform, WindowPoints } from './delay-transform.ts';
import { type DelayWindow, delayWindows } from './delay-window.ts';
import type { PilotObservations } from './estimator.ts';
import { MOST_POLYNOMIALS, SLOT_POLYNOMIALS, type TimeBasis } from './time-basis.ts';
import type { WindowSolver } from './window-solver.ts';

/** Delay windows of one FFT window position and what leads from pilots to each. */
interface Delays {
  readonly transform: DelayTransform;
  readonly windows: readonly DelayWindow[];
  readonly points: Map<DelayWindow, WindowPoints>;
}

/** Several slots' pilots against polynomials in time, over delay: [order][transform.length][re, im], and their energy. */
export interface Stretch {
  readonly grid: Float64Array;
  readonly energy: number;
}

/**
 * (A x B)' p for every delay window: the pilots of each slot are weighted with polynomials in time and transformed to
 * delay once; windows interpolate, and stretches of several slots add up. A slot is computed when asked for.
 */
export class Projections {
  readonly windows: readonly DelayWindow[];
  private readonly observed: PilotObservations;
  private readonly order: number;
  private readonly delays: Delays;
  /** [slot][order][transform.length][re, im]. */
  private readonly grids: Float64Array;
  private readonly energies: Float64Array;
  private readonly values: Float64Array;

  /** `order`: polynomials that will be asked for. */
  constructor(observed: PilotObservations, order: number) {
    const { numerology: n, slots, preamble } = observed;
    this.observed = observed;
    this.order = order;
    this.delays = delaysOf(n, preamble.backoff);
    this.windows = this.delays.windows;
    this.grids = new Float64Array(slots * order * 2 * this.delays.transform.length);
    this.energies = new Float64Array(slots).fill(-1);
    this.values = new Float64Array(2 * n.nCarriers);
  }

  /** The stretch of `time.slots` slots from `first` on. */
  stretch(time: TimeBasis, first: number): Stretch {
    const { order, slots, perSlot } = time;
    const row = 2 * this.delays.transform.length;
    const grid = new Float64Array(order * row);
    let energy = 0;
    for (let slot = 0; slot < slots; slot++) {
      if (this.energies[first + slot] < 0) this.compute(first + slot);
      energy += this.energies[first + slot];
      for (let d = 0; d < order; d++) {
        for (let p = 0; p <= d; p++) {
          const w = perSlot[(slot * order + d) * order + p];
          if (Math.abs(w) < 1e-12) continue;
          const from = ((first + slot) * this.order + p) * row;
          for (let i = 0, o = d * row; i < row; i++, o++) grid[o] += w * this.grids[from + i];
        }
      }
    }
    return { grid, energy };
  }

  /** Right-hand side of a solver from a stretch, for one of `windows`. */
  fill(solver: WindowSolver, window: DelayWindow, stretch: Stretch): void {
    const { transform } = this.delays;
    let points = this.delays.points.get(window);
    if (!points) {
      points = new WindowPoints(transform, window);
      this.delays.points.set(window, points);
    }
    for (let d = 0; d < solver.time.order; d++) {
      points.project(stretch.grid, 2 * transform.length * d, solver.z, 2 * window.basis.size * d);
    }
  }

  private compute(slot: number): void {
    const { values, order, grids } = this;
    const { numerology: n, pilots } = this.observed;
    const { transform } = this.delays;
    const grid = resourceGrid(n);
    let energy = 0;
    for (let p = 0; p < order; p++) {
      for (let t = 0; t < SLOT_SYMBOLS; t++) {
        const w = SLOT_POLYNOMIALS[t * MOST_POLYNOMIALS + p];
        let at = 2 * (slot * SLOT_SYMBOLS + t) * n.nSubbands;
        // The first 12 symbols visit every carrier once.
        const again = t < SUBBAND_CARRIERS ? 0 : 1;
        for (let c = 2 * grid.pilotOffset(t); c < 2 * n.nCarriers; c += 2 * SUBBAND_CARRIERS, at += 2) {
          values[c] = again * values[c] + w * pilots[at];
          values[c + 1] = again * values[c + 1] + w * pilots[at + 1];
          if (p === 0) energy += pilots[at] ** 2 + pilots[at + 1] ** 2;
        }
      }
      transform.run(values, grids, 2 * transform.length * (slot * order + p));
    }
    this.energies[slot] = energy;
  }
}

const known = new Map<string, Delays>();
const MAX_KNOWN = 16;

function delaysOf(n: Numerology, backoff: number): Delays {
  const key = `${n.id}/${backoff}`;
  let delays = known.get(key);
  if (!delays) {
    const windows = delayWindows(n, backoff);
    const reaches = windows.map(({ basis, centre }) => {
      const half = (basis.step * (basis.size - 1)) / 2;
      return [centre - half, centre + half];
    });
    const lowest = Math.min(...reaches.map(([low]) => low));
    const highest = Math.max(...reaches.map(([, high]) => high));
    delays = { transform: new DelayTransform(n, lowest, highest), windows, points: new Map() };
    if (known.size >= MAX_KNOWN) known.delete(known.keys().next().value!);
    known.set(key, delays);
  }
  return delays;
}
