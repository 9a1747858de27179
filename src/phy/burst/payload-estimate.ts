import type { ChannelEstimate, ChannelEstimator, PilotObservations } from '../channel-est/estimator.ts';
import { quietVariance, quietWeight } from '../channel-est/interference.ts';
import { estimateNoise, type NoiseEstimate } from '../channel-est/noise.ts';
import { signalPower } from '../channel-est/signal-power.ts';
import { SLOT_SYMBOLS, SUBBAND_CARRIERS } from '../numerology.ts';
import { resourceGrid } from '../resource-grid.ts';

/** Channel and noise of a burst's slots, and the common phases that were taken out before. */
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
 * @param observed pilots as received; they are turned in place
 * @param tracked smoothed common phases, [symbol], rad
 */
export function estimatePayload(
  observed: PilotObservations,
  tracked: Float64Array,
  estimator: ChannelEstimator,
): PayloadEstimate {
  turnPilots(observed, tracked, -1);
  const first = { observed, ...estimateBoth(observed, estimator), phase: tracked };
  const straight = straightLine(tracked);
  let off = 0;
  for (let i = 0; i < tracked.length; i++) off += (tracked[i] - straight[i]) ** 2 / tracked.length;
  const noiseRatio = first.noise.mean / signalPower(observed);
  if (!(off > STRAIGHT * noiseRatio)) return first;
  const other = { ...observed, pilots: observed.pilots.slice() };
  turnPilots(other, tracked, 1);
  turnPilots(other, straight, -1);
  const second = { observed: other, ...estimateBoth(other, estimator), phase: straight };
  return meanLog(second.noise.variance) < meanLog(first.noise.variance) + TRACKED_GAIN ? second : first;
}

/** Least-squares line through the phases. */
function straightLine(phases: Float64Array): Float64Array {
  const middle = (phases.length - 1) / 2;
  let mean = 0;
  let moment = 0;
  let square = 1e-30;
  for (let i = 0; i < phases.length; i++) {
    mean += phases[i] / phases.length;
    moment += (i - middle) * phases[i];
    square += (i - middle) ** 2;
  }
  return phases.map((_, i) => mean + (moment / square) * (i - middle));
}

function meanLog(values: Float32Array): number {
  let sum = 0;
  for (const v of values) sum += Math.log(v + 1e-30) / values.length;
  return sum;
}

/** Turns the pilots of every symbol by sign x its phase, in place. */
function turnPilots({ numerology: n, pilots }: PilotObservations, phases: Float64Array, sign: 1 | -1): void {
  const width = 2 * n.nSubbands;
  for (let symbol = 0; symbol < phases.length; symbol++) {
    const cos = Math.cos(phases[symbol]);
    const sin = sign * Math.sin(phases[symbol]);
    for (let i = width * symbol; i < width * (symbol + 1); i += 2) {
      const re = pilots[i];
      pilots[i] = re * cos - pilots[i + 1] * sin;
      pilots[i + 1] = re * sin + pilots[i + 1] * cos;
    }
  }
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
  let noise = residualNoise(observed, estimate);
  // Least squares has no fit to put in a pilot's place.
  if (estimator.name === 'ls') return { estimate, noise };
  const { numerology: n, slots, pilots } = observed;
  const grid = resourceGrid(n);
  const mixed = new Float32Array(pilots.length);
  for (let round = 0; round < INTERFERENCE_ROUNDS; round++) {
    const quiet = quietVariance(noise.variance);
    if (noise.variance.every((v) => quietWeight(v, quiet) === 1)) break;
    for (let symbol = 0; symbol < slots * SLOT_SYMBOLS; symbol++) {
      const offset = grid.pilotOffset(symbol % SLOT_SYMBOLS);
      const slot = Math.floor(symbol / SLOT_SYMBOLS);
      for (let s = 0; s < n.nSubbands; s++) {
        const w = quietWeight(noise.variance[slot * n.nSubbands + s], quiet);
        const p = 2 * (symbol * n.nSubbands + s);
        const c = 2 * (symbol * n.nCarriers + s * SUBBAND_CARRIERS + offset);
        mixed[p] = w * pilots[p] + (1 - w) * estimate.channel[c];
        mixed[p + 1] = w * pilots[p + 1] + (1 - w) * estimate.channel[c + 1];
      }
    }
    estimate = estimator.estimate({ ...observed, pilots: mixed, noiseVariance: quiet });
    noise = residualNoise(observed, estimate);
  }
  return { estimate, noise };
}

function residualNoise(observed: PilotObservations, estimate: ChannelEstimate): NoiseEstimate {
  return estimateNoise(observed, estimate.channel, estimate.residualRatio ?? estimate.errorRatio);
}
