import type { PreambleEstimate } from '../channel-est/delay-window.ts';
import type { ChannelEstimate, ChannelEstimator } from '../channel-est/estimator.ts';
import { type RbSnr, resourceBlockSnr } from '../channel-est/rb-snr.ts';
import { type Numerology, RB_DATA_RE, SLOT_SYMBOLS, SUBBAND_CARRIERS } from '../numerology.ts';
import { resourceGrid } from '../resource-grid.ts';
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

/**
 * From the slots' symbols to payload RE: removes the common phases, estimates channel and noise over the burst, and
 * equalises. `keptSymbols` of each slot go to `channelDetail`. `rows` is [slot x 14][nCarriers][re, im]; `pilots` [slot x 14][nSubbands][re, im] is changed in place.
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
  keptSymbols: readonly number[] = [],
): Payload {
  const { observed, estimate, noise, phase } = estimatePayload(
    { numerology: n, slots, pilots, noiseVariance, preamble },
    phases.subarray(firstSymbol, firstSymbol + slots * SLOT_SYMBOLS),
    estimator,
  );
  const rbSnr = resourceBlockSnr(observed, estimate, noise);

  const payload = new Float32Array(2 * slots * n.nSubbands * RB_DATA_RE);
  const payloadSnr = new Float32Array(slots * n.nSubbands * RB_DATA_RE);
  const middles = new Float32Array(2 * n.nCarriers * slots);
  const slotPhase = new Float64Array(slots);
  const detail = new Float32Array(2 * n.nCarriers * slots * keptSymbols.length);
  let power = 0;
  for (let slot = 0; slot < slots; slot++) {
    for (let t = 0; t < SLOT_SYMBOLS; t++) {
      const symbol = slot * SLOT_SYMBOLS + t;
      power += equaliseSymbol(
        n,
        symbol,
        rows,
        estimate,
        noise.variance,
        phase[symbol],
        firstSymbol + symbol,
        payload,
        payloadSnr,
      );
    }
    const middle = 2 * n.nCarriers * (slot * SLOT_SYMBOLS + SLOT_SYMBOLS / 2);
    slotPhase[slot] = phase[slot * SLOT_SYMBOLS + SLOT_SYMBOLS / 2];
    middles.set(estimate.channel.subarray(middle, middle + 2 * n.nCarriers), 2 * n.nCarriers * slot);
    for (const [i, symbol] of keptSymbols.entries()) {
      const row = 2 * n.nCarriers * (slot * SLOT_SYMBOLS + symbol);
      const at = 2 * n.nCarriers * (slot * keptSymbols.length + i);
      detail.set(estimate.channel.subarray(row, row + 2 * n.nCarriers), at);
    }
  }
  power /= Math.max(1, payloadSnr.length);
  return {
    payload,
    payloadSnr,
    ...rbSnr,
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

/** Cosine and sine of minus the common phase less 0 to 3 quarter turns. */
const turned = new Float64Array(8);

/**
 * MMSE equalisation of one slot symbol's data RE, as `equalise`, with common phase and scrambling taken out in the same
 * step. Returns the sum of |h|^2. `symbol` counts from the first slot, `sequenceSymbol` from the first header symbol.
 */
function equaliseSymbol(
  n: Numerology,
  symbol: number,
  rows: Float32Array,
  estimate: ChannelEstimate,
  variance: Float32Array,
  phase: number,
  sequenceSymbol: number,
  payload: Float32Array,
  payloadSnr: Float32Array,
): number {
  const grid = resourceGrid(n);
  const { channel, errorRatio } = estimate;
  const turns = grid.turnsOf(sequenceSymbol);
  const slot = Math.floor(symbol / SLOT_SYMBOLS);
  const t = symbol - slot * SLOT_SYMBOLS;
  const pilot = grid.pilotOffset(t);
  const cos = Math.cos(phase);
  const sin = -Math.sin(phase);
  // j^-turns times exp(-i phase).
  turned[0] = cos;
  turned[1] = sin;
  turned[2] = sin;
  turned[3] = -cos;
  turned[4] = -cos;
  turned[5] = -sin;
  turned[6] = -sin;
  turned[7] = cos;
  let power = 0;
  let c = 2 * n.nCarriers * symbol;
  let i = 0;
  for (let s = 0; s < n.nSubbands; s++) {
    const rb = slot * n.nSubbands + s;
    // The estimate's own error acts like noise on every RE.
    const sigma2 = variance[rb] * (1 + errorRatio) + 1e-30;
    const perNoise = 1 / sigma2;
    let p = rb * RB_DATA_RE + t * (SUBBAND_CARRIERS - 1);
    const pilotAt = c + 2 * pilot;
    for (const end = c + 2 * SUBBAND_CARRIERS; c < end; c += 2) {
      if (c === pilotAt) continue;
      const hr = channel[c];
      const hi = channel[c + 1];
      const yr = rows[c];
      const yi = rows[c + 1];
      const gain = hr * hr + hi * hi;
      const scale = 1 / (gain + sigma2);
      const re = (hr * yr + hi * yi) * scale;
      const im = (hr * yi - hi * yr) * scale;
      const u = 2 * turns[i++];
      const ur = turned[u];
      const ui = turned[u + 1];
      payload[2 * p] = re * ur - im * ui;
      payload[2 * p + 1] = re * ui + im * ur;
      payloadSnr[p++] = gain * perNoise;
      power += gain;
    }
  }
  return power;
}
