import { MOST_SNR } from '../kernels/equalise/equalise-kernel.ts';
import { RB_DATA_RE, SLOT_SYMBOLS, SUBBAND_CARRIERS } from '../numerology.ts';
import { resourceGrid } from '../resource-grid.ts';
import type { ChannelEstimate, PilotObservations } from './estimator.ts';
import { quietVariance } from './interference.ts';
import type { NoiseEstimate } from './noise.ts';

/** Lowest and highest RB SNR reported, dB; outside the pilots cannot tell. */
export const RB_SNR_MIN_DB = -20;
export const RB_SNR_MAX_DB = 43.75;

export interface RbSnr {
  /** dB, [slot x nSubbands + subband]. */
  readonly rbSnrDb: Float32Array;
  /** Standard error, dB, likewise. */
  readonly rbSnrErrorDb: Float32Array;
  /** Per subband over all slots (from the mean spectral efficiency), dB, [nSubbands]. */
  readonly subbandSnrDb: Float32Array;
  readonly subbandSnrErrorDb: Float32Array;
}

/**
 * RB SNR as design §1 defines it: 2^mean(log2(1 + |H_k|^2 / sigma^2)) - 1 over the data RE of the RB, |H|^2 being
 * |estimate|^2 less its bias.
 */
export function resourceBlockSnr(
  observed: PilotObservations,
  estimate: Pick<ChannelEstimate, 'channel' | 'errorRatio' | 'powerBias'>,
  noise: NoiseEstimate,
): RbSnr {
  const { numerology: n, slots } = observed;
  const { errorRatio, powerBias } = estimate;
  const channel = estimate.channel.grid();
  const grid = resourceGrid(n);
  const { nSubbands } = n;
  // Under interference the channel comes from the quiet pilots, and so does its error.
  const quiet = 2 * quietVariance(noise.variance);
  const efficiency = new Float64Array(slots * nSubbands);
  for (let symbol = 0; symbol < slots * SLOT_SYMBOLS; symbol++) {
    const slot = Math.floor(symbol / SLOT_SYMBOLS);
    const pilot = grid.pilotOffset(symbol - slot * SLOT_SYMBOLS);
    let c = 2 * n.nCarriers * symbol;
    for (let rb = slot * nSubbands; rb < (slot + 1) * nSubbands; rb++) {
      const sigma2 = noise.variance[rb];
      const bias = powerBias * Math.min(sigma2, quiet);
      const perNoise = 1 / (sigma2 + 1e-30);
      const pilotAt = c + 2 * pilot;
      // One logarithm of the product instead of one a carrier.
      let product = 1;
      for (const end = c + 2 * SUBBAND_CARRIERS; c < end; c += 2) {
        if (c === pilotAt) continue;
        const power = channel[c] * channel[c] + channel[c + 1] * channel[c + 1] - bias;
        if (power > 0) product *= 1 + Math.min(power * perNoise, MOST_SNR);
      }
      efficiency[rb] += Math.log2(product);
    }
  }
  return rbSnrOfEfficiency(efficiency, nSubbands, slots, errorRatio, noise);
}

/** The same from what is summed over each RB already: log2(1 + |H|^2 / sigma^2) of its data RE, [slot x nSubbands + subband]. */
export function rbSnrOfEfficiency(
  efficiency: Float64Array,
  nSubbands: number,
  slots: number,
  errorRatio: number,
  noise: NoiseEstimate,
): RbSnr {
  const rbSnrDb = new Float32Array(efficiency.length);
  const rbSnrErrorDb = new Float32Array(efficiency.length);
  const subbandSnrDb = new Float32Array(nSubbands);
  const subbandSnrErrorDb = new Float32Array(nSubbands);
  for (let s = 0; s < nSubbands; s++) {
    let sum = 0;
    let error = 0;
    for (let slot = 0; slot < slots; slot++) {
      const i = slot * nSubbands + s;
      const mean = efficiency[i] / RB_DATA_RE;
      sum += mean / slots;
      const snr = snrOf(mean);
      rbSnrDb[i] = boundedDb(snr);
      // Both |H|^2 (relative error 2 x error ratio / SNR) and sigma^2 carry errors.
      const ofNoise = noise.relativeError[i];
      const relative = Math.sqrt(ofNoise * ofNoise + (2 * errorRatio) / (snr + 0.01));
      rbSnrErrorDb[i] = PER_NEPER * relative;
      error += rbSnrErrorDb[i] / slots;
    }
    subbandSnrDb[s] = snrDbOf(sum);
    subbandSnrErrorDb[s] = error / (slots > 1 ? Math.sqrt(Math.min(slots, 4)) : 1);
  }
  return { rbSnrDb, rbSnrErrorDb, subbandSnrDb, subbandSnrErrorDb };
}

/** SNR of one RE that has this spectral efficiency, dB, within what is reported. */
export function snrDbOf(efficiency: number): number {
  return boundedDb(snrOf(efficiency));
}

/** 2^efficiency - 1; expm1, the slower, only where the difference would lose digits. */
function snrOf(efficiency: number): number {
  const exponent = Math.LN2 * efficiency;
  return exponent > 1 ? Math.exp(exponent) - 1 : Math.expm1(exponent);
}

/** dB of a power by a small share of it. */
const PER_NEPER = 10 / Math.LN10;

function boundedDb(snr: number): number {
  // The natural logarithm takes half the time of the decimal one.
  const db = PER_NEPER * Math.log(snr + 1e-12);
  return Math.max(RB_SNR_MIN_DB, Math.min(RB_SNR_MAX_DB, db));
}
