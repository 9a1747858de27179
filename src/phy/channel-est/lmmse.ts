import { type Numerology, SLOT_SYMBOLS } from '../numerology.ts';
import { type DelayWindow, ramp } from './delay-window.ts';
import type { ChannelEstimate, ChannelEstimator, PilotObservations } from './estimator.ts';
import { Projections, type Stretch } from './projections.ts';
import { SeparableChannel } from './separable-channel.ts';
import { signalPower } from './signal-power.ts';
import { TIME_CLASSES, type TimeClass, timeBasis } from './time-basis.ts';
import { type WindowSolver, windowSolver } from './window-solver.ts';

/**
 * Two-dimensional LMMSE estimation from scattered pilots [Hoeher97] on a separable basis: delay functions A (the
 * window found on the preamble) times polynomials in time B over a few slots,
 *   theta = (G + sigma^2 C^-1)^-1 (A x B)' p,   G = sum over pilots of (a x b)(a x b)',
 * C the prior covariance (uniform delay profile, Jakes Doppler). G repeats from slot to slot because the pilot
 * pattern does, so the inverses are cached. The Doppler class is chosen by generalised cross-validation on the
 * pilots themselves [Golub79].
 */
export class LmmseEstimator implements ChannelEstimator {
  readonly name = 'lmmse';

  private readonly projections = new Projections();

  estimate(observed: PilotObservations): ChannelEstimate {
    const { numerology: n, slots } = observed;
    const noiseRatio = observed.noiseVariance / signalPower(observed);
    const projections = this.projections.load(observed);
    const preambleWindow = projections.find(observed.preamble.window);
    let best: Candidate | null = null;
    for (const timeClass of TIME_CLASSES) {
      const candidate = judge(observed, preambleWindow, timeClass, noiseRatio, (solver, first) =>
        projections.fillFromSlots(solver, preambleWindow, first),
      );
      // A slower class is kept unless a faster one is clearly better.
      if (!best || candidate.score < 0.995 * best.score) best = candidate;
    }
    const { timeClass, solver: chosen } = best!;
    // The preamble saw one instant and few samples; paths that had faded then, or noise taken for paths, show here.
    const stretches = new Map<number, Stretch>();
    for (const first of sampleStarts(slots, chosen.time.slots)) {
      stretches.set(first, projections.stretch(chosen.time, first));
    }
    for (const window of projections.windows) {
      if (window === preambleWindow) continue;
      const candidate = judge(observed, window, timeClass, noiseRatio, (solver, first) => {
        const stretch = stretches.get(first)!;
        projections.fill(solver, window, stretch);
        return stretch.energy;
      });
      if (candidate.score < 0.997 * best!.score) best = candidate;
    }
    const { solver, window } = best!;
    const channel = this.solveAll(observed, solver, window);
    const observations = solver.time.slots * SLOT_SYMBOLS * n.nSubbands;
    return {
      channel,
      errorRatio: solver.dof / observations,
      powerBias: -solver.dof / observations,
      summary: `LMMSE, delay window ${(2 * window.basis.halfWidth).toFixed(1)} samples, Doppler class ${timeClass.dopplerHz} Hz over ${solver.time.slots} slots`,
    };
  }

  /** The channel of all slots under one hypothesis, each from the stretch around it. */
  private solveAll({ numerology: n, slots }: PilotObservations, solver: WindowSolver, window: DelayWindow) {
    const { projections } = this;
    const { order, values, slots: width } = solver.time;
    const length = 2 * n.nCarriers;
    const nodes = new Float32Array(length * order * (slots - width + 1));
    const weights = new Float32Array(slots * SLOT_SYMBOLS * order);
    const sets = new Uint16Array(slots);
    for (let slot = 0; slot < slots; slot++) {
      const first = windowStart(slot, slots, width);
      sets[slot] = first;
      const from = (slot - first) * SLOT_SYMBOLS * order;
      weights.set(values.subarray(from, from + SLOT_SYMBOLS * order), slot * SLOT_SYMBOLS * order);
      if (slot > 0 && first === sets[slot - 1]) continue;
      solver.solve(projections.fillFromSlots(solver, window, first));
      for (let d = 0; d < order; d++) expand(n, window, solver, d, nodes, length * (order * first + d));
    }
    return new SeparableChannel(n.nCarriers, order, nodes, sets, weights);
  }
}

/** One hypothesis on delay and Doppler with its cross-validation score. */
interface Candidate {
  readonly window: DelayWindow;
  readonly timeClass: TimeClass;
  readonly solver: WindowSolver;
  readonly score: number;
}

/** First slots of the stretches on which hypotheses are judged: as many as cover the burst, at most five. */
function sampleStarts(slots: number, width: number): Set<number> {
  const last = slots - width;
  const count = Math.min(5, Math.ceil(slots / width));
  const starts = new Set<number>();
  for (let i = 0; i < count; i++) starts.add(count === 1 ? 0 : Math.round((i * last) / (count - 1)));
  return starts;
}

/**
 * Generalised cross-validation, (residual / n) / (1 - dof / n)^2, over stretches of the burst. `fill` sets a solver's
 * right-hand side for the stretch from a slot on and returns its energy; `noiseRatio` is noise over signal.
 */
function judge(
  observed: PilotObservations,
  window: DelayWindow,
  timeClass: TimeClass,
  noiseRatio: number,
  fill: (solver: WindowSolver, first: number) => number,
): Candidate {
  const { numerology: n, slots } = observed;
  const lambda = noiseRatio * window.basis.size;
  const solver = windowSolver(n, window.basis, timeBasis(Math.min(timeClass.slots, slots), timeClass), lambda);
  const width = solver.time.slots;
  const observations = width * SLOT_SYMBOLS * n.nSubbands;
  const starts = sampleStarts(slots, width);
  let residual = 0;
  for (const first of starts) residual += solver.solve(fill(solver, first));
  const share = Math.min(0.9, solver.dof / observations);
  const score = residual / (starts.size * observations) / (1 - share) ** 2;
  return { window, timeClass, solver, score };
}

const ONE_SLOT: TimeClass = { dopplerHz: 12, slots: 1, order: 2 };

/**
 * Channel in the middle of one slot from that slot's pilots alone: the reference that phase and timing of the next slot
 * are tracked against.
 */
export class SlotEstimator {
  private readonly projections = new Projections();

  /** Writes out[nCarriers][re, im]; returns the error ratio of the fit. */
  estimate(observed: PilotObservations, out: Float32Array): number {
    const { numerology: n, preamble } = observed;
    const projections = this.projections.load(observed);
    const window = projections.find(preamble.window);
    const lambda = (observed.noiseVariance * window.basis.size) / signalPower(observed);
    const solver = windowSolver(n, window.basis, timeBasis(1, ONE_SLOT), lambda);
    solver.solve(projections.fillFromSlots(solver, window, 0));
    // The middle of the slot, where the odd polynomial vanishes: the constant alone.
    expand(n, window, solver, 0, out, 0);
    return solver.dof / (SLOT_SYMBOLS * n.nSubbands);
  }
}

/** First slot of the window of `width` slots used for `slot`: centred where the burst allows. */
function windowStart(slot: number, slots: number, width: number): number {
  return Math.max(0, Math.min(slots - width, slot - ((width - 1) >> 1)));
}

/** Factor of one polynomial in time over the carriers, out[at..], [nCarriers][re, im]. */
function expand(
  n: Numerology,
  window: DelayWindow,
  solver: WindowSolver,
  d: number,
  out: Float32Array,
  at: number,
): void {
  window.basis.expand(solver.theta, 2 * window.basis.size * d, out, at);
  ramp(n, out, at, -window.centre, out, at);
}
