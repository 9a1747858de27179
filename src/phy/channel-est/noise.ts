import { SLOT_SYMBOLS } from '../numerology.ts';
import type { PilotObservations } from './estimator.ts';
import type { SeparableChannel } from './separable-channel.ts';
import { fitStore } from './window-solver.ts';

/**
 * Noise (and interference) variance of every RB from the pilots' residuals after the channel fit,
 *   sigma^2 = mean |p - H|^2 n / (n - dof),
 * shrunk towards coarser means as far as the data say: one value for the band, one a subband, one an RB. The shrinkage
 * is empirical Bayes on log variances: with between-group variance v and sampling variance 1/m of a group of m
 * residuals, a group keeps v / (v + 1/m) of its deviation. White noise gives one precise value; a jammer on single
 * subbands, or a burst of it in time, stands out and is kept.
 */
export interface NoiseEstimate {
  /** [slot x nSubbands + subband]. */
  readonly variance: Float32Array;
  /** Relative standard error of each, [slot x nSubbands + subband]. */
  readonly relativeError: Float32Array;
  /** Mean over the burst. */
  readonly mean: number;
}

export function estimateNoise(
  observed: PilotObservations,
  channel: SeparableChannel,
  errorRatio: number,
): NoiseEstimate {
  const { numerology: n, slots, pilots } = observed;
  const { nSubbands } = n;
  const keep = 1 - Math.min(0.9, errorRatio);
  const perRb = new Float64Array(slots * nSubbands);
  fitStore(n).kernel.residual(pilots, channel, perRb);
  const scale = 1 / (SLOT_SYMBOLS * keep);
  const perSubband = new Float64Array(nSubbands);
  let mean = 0;
  for (let first = 0; first < perRb.length; first += nSubbands) {
    for (let s = 0; s < nSubbands; s++) {
      const sum = scale * perRb[first + s];
      perRb[first + s] = sum;
      perSubband[s] += sum / slots;
      mean += sum;
    }
  }
  mean /= Math.max(1, perRb.length);
  const common = commonVariance(perSubband, SLOT_SYMBOLS * slots);
  const bySubband = shrink(perSubband, SLOT_SYMBOLS * slots, () => common);
  const centres = bySubband.values.map((v, s) => centreInTime(perRb, s, nSubbands, v));
  const byRb = slots > 1 ? shrink(perRb, SLOT_SYMBOLS, (i) => centres[i % nSubbands]) : null;
  const variance = new Float32Array(perRb.length);
  const relativeError = new Float32Array(perRb.length);
  for (let s = 0; s < nSubbands; s++) {
    const w = bySubband.weights[s];
    const outer = (w * w + ((1 - w) * (1 - w)) / nSubbands) / (SLOT_SYMBOLS * slots);
    for (let i = s; i < perRb.length; i += nSubbands) {
      const inner = byRb ? byRb.weights[i] : 0;
      variance[i] = byRb ? byRb.values[i] : bySubband.values[s];
      relativeError[i] = Math.sqrt((inner * inner) / SLOT_SYMBOLS + (1 - inner) * (1 - inner) * outer);
    }
  }
  return { variance, relativeError, mean };
}

/**
 * What the RBs of a subband are shrunk towards: its mean, unless interference comes or goes during the burst; then the mean
 * of the slots that are alike, or both kinds would be drawn towards a level that neither has.
 */
function centreInTime(perRb: Float64Array, subband: number, nSubbands: number, mean: number): number {
  const most = Math.exp(OUTLIER_SIGMAS / Math.sqrt(SLOT_SYMBOLS));
  let low = Number.POSITIVE_INFINITY;
  let high = 0;
  for (let i = subband; i < perRb.length; i += nSubbands) {
    if (perRb[i] < low) low = perRb[i];
    if (perRb[i] > high) high = perRb[i];
  }
  // None stands out from any level between them.
  if (!standsOut(high, low, most)) return mean;
  const own = new Float64Array(perRb.length / nSubbands);
  for (let slot = 0; slot < own.length; slot++) own[slot] = perRb[slot * nSubbands + subband];
  const usual = commonVariance(own, SLOT_SYMBOLS);
  return own.some((v) => standsOut(v, usual, most)) ? usual : mean;
}

/** A group further than this many sampling deviations from its centre is believed whatever the others do. */
const OUTLIER_SIGMAS = 4.5;

/** Whether a variance is more than `most` times another one, or less than its part. */
function standsOut(variance: number, usual: number, most: number): boolean {
  const ratio = (variance + 1e-30) / (usual + 1e-30);
  return ratio > most || ratio * most < 1;
}

/** Most values that are put in order by insertion: the host's sort takes longer to begin. */
const FEW = 24;

/** The upper one of the middle two where their number is even. */
function medianOf(values: Float64Array): number {
  const sorted = values.slice();
  if (sorted.length > FEW) return sorted.sort()[sorted.length >> 1];
  for (let i = 1; i < sorted.length; i++) {
    const value = sorted[i];
    let at = i;
    for (; at > 0 && sorted[at - 1] > value; at--) sorted[at] = sorted[at - 1];
    sorted[at] = value;
  }
  return sorted[sorted.length >> 1];
}

/** Mean of the variances, each from m complex residuals, that do not stand out from their median. */
export function commonVariance(values: Float64Array, m: number): number {
  const median = medianOf(values);
  const most = Math.exp(OUTLIER_SIGMAS / Math.sqrt(m));
  let sum = 0;
  let count = 0;
  for (const v of values) {
    if (standsOut(v, median, most)) continue;
    sum += v;
    count++;
  }
  return count > 0 ? sum / count : median + 1e-30;
}

/** Deviations that `shrink` looks at; used again. */
let deviationsRoom = new Float64Array(0);

/** Empirical-Bayes shrinkage of variances, each from m complex residuals, towards their centres. */
export function shrink(
  values: Float64Array,
  m: number,
  centre: (index: number) => number,
): { values: Float64Array; weights: Float64Array } {
  const sampling = 1 / m;
  const most = OUTLIER_SIGMAS * Math.sqrt(sampling);
  const out = new Float64Array(values.length);
  if (deviationsRoom.length < values.length) deviationsRoom = new Float64Array(values.length);
  const deviations = deviationsRoom;
  let spread = 0;
  let usual = 0;
  for (let i = 0; i < values.length; i++) {
    const middle = centre(i) + 1e-30;
    out[i] = middle;
    const deviation = Math.log((values[i] + 1e-30) / middle);
    deviations[i] = deviation;
    // Interfered groups say nothing about how much the others differ.
    if (Math.abs(deviation) > most) continue;
    spread += deviation * deviation;
    usual++;
  }
  spread /= Math.max(1, usual - 1);
  // A spread that sampling alone reaches now and then is taken for sampling.
  const limit = sampling * (1 + 3 * Math.sqrt(2 / values.length));
  const between = spread > limit ? spread - sampling : 0;
  const common = between / (between + sampling);
  const weights = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const weight = Math.abs(deviations[i]) > most ? 1 : common;
    weights[i] = weight;
    // Most often all are alike.
    if (weight > 0) out[i] *= Math.exp(weight * deviations[i]);
  }
  return { values: out, weights };
}
