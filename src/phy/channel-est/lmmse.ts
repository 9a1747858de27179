import { MOST_POLYNOMIALS } from '../kernels/lmmse/lmmse-kernel.ts';
import { type Numerology, SLOT_SYMBOLS } from '../numerology.ts';
import { uninitialisedFloats } from '../uninitialised.ts';
import { type DelayWindow, rampTable } from './delay-window.ts';
import type { ChannelEstimate, ChannelEstimator, PilotObservations } from './estimator.ts';
import { Projections } from './projections.ts';
import { SeparableChannel } from './separable-channel.ts';
import { signalPower } from './signal-power.ts';
import { TIME_CLASSES, type TimeBasis, type TimeClass, timeBasis } from './time-basis.ts';
import { fitStore, type WindowSolver } from './window-solver.ts';

/** A faster Doppler class, and another delay window, must be better by so much. */
const FASTER = 0.995;
const OTHER_WINDOW = 0.997;
/**
 * Where a class leaves no more of the pilots than this many times the preamble's noise, and the next is no better, faster ones are not
 * tried: noise is all there is to fit. Bursts shorter than the slowest class's stretch are judged by too few pilots for that.
 */
const STILL = 1.5;
/** Most stretches of a burst that hypotheses are judged on. */
const MOST_STRETCHES = 5;
/**
 * A window is given up after the burst's last stretch, which is furthest from the preamble, where it is worse by more than this there, and
 * after the first one, too, where it is no better.
 */
const CLEARLY_WORSE = 1.02;
const BOTH_ENDS = 2;

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
    const plans = plansOf(observed.slots);
    const slowest = this.judgeClasses(observed, plans, noiseRatio);
    const { solver, window, plan } = this.judgeWindows(observed, slowest, noiseRatio);
    const channel = this.solveAll(observed, plan, solver, window);
    const share = solver.dof / observationsOf(n, solver);
    return {
      channel,
      errorRatio: share,
      powerBias: -share,
      summary: solver.summary,
    };
  }

  /** The Doppler class, slow to fast, in the preamble's delay window; a slower one is kept unless a faster one is clearly better. */
  private judgeClasses(observed: PilotObservations, plans: readonly Plan[], noiseRatio: number): Candidate {
    const { numerology: n } = observed;
    const { projections } = this;
    const window = projections.find(observed.preamble.window);
    const still = observed.slots >= TIME_CLASSES[0].slots ? STILL * observed.noiseVariance : 0;
    let best: Candidate | null = null;
    let least = 0;
    for (const plan of plans) {
      const { time, starts } = plan;
      const solver = projections.fits.solver(window.basis, time, noiseRatio * window.basis.size);
      const candidate = new Candidate(plan, window, solver);
      // The second is tried nearly always, those beyond seldom.
      const order = time.order <= plans[1].time.order ? plans[1].time.order : MOST_POLYNOMIALS;
      for (const first of starts) candidate.add(projections.fitSlots(solver, window, first, order));
      const score = candidate.score(n, starts.length);
      if (!best || score < FASTER * least) {
        best = candidate;
        least = score;
      } else if (least < still) break;
    }
    return best!;
  }

  /**
   * The delay window in that class. The preamble saw one instant and few samples; paths that had faded then, or noise taken for
   * paths, show here. Nearly always the window stays, so the others are judged on the burst's two ends first.
   */
  private judgeWindows({ numerology: n }: PilotObservations, chosen: Candidate, noiseRatio: number): Candidate {
    const { projections } = this;
    const { plan } = chosen;
    const { time, starts } = plan;
    const left: Candidate[] = [];
    for (const window of projections.windows) {
      if (window === chosen.window) continue;
      left.push(
        new Candidate(plan, window, projections.fits.solver(window.basis, time, noiseRatio * window.basis.size)),
      );
    }
    let count = left.length;
    for (let k = 0; k < starts.length && count > 0; k++) {
      if (k === 1 || k === BOTH_ENDS) {
        const limit = chosen.score(n, k) * (k === 1 ? CLEARLY_WORSE : 1);
        let kept = 0;
        for (let i = 0; i < count; i++) if (left[i].score(n, k) < limit) left[kept++] = left[i];
        count = kept;
        if (count === 0) break;
      }
      projections.enter(time, starts[k]);
      for (let i = 0; i < count; i++) left[i].add(projections.fitStretch(left[i].solver, left[i].window));
    }
    let best = chosen;
    let least = chosen.score(n, starts.length);
    for (let i = 0; i < count; i++) {
      const score = left[i].score(n, starts.length);
      if (!(score < OTHER_WINDOW * least)) continue;
      best = left[i];
      least = score;
    }
    return best;
  }

  /** The channel of all slots under one hypothesis, each from the stretch around it. */
  private solveAll({ numerology: n }: PilotObservations, plan: Plan, solver: WindowSolver, window: DelayWindow) {
    const { projections } = this;
    const { sets, weights, setCount } = plan;
    const { order } = solver.time;
    const ramp = rampTable(n, window.centre);
    const length = 2 * n.nCarriers * order;
    const nodes = uninitialisedFloats(length * setCount);
    // A set's number is its first slot.
    for (let first = 0; first < setCount; first++) {
      projections.fitSlots(solver, window, first);
      solver.expand(ramp, order, nodes, length * first);
    }
    return new SeparableChannel(n.nCarriers, order, nodes, sets, weights);
  }
}

/** A Doppler class over bursts of so many slots. */
interface Plan {
  readonly time: TimeBasis;
  /** First slots of the stretches that it is judged on. */
  readonly starts: readonly number[];
  /** Fits over stretches that begin with the slots 0 to setCount - 1, the one of each slot, and its weights, as SeparableChannel has them. */
  readonly setCount: number;
  readonly sets: Uint16Array;
  readonly weights: Float32Array;
}

const plans = new Map<number, Plan[]>();

/** The Doppler classes of bursts of so many slots, slow to fast, made once. */
function plansOf(slots: number): readonly Plan[] {
  let known = plans.get(slots);
  if (!known) {
    known = TIME_CLASSES.map((timeClass) => {
      const time = timeBasis(Math.min(timeClass.slots, slots), timeClass);
      return { time, starts: sampleStarts(slots, time.slots), ...setsOf(slots, time) };
    });
    plans.set(slots, known);
  }
  return known;
}

/** Each slot is fitted in the stretch around it. */
function setsOf(slots: number, time: TimeBasis): Pick<Plan, 'setCount' | 'sets' | 'weights'> {
  const sets = new Uint16Array(slots);
  const perSlot = SLOT_SYMBOLS * time.order;
  const weights = new Float32Array(slots * perSlot);
  for (let slot = 0; slot < slots; slot++) {
    const first = windowStart(slot, slots, time.slots);
    sets[slot] = first;
    weights.set(time.weights.subarray((slot - first) * perSlot, (slot - first + 1) * perSlot), slot * perSlot);
  }
  return { setCount: slots === 0 ? 0 : slots - time.slots + 1, sets, weights };
}

/** First slots of the stretches on which hypotheses are judged: as many as cover the burst, at most five, its end and its beginning first. */
function sampleStarts(slots: number, width: number): number[] {
  // A burst that was cut off before its first slot has none.
  if (slots === 0) return [];
  const count = Math.min(MOST_STRETCHES, Math.ceil(slots / width));
  const starts = Array.from({ length: count }, (_, i) => Math.round((i * (slots - width)) / Math.max(1, count - 1)));
  return [starts.pop()!, ...starts];
}

/** One hypothesis on delay and Doppler, and what it leaves of the stretches it was judged on. */
class Candidate {
  readonly plan: Plan;
  readonly window: DelayWindow;
  readonly solver: WindowSolver;
  /** Residual of the first stretches, added up, [stretches + 1]. */
  private readonly sums = [0];

  constructor(plan: Plan, window: DelayWindow, solver: WindowSolver) {
    this.plan = plan;
    this.window = window;
    this.solver = solver;
  }

  /** The residual of the next stretch. */
  add(residual: number): void {
    this.sums.push(this.sums[this.sums.length - 1] + residual);
  }

  /** Generalised cross-validation, (residual / n) / (1 - dof / n)^2, over the first `count` stretches. */
  score(n: Numerology, count: number): number {
    const observations = observationsOf(n, this.solver);
    const share = Math.min(0.9, this.solver.dof / observations);
    return this.sums[count] / (count * observations) / (1 - share) ** 2;
  }
}

function observationsOf(n: Numerology, { time }: WindowSolver): number {
  return time.slots * SLOT_SYMBOLS * n.nSubbands;
}

const ONE_SLOT: TimeClass = { dopplerHz: 12, slots: 1, order: 2 };
let oneSlot: TimeBasis | null = null;

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
    const ramp = rampTable(n, centre);
    fits.kernel.begin(fits.basis(basis), 1);
    const energy = fits.kernel.project(ramp, pilots, 0, ONE_SLOT.order, 0);
    const lambda = (observed.noiseVariance * basis.size) / signalPower(observed, energy);
    oneSlot ??= timeBasis(1, ONE_SLOT);
    const solver = fits.solver(basis, oneSlot, lambda);
    solver.solveSlots(0, energy);
    // The middle of the slot, where the odd polynomial vanishes: the constant alone.
    solver.expand(ramp, 1, out, 0);
    return solver.dof / (SLOT_SYMBOLS * n.nSubbands);
  }
}

/** First slot of the window of `width` slots used for `slot`: centred where the burst allows. */
function windowStart(slot: number, slots: number, width: number): number {
  return Math.max(0, Math.min(slots - width, slot - ((width - 1) >> 1)));
}
