import type { PreambleEstimate } from '../channel-est/delay-window.ts';
import type { ChannelEstimate, ChannelEstimator } from '../channel-est/estimator.ts';
import { alike, quietVariance } from '../channel-est/interference.ts';
import type { NoiseEstimate } from '../channel-est/noise.ts';
import { type RbSnr, rbSnrOfEfficiency } from '../channel-est/rb-snr.ts';
import { NOISE_NUMBERS } from '../kernels/equalise/equalise-kernel.ts';
import { type Numerology, RB_DATA_RE, SLOT_SYMBOLS } from '../numerology.ts';
import { equaliserOf } from './burst-equaliser.ts';
import { FloatPool } from './float-pool.ts';
import { estimatePayload } from './payload-estimate.ts';

export interface Payload extends RbSnr {
  readonly payload: Float32Array;
  readonly payloadSnr: Float32Array;
  readonly channel: Float32Array;
  readonly channelDetail: Float32Array;
  /** Common phase that was taken out in the middle of each slot, [slot], rad. */
  readonly slotPhase: Float64Array;
  readonly channelError: number;
  readonly noiseVariance: number;
  /** [slot x nSubbands + subband]. */
  readonly rbNoise: Float32Array;
  readonly rbNoiseError: Float32Array;
  readonly snrDb: number;
  readonly estimator: string;
}

/** A burst's slots as received. */
export interface ReceivedSlots {
  /** [slot x 14][nCarriers][re, im] */
  readonly rows: Float32Array;
  /** What they are still to be turned by, common phases and all, as SlotsToEqualise has it. Changed in place. */
  readonly turns: Float64Array;
  /** Least-squares channel at the pilots, turned, [slot x 14][nSubbands][re, im]. */
  readonly pilots: Float32Array;
  /** Sum of their |p|^2 where it is known. */
  readonly energy?: number;
}

/**
 * From the slots' symbols to payload RE: estimates channel and noise over the burst, and equalises. `keptSymbols` of each slot go
 * to `channelDetail`; the large arrays come from `pool`. `phases`: common phases that `received` is turned by, of all symbols.
 */
export function readPayload(
  n: Numerology,
  slots: number,
  firstSymbol: number,
  { rows, turns, pilots, energy }: ReceivedSlots,
  phases: Float64Array,
  preamble: PreambleEstimate,
  noiseVariance: number,
  estimator: ChannelEstimator,
  keptSymbols: readonly number[] = [],
  pool = new FloatPool(),
): Payload {
  const tracked = phases.subarray(firstSymbol, firstSymbol + slots * SLOT_SYMBOLS);
  const observed = { numerology: n, slots, pilots, energy, noiseVariance, preamble };
  const { estimate, noise, phase } = estimatePayload(observed, tracked, estimator);
  if (phase !== tracked) turnBy(tracked, phase, turns);
  const payload = pool.take(2 * slots * n.nSubbands * RB_DATA_RE);
  const payloadSnr = pool.take(slots * n.nSubbands * RB_DATA_RE);
  const middles = pool.take(2 * n.nCarriers * slots);
  const slotPhase = new Float64Array(slots);
  const detail = new Float32Array(2 * n.nCarriers * slots * keptSymbols.length);
  const efficiency = new Float64Array(slots * n.nSubbands);
  const { channel } = estimate;
  const { order, nodes, sets, weights } = channel;
  const perRb = noiseOf(estimate, noise);
  const input = { slots, symbol: firstSymbol, rows, turns, order, nodes, sets, weights, noise: perRb };
  const power =
    equaliserOf(n).equalise(input, payload, payloadSnr, efficiency, middles) / Math.max(1, payloadSnr.length);
  for (let slot = 0; slot < slots; slot++) {
    slotPhase[slot] = phase[slot * SLOT_SYMBOLS + SLOT_SYMBOLS / 2];
    for (const [i, symbol] of keptSymbols.entries()) {
      channel.symbol(slot * SLOT_SYMBOLS + symbol, detail, 2 * n.nCarriers * (slot * keptSymbols.length + i));
    }
  }
  const snr = rbSnrOfEfficiency(efficiency, n.nSubbands, slots, estimate.errorRatio, noise);
  return {
    payload,
    payloadSnr,
    rbSnrDb: snr.rbSnrDb,
    rbSnrErrorDb: snr.rbSnrErrorDb,
    subbandSnrDb: snr.subbandSnrDb,
    subbandSnrErrorDb: snr.subbandSnrErrorDb,
    channel: middles,
    channelDetail: detail,
    slotPhase,
    channelError: estimate.errorRatio,
    noiseVariance: noise.mean,
    rbNoise: noise.variance,
    rbNoiseError: noise.relativeError,
    snrDb: 10 * Math.log10(Math.max(1e-3, power / (noise.mean + 1e-30))),
    estimator: estimate.summary,
  };
}

/** Takes other phases out of rows than those that were to be. */
function turnBy(before: Float64Array, now: Float64Array, turns: Float64Array): void {
  for (let i = 0; i < now.length; i++) {
    const cos = Math.cos(before[i] - now[i]);
    const sin = Math.sin(before[i] - now[i]);
    const re = turns[4 * i];
    const im = turns[4 * i + 1];
    turns[4 * i] = re * cos - im * sin;
    turns[4 * i + 1] = re * sin + im * cos;
  }
}

/**
 * What the equaliser is told of every RB: the noise, with the channel estimate's own error, which acts like noise on every RE;
 * for the SNR the noise alone, and by how much |estimate|^2 is too large.
 */
function noiseOf(estimate: ChannelEstimate, noise: NoiseEstimate): Float32Array {
  const { errorRatio, powerBias } = estimate;
  // Under interference the channel comes from the quiet pilots, and so does its error.
  const quiet = alike(noise.variance) ? Number.POSITIVE_INFINITY : 2 * quietVariance(noise.variance);
  const out = new Float32Array(NOISE_NUMBERS * noise.variance.length);
  for (let rb = 0, at = 0; rb < noise.variance.length; rb++, at += NOISE_NUMBERS) {
    const sigma2 = noise.variance[rb];
    out[at] = sigma2 * (1 + errorRatio) + 1e-30;
    out[at + 1] = 1 / (sigma2 * (1 + errorRatio) + 1e-30);
    out[at + 2] = powerBias * Math.min(sigma2, quiet);
    out[at + 3] = 1 / (sigma2 + 1e-30);
  }
  return out;
}
