import { MOST_POLYNOMIALS } from '../kernels/lmmse-kernel.ts';
import { type Numerology, SLOT_SYMBOLS } from '../numerology.ts';
import { uninitialisedFloats } from '../uninitialised.ts';
import { type DelayWindow, rampTable } from './delay-window.ts';
import type { ChannelEstimate, ChannelEstimator, PilotObservations } from './estimator.ts';
import { Projections } from './projections.ts';
import { SeparableChannel } from './separable-channel.ts';
import { signalPower } from './signal-power.ts';
import { TIME_CLASSES, type TimeClass, timeBasis } from './time-basis.ts';
import { fitStore, type WindowSolver } from './window-solver.ts';

/** A faster Doppler class, and another delay window, must be better by so much. */
const FASTER = 0.995;
const OTHER_WINDOW = 0.997;
/** Most stretches of a burst that hypotheses are judged on, and those after which a window that is no better is given up. */
const MOST_STRETCHES = 5;
const FIRST_STRETCHES = 2;

/**
 * Two-dimensional LMMSE estimation from scattered pilots [Hoeher97] on a separable basis: delay functions A (the
 * window found on the preamble) times polynomials in time B over a few slots,
 *   theta = (G + sigma^2 C^-1)^-1 (A x B)' p,   G = sum over pilots of (a x b)(a x b)',
 * C the prior covariance (uniform delay profile, Jakes Doppler). G repeats from slot to slot because the pilot
 * pattern does, so the inverses are cached. The Doppler class is chosen by generalised cross-validation on the
 * pilots themselves [Golub79], then the delay window once more (docs/adr/0026).
 */
export class LmmseEstimator implements ChannelEstimator {
  readonly name = 'lmmse';

  private readonly projections = new Projections();

  estimate(observed: PilotObservations): ChannelEstimate {
    const { numerology: n } = observed;
    const noiseRatio = observed.noiseVariance / signalPower(observed);
    this.projections.load(observed);
    let best = this.judgeClasses(observed, noiseRatio);
    best = this.judgeWindows(observed, noiseRatio, best);
    const { solver, window, timeClass } = best;
    const channel = this.solveAll(observed, solver, window);
    const observations = solver.time.slots * SLOT_SYMBOLS * n.nSubbands;
    return {
      channel,
      errorRatio: solver.dof / observations,
      powerBias: -solver.dof / observations,
      summary: `LMMSE, delay window ${(2 * window.basis.halfWidth).toFixed(1)} samples, Doppler class ${timeClass.dopplerHz} Hz over ${solver.time.slots} slots`,
    };
  }

  /** The Doppler class, slow to fast, in the preamble's delay window; a slower one is kept unless a faster one is clearly better. */
  private judgeClasses(observed: PilotObservations, noiseRatio: number): Candidate {
    const { numerology: n, slots } = observed;
    const { projections } = this;
    const window = projections.find(observed.preamble.window);
    let best: Candidate | null = null;
    let least = 0;
    for (const timeClass of TIME_CLASSES) {
      const time = timeBasis(Math.min(timeClass.slots, slots), timeClass);
      const solver = projections.fits.solver(window.basis, time, noiseRatio * window.basis.size);
      const residuals: number[] = [];
      for (const first of sampleStarts(slots, time.slots)) {
        residuals.push(projections.fitSlots(solver, window, first, MOST_POLYNOMIALS));
      }
      const candidate = { window, timeClass, solver, residuals };
      const score = crossValidation(n, candidate, residuals.length);
      if (best && !(score < FASTER * least)) continue;
      best = candidate;
      least = score;
    }
    return best!;
  }

  /**
   * The delay window in that class. The preamble saw one instant and few samples; paths that had faded then, or noise taken for
   * paths, show here. Nearly always the window stays, so the others are judged on the burst's two ends first.
   */
  private judgeWindows(observed: PilotObservations, noiseRatio: number, chosen: Candidate): Candidate {
    const { numerology: n, slots } = observed;
    const { projections } = this;
    const { timeClass, window: preambleWindow } = chosen;
    const { time } = chosen.solver;
    const starts = sampleStarts(slots, time.slots);
    let left: Candidate[] = projections.windows
      .filter((window) => window !== preambleWindow)
      .map((window) => {
        const solver = projections.fits.solver(window.basis, time, noiseRatio * window.basis.size);
        return { window, timeClass, solver, residuals: [] };
      });
    for (let k = 0; k < starts.length && left.length > 0; k++) {
      if (k === FIRST_STRETCHES) {
        const limit = crossValidation(n, chosen, k);
        left = left.filter((candidate) => crossValidation(n, candidate, k) < limit);
        if (left.length === 0) break;
      }
      projections.enter(time, starts[k]);
      for (const { solver, window, residuals } of left) residuals.push(projections.fitStretch(solver, window));
    }
    let best = chosen;
    let least = crossValidation(n, chosen, starts.length);
    for (const candidate of left) {
      const score = crossValidation(n, candidate, starts.length);
      if (!(score < OTHER_WINDOW * least)) continue;
      best = candidate;
      least = score;
    }
    return best;
  }

  /** The channel of all slots under one hypothesis, each from the stretch around it. */
  private solveAll({ numerology: n, slots }: PilotObservations, solver: WindowSolver, window: DelayWindow) {
    const { projections } = this;
    const { order, values, slots: width } = solver.time;
    const ramp = rampTable(n, window.centre);
    const length = 2 * n.nCarriers;
    const nodes = uninitialisedFloats(length * order * (slots - width + 1));
    const weights = uninitialisedFloats(slots * SLOT_SYMBOLS * order);
    const sets = new Uint16Array(slots);
    for (let slot = 0; slot < slots; slot++) {
      const first = windowStart(slot, slots, width);
      sets[slot] = first;
      const from = (slot - first) * SLOT_SYMBOLS * order;
      weights.set(values.subarray(from, from + SLOT_SYMBOLS * order), slot * SLOT_SYMBOLS * order);
      if (slot > 0 && first === sets[slot - 1]) continue;
      projections.fitSlots(solver, window, first);
      solver.expand(ramp, order, nodes, length * order * first);
    }
    return new SeparableChannel(n.nCarriers, order, nodes, sets, weights);
  }
}

/** One hypothesis on delay and Doppler, and the residuals of the stretches it was judged on. */
interface Candidate {
  readonly window: DelayWindow;
  readonly timeClass: TimeClass;
  readonly solver: WindowSolver;
  readonly residuals: number[];
}

/** First slots of the stretches on which hypotheses are judged: as many as cover the burst, at most five, its ends first. */
function sampleStarts(slots: number, width: number): number[] {
  const last = slots - width;
  const count = Math.min(MOST_STRETCHES, Math.ceil(slots / width));
  const starts = Array.from({ length: count }, (_, i) => (count === 1 ? 0 : Math.round((i * last) / (count - 1))));
  if (count > FIRST_STRETCHES) starts.splice(1, 0, starts.pop()!);
  return starts;
}

/** Generalised cross-validation, (residual / n) / (1 - dof / n)^2, over the first `count` stretches. */
function crossValidation(n: Numerology, { solver, residuals }: Candidate, count: number): number {
  const observations = solver.time.slots * SLOT_SYMBOLS * n.nSubbands;
  let residual = 0;
  for (let i = 0; i < count; i++) residual += residuals[i];
  const share = Math.min(0.9, solver.dof / observations);
  return residual / (count * observations) / (1 - share) ** 2;
}

const ONE_SLOT: TimeClass = { dopplerHz: 12, slots: 1, order: 2 };

/**
 * Channel in the middle of one slot from that slot's pilots alone: the reference that phase and timing of the next slot
 * are tracked against.
 */
export class SlotEstimator {
  /** Writes out[nCarriers][re, im]; returns the error ratio of the fit. */
  estimate(observed: PilotObservations, out: Float32Array): number {
    const { numerology: n, preamble, pilots } = observed;
    const { basis, centre } = preamble.window;
    const fits = fitStore(n);
    fits.tidy();
    const lambda = (observed.noiseVariance * basis.size) / signalPower(observed);
    const solver = fits.solver(basis, timeBasis(1, ONE_SLOT), lambda);
    const ramp = rampTable(n, centre);
    fits.kernel.begin(fits.basis(basis), 1);
    solver.solveSlots(0, fits.kernel.project(ramp, pilots, 0, ONE_SLOT.order, 0));
    // The middle of the slot, where the odd polynomial vanishes: the constant alone.
    solver.expand(ramp, 1, out, 0);
    return solver.dof / (SLOT_SYMBOLS * n.nSubbands);
  }
}

/** First slot of the window of `width` slots used for `slot`: centred where the burst allows. */
function windowStart(slot: number, slots: number, width: number): number {
  return Math.max(0, Math.min(slots - width, slot - ((width - 1) >> 1)));
}
