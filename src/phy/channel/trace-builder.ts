import { NoSignalError } from '../../common/errors.ts';
import { SUBBAND_CARRIERS, SUBCARRIER_SPACING_HZ } from '../numerology.ts';
import { type ChannelTrace, checkTrace } from './channel-trace.ts';

/** What one received burst says of the channel. */
export interface BurstChannel {
  /** Start of its preamble and end of its last slot on the capture's clock, s. */
  readonly startS: number;
  readonly endS: number;
  /** Start of each slot, s, [slots]. */
  readonly slotStartS: Float64Array;
  /** Instants at which `response` was estimated, s, ascending, [instants]. */
  readonly timesS: Float64Array;
  /** Estimate in any unit and with any common phase and delay, [instant][carrier][re, im]. */
  readonly response: Float32Array;
  /** Error variance of one estimated value, in the unit of |response|^2. */
  readonly errorVariance: number;
  /** Noise variance per resource element in the same unit, [slot][subband]. */
  readonly noise: Float32Array;
}

/** Silence with which a transmission begins, s: time 0 of a trace lies this far before its first burst. */
export const TRACE_LEAD_S = 3e-3;
/** A receiver that saw no noise at all (a capture without any) is given this much below the channel. */
const LEAST_NOISE = 1e-7;

/**
 * Bursts of one capture as one channel over time.
 *
 * Each burst's own delay and phase, which a receiver cannot know, are removed: the mean delay (phase slope over frequency)
 * becomes 0, and the phase is turned so that a burst continues the one before it. The amplitude is lowered by the share that the
 * estimate's error has in |H|^2. Before its first slot a burst's first H holds. Noise is that of the slot; between
 * bursts that of the nearer one. Everything is then scaled to mean |H|^2 = 1 over the instants.
 *
 * @throws NoSignalError without a burst that has a slot, FormatError where a value is not finite
 */
export function buildTrace(carrierHz: Float64Array, bursts: readonly BurstChannel[]): ChannelTrace {
  const usable = bursts.filter((b) => b.timesS.length > 0).sort((a, b) => a.startS - b.startS);
  if (usable.length === 0) throw new NoSignalError('channel trace: no burst with a received slot');
  const origin = usable[0].startS - TRACE_LEAD_S;
  const carriers = carrierHz.length;
  const subbands = carriers / SUBBAND_CARRIERS;
  const instants = usable.reduce((sum, b) => sum + b.timesS.length + 1, 0);
  const times: number[] = [];
  const noiseTimes: number[] = [];
  const noise: number[] = [];
  const response = new Float32Array(2 * carriers * instants);
  let last: Float32Array | null = null;
  let endS = 0;
  for (const burst of usable) {
    const from = Math.max(burst.startS - origin, (times.at(-1) ?? -1) + 1e-6);
    const own = burst.timesS.map((t) => t - origin);
    // Bursts that overlap cannot both be the channel: the earlier one is kept.
    if (own[0] <= from) continue;
    const rows = aligned(burst, carrierHz, last);
    const at = 2 * carriers * times.length;
    response.set(rows.subarray(0, 2 * carriers), at);
    response.set(rows, at + 2 * carriers);
    times.push(from, ...own);
    last = rows.subarray(rows.length - 2 * carriers);
    burst.slotStartS.forEach((start, slot) => {
      // The first slot's noise holds from the middle of the gap before the burst.
      const begin = slot > 0 ? start - origin : noiseTimes.length === 0 ? 0 : (endS + from) / 2;
      noiseTimes.push(Math.max(begin, (noiseTimes.at(-1) ?? -1) + 1e-6));
      for (let s = 0; s < subbands; s++) noise.push(burst.noise[slot * subbands + s]);
    });
    endS = Math.max(burst.endS - origin, own[own.length - 1]);
  }
  return checkTrace({
    ...normalised(response.subarray(0, 2 * carriers * times.length), noise),
    timesS: Float64Array.from(times),
    carrierHz,
    noiseTimesS: Float64Array.from(noiseTimes),
    endS,
  });
}

/** The burst's responses with mean delay 0, amplitude less the estimate's error, in phase with `before`. */
function aligned(burst: BurstChannel, carrierHz: Float64Array, before: Float32Array | null): Float32Array {
  const { response, errorVariance } = burst;
  const carriers = carrierHz.length;
  const delayS = meanDelayS(response, carriers);
  const out = new Float32Array(response.length);
  const turns = Float64Array.from({ length: 2 * carriers }, (_, i) => {
    const angle = 2 * Math.PI * carrierHz[i >> 1] * delayS;
    return i % 2 === 0 ? Math.cos(angle) : Math.sin(angle);
  });
  for (let i = 0; i < response.length; i += 2 * carriers) {
    let power = 0;
    for (let k = i; k < i + 2 * carriers; k++) power += response[k] ** 2 / carriers;
    const scale = Math.sqrt(Math.max(0.01, 1 - errorVariance / (power + 1e-30)));
    for (let k = 0; k < 2 * carriers; k += 2) {
      out[i + k] = scale * (response[i + k] * turns[k] - response[i + k + 1] * turns[k + 1]);
      out[i + k + 1] = scale * (response[i + k] * turns[k + 1] + response[i + k + 1] * turns[k]);
    }
  }
  if (before === null) return out;
  let re = 0;
  let im = 0;
  for (let k = 0; k < 2 * carriers; k += 2) {
    re += out[k] * before[k] + out[k + 1] * before[k + 1];
    im += out[k + 1] * before[k] - out[k] * before[k + 1];
  }
  const size = Math.hypot(re, im);
  if (size === 0) return out;
  const [c, s] = [re / size, -im / size];
  for (let i = 0; i < out.length; i += 2) {
    const a = out[i];
    out[i] = a * c - out[i + 1] * s;
    out[i + 1] = a * s + out[i + 1] * c;
  }
  return out;
}

/** Power-weighted mean delay, s: phase slope between neighbouring carriers over all instants (DC left out). */
function meanDelayS(response: Float32Array, carriers: number): number {
  let re = 0;
  let im = 0;
  for (let i = 0; i < response.length; i += 2 * carriers) {
    for (let k = i; k + 2 < i + 2 * carriers; k += 2) {
      if (k === i + carriers - 2) continue;
      re += response[k + 2] * response[k] + response[k + 3] * response[k + 1];
      im += response[k + 3] * response[k] - response[k + 2] * response[k + 1];
    }
  }
  return -Math.atan2(im, re) / (2 * Math.PI * SUBCARRIER_SPACING_HZ);
}

function normalised(response: Float32Array, noise: readonly number[]): { response: Float32Array; noise: Float32Array } {
  let power = 0;
  for (const v of response) power += v * v;
  power *= 2 / response.length;
  // A power that is no number is refused by checkTrace, with the field's name.
  const scale = power > 0 ? 1 / Math.sqrt(power) : 1;
  return {
    response: response.map((v) => v * scale),
    noise: Float32Array.from(noise, (v) => (v >= 0 ? Math.max(LEAST_NOISE, v * scale * scale) : v)),
  };
}
