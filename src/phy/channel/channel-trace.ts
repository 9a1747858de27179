import { FormatError, UsageError } from '../../common/errors.ts';
import { SUBBAND_CARRIERS } from '../numerology.ts';

/**
 * A recorded channel: H(f, t) on the carriers of a burst at known instants, and the noise of every subband over time.
 *
 * Unit: mean |H|^2 over all instants and carriers is 1, and noise is in the same unit per resource element, so |H|^2 / noise
 * is the SNR of docs/metrics.md. Time 0 is where a transmission that is sent through the trace begins.
 */
export interface ChannelTrace {
  /** Seconds, ascending, [instants]. */
  readonly timesS: Float64Array;
  /** Hz from the band's centre, ascending, [carriers]. */
  readonly carrierHz: Float64Array;
  /** [instant][carrier][re, im]. */
  readonly response: Float32Array;
  /** First instant of each stretch of constant noise, s, ascending, [spans]; the first one holds before it, too. */
  readonly noiseTimesS: Float64Array;
  /** Noise variance per resource element, [span][subband]; a subband is 12 neighbouring carriers. */
  readonly noise: Float32Array;
  /** End of the record, s: from here it runs backwards. */
  readonly endS: number;
}

/** Complex values a trace may hold (8 bytes each). */
export const MAX_TRACE_VALUES = 2 ** 24;

/** FormatError naming the field where a trace contradicts itself or holds a value that is no number; else the trace. */
export function checkTrace(trace: ChannelTrace): ChannelTrace {
  const { timesS, carrierHz, response, noiseTimesS, noise, endS } = trace;
  const carriers = carrierHz.length;
  const bad = (field: string, text: string) => new FormatError(`channel trace ${field}`, text);
  if (carriers === 0 || carriers % SUBBAND_CARRIERS !== 0) throw bad('carriers', 'are not whole subbands');
  if (timesS.length === 0 || noiseTimesS.length === 0) throw bad('times', 'there are none');
  if (timesS.length * carriers > MAX_TRACE_VALUES) {
    throw new UsageError(
      `channel trace: ${timesS.length} instants of ${carriers} carriers, at most ${MAX_TRACE_VALUES} values allowed`,
      'cut the capture first: sct capture cut',
    );
  }
  if (response.length !== 2 * timesS.length * carriers)
    throw bad('response', 'has another length than times x carriers');
  if (noise.length !== noiseTimesS.length * (carriers / SUBBAND_CARRIERS)) throw bad('noise', 'has another length');
  if (!ascending(timesS)) throw bad('times', 'do not ascend');
  if (!ascending(noiseTimesS)) throw bad('noise times', 'do not ascend');
  if (!ascending(carrierHz)) throw bad('carriers', 'do not ascend');
  if (!(endS >= timesS[timesS.length - 1] && endS < 1e9)) throw bad('end', 'lies before the last instant');
  if (!response.every(Number.isFinite)) throw bad('response', 'holds a value that is not finite');
  if (!noise.every((v) => v > 0 && v < 1e12)) throw bad('noise', 'holds a value that is not above 0');
  return trace;
}

function ascending(values: Float64Array): boolean {
  return values.every((v, i) => Number.isFinite(v) && (i === 0 || v > values[i - 1]));
}

/**
 * Time within the record for any time: before 0 the beginning holds; behind the end the record runs backwards to 0, then
 * forwards again, and so on, so that nothing jumps.
 */
export function reflectedTime(timeS: number, endS: number): number {
  if (timeS <= 0 || endS <= 0) return 0;
  const within = timeS % (2 * endS);
  return within <= endS ? within : 2 * endS - within;
}

/** Last index with times[index] <= timeS, 0 where there is none. O(log n). */
export function indexAt(times: Float64Array, timeS: number): number {
  let low = 0;
  let high = times.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (times[middle] <= timeS) low = middle;
    else high = middle;
  }
  return low;
}

/** Where a time lies between instants: values[index] (1 - weight) + values[index + 1] weight; held outside. */
export function between(times: Float64Array, timeS: number): { index: number; weight: number } {
  const index = indexAt(times, timeS);
  if (index + 1 >= times.length || timeS <= times[0]) return { index, weight: 0 };
  return { index, weight: (timeS - times[index]) / (times[index + 1] - times[index]) };
}

/** Ensemble mean SNR of a trace, dB: mean |H|^2 (1 by the unit) over the mean noise, each span weighed by its length. */
export function traceSnrDb(trace: ChannelTrace): number {
  return -10 * Math.log10(meanNoise(trace).reduce((sum, v) => sum + v, 0) / subbandsOf(trace));
}

/** Mean noise of every subband over the record, [subband]. */
export function meanNoise(trace: ChannelTrace): Float64Array {
  const { noise, noiseTimesS, endS } = trace;
  const subbands = subbandsOf(trace);
  const mean = new Float64Array(subbands);
  let total = 0;
  for (let i = 0; i < noiseTimesS.length; i++) {
    const from = i === 0 ? 0 : noiseTimesS[i];
    const weight = Math.max(1e-9, (i + 1 < noiseTimesS.length ? noiseTimesS[i + 1] : endS) - from);
    total += weight;
    for (let s = 0; s < subbands; s++) mean[s] += weight * noise[i * subbands + s];
  }
  return mean.map((v) => v / total);
}

export function subbandsOf(trace: ChannelTrace): number {
  return trace.carrierHz.length / SUBBAND_CARRIERS;
}

/** Band edges of the subbands, Hz, [subbands + 1]: half a carrier outside, midway between neighbours. */
export function subbandEdgesHz(carrierHz: Float64Array, spacingHz: number): Float64Array {
  const subbands = carrierHz.length / SUBBAND_CARRIERS;
  return Float64Array.from({ length: subbands + 1 }, (_, s) => {
    if (s === 0) return carrierHz[0] - spacingHz / 2;
    if (s === subbands) return carrierHz[carrierHz.length - 1] + spacingHz / 2;
    return (carrierHz[s * SUBBAND_CARRIERS - 1] + carrierHz[s * SUBBAND_CARRIERS]) / 2;
  });
}

/** UsageError where the trace's carriers do not reach over those of a transmission. */
export function checkCoverage(trace: ChannelTrace, carrierHz: ArrayLike<number>): void {
  const has = trace.carrierHz[trace.carrierHz.length - 1] - trace.carrierHz[0];
  const needs = carrierHz[carrierHz.length - 1] - carrierHz[0];
  const low = carrierHz[0] < trace.carrierHz[0] - 1;
  if (!low && carrierHz[carrierHz.length - 1] <= trace.carrierHz[trace.carrierHz.length - 1] + 1) return;
  throw new UsageError(
    `the channel trace covers ${(has / 1e6).toFixed(3)} MHz, the transmission occupies ${(needs / 1e6).toFixed(3)} MHz`,
    `give --numerology ${subbandsOf(trace)} or fewer subbands`,
  );
}
