import { type Numerology, SUBBAND_CARRIERS } from '../numerology.ts';
import { type DelayBasis, delayBasis } from './delay-basis.ts';
import { quietVariance, quietWeight } from './interference.ts';

/** Where a burst's impulse response lies: basis functions around a centre (samples after the FFT window). */
export interface DelayWindow {
  readonly basis: DelayBasis;
  readonly centre: number;
}

/** Margin before the first path found, samples: band-limited timing is good to about one. */
const EARLY = 1.5;

/**
 * Widths tried: a line-of-sight path, then a quarter, half and all of the cyclic prefix, then more than it. A wider
 * one is also tried with its start further ahead, for a weak first path that timing has passed over.
 */
export function delayWindows(n: Numerology, backoff: number): DelayWindow[] {
  const out: DelayWindow[] = [];
  for (const share of [0, 0.25, 0.5, 1, 1.4]) {
    const width = 2 * EARLY + share * n.cpLength;
    for (const ahead of share === 0 ? [0] : [0, 0.2 * n.cpLength]) {
      const halfWidth = (width + ahead) / 2;
      out.push({ basis: delayBasis(n, halfWidth), centre: backoff - EARLY - ahead + halfWidth });
    }
  }
  return out;
}

export interface PreambleEstimate {
  readonly window: DelayWindow;
  /** Samples by which the FFT windows begin early, as for delayWindows. */
  readonly backoff: number;
  /** Smoothed channel at the training symbols, [nCarriers][re, im]. */
  readonly channel: Float32Array;
  /** Mean |H|^2 over the carriers, noise removed. */
  readonly power: number;
  /** Degrees of freedom of the fit over nCarriers observations. */
  readonly dof: number;
}

/**
 * Chooses the delay window by Mallows' C_p, residual / n + 2 sigma^2 dof / n, on the training symbols, and smooths
 * the least-squares channel with it. `noiseVariance` is that of one RE; the average of two symbols has half of it.
 * `subbandNoise` [nSubbands], where given, shows subbands with an interferer, which then count less.
 */
export function estimateFromTraining(
  n: Numerology,
  channel: Float32Array,
  noiseVariance: number,
  backoff: number,
  subbandNoise?: ArrayLike<number>,
): PreambleEstimate {
  const quiet = subbandNoise ? quietVariance(subbandNoise) : noiseVariance;
  if (subbandNoise && quietWeight(maximum(subbandNoise), quiet) < 1) {
    return estimateUnderInterference(n, channel, quiet, backoff, subbandNoise);
  }
  const sigma2 = noiseVariance / 2;
  let total = 0;
  for (let i = 0; i < channel.length; i++) total += channel[i] ** 2;
  const power = Math.max(total / n.nCarriers - sigma2, 0.01 * sigma2, 1e-20);
  const ramped = new Float32Array(channel.length);
  const fit = new Float32Array(channel.length);
  let best: PreambleEstimate | null = null;
  let bestRisk = Number.POSITIVE_INFINITY;
  for (const window of delayWindows(n, backoff)) {
    ramp(n, channel, 0, window.centre, ramped, 0);
    const dof = window.basis.smooth(ramped, (sigma2 * window.basis.size) / power, fit);
    let residual = 0;
    for (let i = 0; i < fit.length; i++) residual += (fit[i] - ramped[i]) ** 2;
    const risk = residual + 2 * sigma2 * dof;
    if (risk < bestRisk) {
      bestRisk = risk;
      const out = new Float32Array(channel.length);
      ramp(n, fit, 0, -window.centre, out, 0);
      best = { window, backoff, channel: out, power, dof };
    }
  }
  return best!;
}

/** Rounds of fitting and replacing; the fit inside an interferer's band settles within these. */
const INTERFERENCE_ROUNDS = 6;

/**
 * The same with an interferer on some subbands: what they show is replaced by the fit, but for their weight, and fitted
 * again (expectation-maximisation towards weighted least squares, with the inverses of the unweighted one).
 */
function estimateUnderInterference(
  n: Numerology,
  channel: Float32Array,
  quiet: number,
  backoff: number,
  subbandNoise: ArrayLike<number>,
): PreambleEstimate {
  const mixed = channel.slice();
  let estimate: PreambleEstimate | null = null;
  for (let round = 0; round < INTERFERENCE_ROUNDS; round++) {
    for (let c = 0; c < n.nCarriers; c++) {
      const w = quietWeight(subbandNoise[Math.floor(c / SUBBAND_CARRIERS)], quiet);
      for (let i = 2 * c; i < 2 * c + 2; i++) mixed[i] = w * channel[i] + (1 - w) * (estimate?.channel[i] ?? 0);
    }
    estimate = estimateFromTraining(n, mixed, quiet, backoff);
  }
  return estimate!;
}

function maximum(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, values[i]);
  return most;
}

/** out_k = in_k exp(+2 pi i k delay / N) over the occupied carriers: takes a delay out (or, negative, puts it in). */
export function ramp(
  n: Numerology,
  input: Float32Array,
  inAt: number,
  delay: number,
  out: Float32Array,
  outAt: number,
): void {
  const table = rampTable(n, Math.abs(delay));
  const sign = delay < 0 ? -1 : 1;
  for (let c = 0; c < 2 * n.nCarriers; c += 2) {
    const cos = table[c];
    const sin = sign * table[c + 1];
    const re = input[inAt + c];
    const im = input[inAt + c + 1];
    out[outAt + c] = re * cos - im * sin;
    out[outAt + c + 1] = re * sin + im * cos;
  }
}

const tables = new Map<string, Float32Array>();
const MAX_TABLES = 64;

/** exp(+2 pi i k delay / N) of the occupied carriers, [nCarriers][re, im]; window centres come from a short list. */
export function rampTable(n: Numerology, delay: number): Float32Array {
  const key = `${n.id}/${delay}`;
  let table = tables.get(key);
  if (!table) {
    table = new Float32Array(2 * n.nCarriers);
    for (let c = 0; c < n.nCarriers; c++) {
      const phase = (2 * Math.PI * delay * n.carriers[c]) / n.fftSize;
      table[2 * c] = Math.cos(phase);
      table[2 * c + 1] = Math.sin(phase);
    }
    if (tables.size >= MAX_TABLES) tables.delete(tables.keys().next().value!);
    tables.set(key, table);
  }
  return table;
}
