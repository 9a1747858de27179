import { type Numerology, SLOT_SYMBOLS } from '../numerology.ts';
import { type DelayWindow, ramp } from './delay-window.ts';
import type { ChannelEstimate, ChannelEstimator, PilotObservations } from './estimator.ts';
import { Projections, type Stretch } from './projections.ts';
import { MOST_POLYNOMIALS, TIME_CLASSES, type TimeBasis, type TimeClass, timeBasis } from './time-basis.ts';
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

  estimate(observed: PilotObservations): ChannelEstimate {
    const { numerology: n, slots } = observed;
    const projections = new Projections(observed, MOST_POLYNOMIALS);
    const preambleWindow = sameWindow(projections.windows, observed.preamble.window);
    let best: Candidate | null = null;
    for (const timeClass of TIME_CLASSES) {
      const samples = sampleStretches(projections, slots, timeClass);
      const candidate = judge(observed, projections, preambleWindow, samples);
      // A slower class is kept unless a faster one is clearly better.
      if (!best || candidate.score < 0.995 * best.score) best = candidate;
    }
    const { samples } = best!;
    // The preamble saw one instant and few samples; paths that had faded then, or noise taken for paths, show here.
    for (const window of projections.windows) {
      if (window === preambleWindow) continue;
      const candidate = judge(observed, projections, window, samples);
      if (candidate.score < 0.997 * best!.score) best = candidate;
    }
    const { solver, window } = best!;
    const channel = new Float32Array(2 * n.nCarriers * slots * SLOT_SYMBOLS);
    const nodes = new Float32Array(2 * n.nCarriers * solver.time.order);
    let solvedFor = -1;
    for (let slot = 0; slot < slots; slot++) {
      const first = windowStart(slot, slots, solver.time.slots);
      if (first !== solvedFor) {
        const stretch = projections.stretch(solver.time, first);
        projections.fill(solver, window, stretch);
        solver.solve(stretch.energy);
        for (let d = 0; d < solver.time.order; d++) expand(n, window, solver, d, nodes, 2 * n.nCarriers * d);
      }
      solvedFor = first;
      for (let t = 0; t < SLOT_SYMBOLS; t++) {
        const from = ((slot - first) * SLOT_SYMBOLS + t) * solver.time.order;
        combine(nodes, solver.time, from, channel, 2 * n.nCarriers * (slot * SLOT_SYMBOLS + t), 2 * n.nCarriers);
      }
    }
    const observations = solver.time.slots * SLOT_SYMBOLS * n.nSubbands;
    return {
      channel,
      errorRatio: solver.dof / observations,
      summary: `LMMSE, delay window ${(2 * window.basis.halfWidth).toFixed(1)} samples, Doppler class ${samples.timeClass.dopplerHz} Hz over ${solver.time.slots} slots`,
    };
  }
}

/** One hypothesis on delay and Doppler with its cross-validation score. */
interface Candidate {
  readonly window: DelayWindow;
  readonly samples: Samples;
  readonly solver: WindowSolver;
  readonly score: number;
}

/** Stretches of the burst on which a Doppler class is judged. */
interface Samples {
  readonly timeClass: TimeClass;
  readonly time: TimeBasis;
  readonly stretches: readonly Stretch[];
}

/** Up to five stretches over the burst. */
function sampleStretches(projections: Projections, slots: number, timeClass: TimeClass): Samples {
  const time = timeBasis(Math.min(timeClass.slots, slots), timeClass);
  const last = slots - time.slots;
  const starts = new Set([0, last >> 2, last >> 1, last - (last >> 2), last]);
  return { timeClass, time, stretches: Array.from(starts, (first) => projections.stretch(time, first)) };
}

/** Generalised cross-validation, (residual / n) / (1 - dof / n)^2, over the stretches. */
function judge(
  observed: PilotObservations,
  projections: Projections,
  window: DelayWindow,
  samples: Samples,
): Candidate {
  const { numerology: n, noiseVariance, preamble } = observed;
  const lambda = (noiseVariance * window.basis.size) / preamble.power;
  const solver = windowSolver(n, window.basis, samples.time, lambda);
  const observations = samples.time.slots * SLOT_SYMBOLS * n.nSubbands;
  let residual = 0;
  for (const stretch of samples.stretches) {
    projections.fill(solver, window, stretch);
    residual += solver.solve(stretch.energy);
  }
  const share = Math.min(0.9, solver.dof / observations);
  const score = residual / (samples.stretches.length * observations) / (1 - share) ** 2;
  return { window, samples, solver, score };
}

const ONE_SLOT: TimeClass = { dopplerHz: 12, slots: 1, order: 2 };

/**
 * Channel in the middle of one slot from that slot's pilots alone, out[nCarriers][re, im]: the reference that phase
 * and timing of the next slot are tracked against. Returns the error ratio of the fit.
 */
export function estimateSlot(observed: PilotObservations, out: Float32Array): number {
  const { numerology: n, preamble } = observed;
  const time = timeBasis(1, ONE_SLOT);
  const projections = new Projections(observed, ONE_SLOT.order);
  const window = sameWindow(projections.windows, preamble.window);
  const solver = windowSolver(n, window.basis, time, (observed.noiseVariance * window.basis.size) / preamble.power);
  const stretch = projections.stretch(time, 0);
  projections.fill(solver, window, stretch);
  solver.solve(stretch.energy);
  // The middle of the slot, where the odd polynomial vanishes: the constant alone.
  expand(n, window, solver, 0, out, 0);
  return solver.dof / (SLOT_SYMBOLS * n.nSubbands);
}

/** The one of `windows` that is the same as `window`. */
function sameWindow(windows: readonly DelayWindow[], window: DelayWindow): DelayWindow {
  const found = windows.find((w) => w.basis === window.basis && w.centre === window.centre);
  if (!found) throw new RangeError('the delay window is not one of those tried');
  return found;
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

/** out[at..] = sum_d time.values[from + d] nodes[d], `length` elements each. */
function combine(
  nodes: Float32Array,
  time: TimeBasis,
  from: number,
  out: Float32Array,
  at: number,
  length: number,
): void {
  const { order, values } = time;
  const w0 = values[from];
  const w1 = values[from + 1];
  for (let i = 0; i < length; i++) out[at + i] = w0 * nodes[i] + w1 * nodes[length + i];
  for (let d = 2; d < order; d++) {
    const w = values[from + d];
    for (let i = 0, j = d * length; i < length; i++, j++) out[at + i] += w * nodes[j];
  }
}
