import type { PreambleEstimate } from '../channel-est/delay-window.ts';
import type { ChannelEstimate, ChannelEstimator, PilotObservations } from '../channel-est/estimator.ts';
import { quietVariance, quietWeight } from '../channel-est/interference.ts';
import { estimateNoise, type NoiseEstimate } from '../channel-est/noise.ts';
import { type RbSnr, resourceBlockSnr } from '../channel-est/rb-snr.ts';
import { equalise } from '../equalise.ts';
import { type Numerology, RB_DATA_RE, SLOT_SYMBOLS, SUBBAND_CARRIERS } from '../numerology.ts';
import { payloadIndex, resourceGrid, turn } from '../resource-grid.ts';

export interface Payload extends RbSnr {
  readonly payload: Float32Array;
  readonly payloadSnr: Float32Array;
  readonly channel: Float32Array;
  readonly noiseVariance: number;
  readonly snrDb: number;
  readonly estimator: string;
}

/**
 * From the slots' symbols to payload RE: removes the common phases, estimates channel and noise over the burst, and
 * equalises. `rows` [slot x 14][nCarriers][re, im] and `pilots` [slot x 14][nSubbands][re, im] are changed in place.
 */
export function readPayload(
  n: Numerology,
  slots: number,
  firstSymbol: number,
  rows: Float32Array,
  pilots: Float32Array,
  phases: Float64Array,
  preamble: PreambleEstimate,
  noiseVariance: number,
  estimator: ChannelEstimator,
): Payload {
  const grid = resourceGrid(n);
  const symbols = slots * SLOT_SYMBOLS;
  for (let i = 0; i < symbols; i++) {
    rotate(rows, 2 * n.nCarriers * i, n.nCarriers, -phases[firstSymbol + i]);
    rotate(pilots, 2 * n.nSubbands * i, n.nSubbands, -phases[firstSymbol + i]);
  }
  const observed: PilotObservations = { numerology: n, slots, pilots, noiseVariance, preamble };
  const { estimate, noise } = estimateBoth(observed, estimator);
  const rbSnr = resourceBlockSnr(observed, estimate.channel, estimate.errorRatio, noise);

  const payload = new Float32Array(2 * slots * n.nSubbands * RB_DATA_RE);
  const payloadSnr = new Float32Array(slots * n.nSubbands * RB_DATA_RE);
  const middles = new Float32Array(2 * n.nCarriers * slots);
  let power = 0;
  for (let slot = 0; slot < slots; slot++) {
    const base = slot * n.nSubbands * RB_DATA_RE;
    for (let t = 0; t < SLOT_SYMBOLS; t++) {
      const symbol = slot * SLOT_SYMBOLS + t;
      const row = 2 * n.nCarriers * symbol;
      const carriers = grid.dataCarriersOf(t);
      const turns = grid.turnsOf(firstSymbol + symbol);
      for (let i = 0; i < carriers.length; i++) {
        const c = row + 2 * carriers[i];
        const rb = slot * n.nSubbands + Math.floor(carriers[i] / SUBBAND_CARRIERS);
        const p = base + payloadIndex(t, i);
        const hr = estimate.channel[c];
        const hi = estimate.channel[c + 1];
        // The estimate's own error acts like noise on every RE.
        const sigma2 = noise.variance[rb] * (1 + estimate.errorRatio);
        payloadSnr[p] = equalise(rows[c], rows[c + 1], hr, hi, sigma2, payload, 2 * p);
        turn(payload, 2 * p, (4 - turns[i]) & 3);
        power += hr * hr + hi * hi;
      }
    }
    const middle = 2 * n.nCarriers * (slot * SLOT_SYMBOLS + SLOT_SYMBOLS / 2);
    middles.set(estimate.channel.subarray(middle, middle + 2 * n.nCarriers), 2 * n.nCarriers * slot);
  }
  power /= Math.max(1, payloadSnr.length);
  return {
    payload,
    payloadSnr,
    ...rbSnr,
    channel: middles,
    noiseVariance: noise.mean,
    snrDb: 10 * Math.log10(Math.max(1e-3, power / (noise.mean + 1e-30))),
    estimator: estimate.summary,
  };
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
  let noise = estimateNoise(observed, estimate.channel, estimate.errorRatio);
  if (estimator.name !== 'lmmse') return { estimate, noise };
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
    noise = estimateNoise(observed, estimate.channel, estimate.errorRatio);
  }
  return { estimate, noise };
}

function rotate(array: Float32Array, at: number, count: number, phase: number): void {
  const cos = Math.cos(phase);
  const sin = Math.sin(phase);
  for (let i = at; i < at + 2 * count; i += 2) {
    const re = array[i];
    array[i] = re * cos - array[i + 1] * sin;
    array[i + 1] = re * sin + array[i + 1] * cos;
  }
}
