import type { ChannelEstimate, ChannelEstimator, PilotObservations } from '../channel-est/estimator.ts';
import { alike, quietVariance, quietWeight } from '../channel-est/interference.ts';
import { estimateNoise, type NoiseEstimate } from '../channel-est/noise.ts';
import { signalPower } from '../channel-est/signal-power.ts';
import { fitStore } from '../channel-est/window-solver.ts';
import { SLOT_SYMBOLS, SUBBAND_CARRIERS } from '../numerology.ts';

/** Channel and noise of a burst's slots, and the common phases that the pilots are without. */
export interface PayloadEstimate {
  readonly observed: PilotObservations;
  readonly estimate: ChannelEstimate;
  readonly noise: NoiseEstimate;
  /** [symbol], rad. */
  readonly phase: Float64Array;
}

/** Phases whose mean square off a straight line is this share of the noise are one: no second estimate is made. */
const STRAIGHT = 0.03;
/** Tracked phases must explain this much more, in log noise: they are one more free number a symbol. */
const TRACKED_GAIN = 0.02;

/**
 * Channel and noise behind a burst's common phases, tracked or straight. The tracker follows phase noise; it follows a fading
 * channel, too, and what it then takes out leaves a channel that no smooth function of time describes. A straight line leaves
 * fading to the channel estimate and phase noise in the noise. Of the two the one with less noise in the pilots is taken.
 *
 * @param observed pilots without the tracked phases
 * @param tracked smoothed common phases, [symbol], rad
 */
export function estimatePayload(
  observed: PilotObservations,
  tracked: Float64Array,
  estimator: ChannelEstimator,
): PayloadEstimate {
  const { estimate, noise } = estimateBoth(observed, estimator);
  const first = { observed, estimate, noise, phase: tracked };
  const noiseRatio = first.noise.mean / signalPower(observed);
  if (!(offLine(tracked) > STRAIGHT * noiseRatio)) return first;
  const other = { ...observed, pilots: observed.pilots.slice() };
  const { kernel } = fitStore(observed.numerology);
  kernel.turn(other.pilots, phasorsOf(tracked), 1);
  const straight = straightPhases(other);
  kernel.turn(other.pilots, phasorsOf(straight), -1);
  const second = { observed: other, ...estimateBoth(other, estimator), phase: straight };
  return meanLog(second.noise.variance) < meanLog(first.noise.variance) + TRACKED_GAIN ? second : first;
}

/**
 * Straight phases behind the pilots: the turn from one slot to the next on the same carriers, all in all (in a burst of
 * one slot from its first two symbols to its last two). Deep fades weigh little, whereas a tracker that slipped a turn in one
 * shows it in all its phases. Subbands count by how alike their pilots are, so that an interferer's count little.
 */
function straightPhases({ numerology: n, slots, pilots }: PilotObservations): Float64Array {
  const symbols = slots * SLOT_SYMBOLS;
  const lag = slots > 1 ? SLOT_SYMBOLS : SUBBAND_CARRIERS;
  const width = 2 * n.nSubbands;
  let sumRe = 0;
  let sumIm = 0;
  for (let s = 0; s < width; s += 2) {
    let re = 0;
    let im = 0;
    let energy = 1e-30;
    for (let p = s, q = s + lag * width; q < symbols * width; p += width, q += width) {
      re += pilots[q] * pilots[p] + pilots[q + 1] * pilots[p + 1];
      im += pilots[q + 1] * pilots[p] - pilots[q] * pilots[p + 1];
      energy += pilots[p] ** 2 + pilots[p + 1] ** 2 + pilots[q] ** 2 + pilots[q + 1] ** 2;
    }
    sumRe += re / energy;
    sumIm += im / energy;
  }
  const step = Math.atan2(sumIm, sumRe) / lag;
  return Float64Array.from({ length: symbols }, (_, i) => step * i);
}

/** Mean square of the phases about their least-squares line. */
function offLine(phases: Float64Array): number {
  const { length } = phases;
  const middle = (length - 1) / 2;
  let sum = 0;
  let moment = 0;
  for (let i = 0; i < length; i++) {
    sum += phases[i];
    moment += (i - middle) * phases[i];
  }
  const mean = sum / length;
  // Sum of (i - middle)^2.
  const slope = moment / ((length * (length * length - 1)) / 12 + 1e-30);
  let off = 0;
  for (let i = 0; i < length; i++) {
    const away = phases[i] - mean - slope * (i - middle);
    off += away * away;
  }
  return off / length;
}

function meanLog(values: Float32Array): number {
  let sum = 0;
  for (const v of values) sum += Math.log(v + 1e-30) / values.length;
  return sum;
}

/** exp(i phase), [symbol][re, im]. */
function phasorsOf(phases: Float64Array): Float32Array {
  const out = new Float32Array(2 * phases.length);
  for (let i = 0; i < phases.length; i++) {
    out[2 * i] = Math.cos(phases[i]);
    out[2 * i + 1] = Math.sin(phases[i]);
  }
  return out;
}

/** Rounds of fitting and replacing under interference. */
const INTERFERENCE_ROUNDS = 5;

/**
 * Channel and noise. RBs whose noise stands out (an interferer, in band or in time) would spoil the channel estimate of
 * all others: their pilots are replaced by the fit, but for their weight, and the channel is fitted again.
 */
function estimateBoth(
  observed: PilotObservations,
  estimator: ChannelEstimator,
): { estimate: ChannelEstimate; noise: NoiseEstimate } {
  let estimate = estimator.estimate(observed);
  let noise = noiseOf(observed, estimate);
  // Least squares has no fit to put in a pilot's place.
  if (estimator.name === 'ls') return { estimate, noise };
  const { numerology: n, slots, pilots } = observed;
  let mixed: Float32Array | null = null;
  for (let round = 0; round < INTERFERENCE_ROUNDS; round++) {
    if (alike(noise.variance)) break;
    const quiet = quietVariance(noise.variance);
    if (noise.variance.every((v) => quietWeight(v, quiet) === 1)) break;
    mixed ??= new Float32Array(pilots.length);
    // The fit, and over it what the pilots say.
    estimate.channel.atPilots(n, mixed);
    for (let symbol = 0; symbol < slots * SLOT_SYMBOLS; symbol++) {
      const slot = Math.floor(symbol / SLOT_SYMBOLS);
      for (let s = 0; s < n.nSubbands; s++) {
        const w = quietWeight(noise.variance[slot * n.nSubbands + s], quiet);
        const p = 2 * (symbol * n.nSubbands + s);
        mixed[p] = w * pilots[p] + (1 - w) * mixed[p];
        mixed[p + 1] = w * pilots[p + 1] + (1 - w) * mixed[p + 1];
      }
    }
    estimate = estimator.estimate({ ...observed, pilots: mixed, energy: undefined, noiseVariance: quiet });
    noise = noiseOf(observed, estimate);
  }
  return { estimate, noise };
}

/** Noise from what the estimate leaves of the pilots. */
function noiseOf(observed: PilotObservations, { channel, residualRatio, errorRatio }: ChannelEstimate): NoiseEstimate {
  return estimateNoise(observed, channel, residualRatio ?? errorRatio);
}
