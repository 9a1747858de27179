import type { BurstRecord } from '../burst/record.ts';
import { quietVariance } from '../channel-est/interference.ts';
import { type Numerology, SLOT_SYMBOLS } from '../numerology.ts';
import type { BurstChannel } from './trace-builder.ts';

/** Symbols of each slot at which a trace takes the channel: about 4 kHz, well above twice any Doppler of a receivable burst. */
export const TRACE_SYMBOLS: readonly number[] = [0, 3, 7, 10, 13];

/**
 * What a record says of the channel; its receiver must have kept TRACE_SYMBOLS.
 *
 * @param timeOf seconds of a sample of the modem's stream
 */
export function burstChannel(
  n: Numerology,
  record: BurstRecord,
  timeOf: (modemSample: number) => number,
): BurstChannel {
  const { slots, startSample, lengthSamples, header, rbNoise, channelError, channelDetail } = record;
  const instants = slots * TRACE_SYMBOLS.length;
  if (channelDetail.length !== 2 * n.nCarriers * instants) throw new Error('the receiver did not keep TRACE_SYMBOLS');
  const firstSlot = startSample + lengthSamples - header.slots * n.slotLength;
  const slotStart = (slot: number) => timeOf(firstSlot + slot * n.slotLength);
  // As in resourceBlockSnr: under interference the channel comes from the quiet pilots, and so does its error.
  const quiet = slots > 0 ? 2 * quietVariance(rbNoise) : 0;
  const mean = rbNoise.reduce((sum, v) => sum + Math.min(v, quiet), 0) / Math.max(1, rbNoise.length);
  return {
    startS: timeOf(startSample),
    endS: slotStart(slots),
    slotStartS: Float64Array.from({ length: slots }, (_, s) => slotStart(s)),
    timesS: Float64Array.from({ length: instants }, (_, i) => {
      const slot = Math.floor(i / TRACE_SYMBOLS.length);
      const middle = (TRACE_SYMBOLS[i % TRACE_SYMBOLS.length] + 0.5) / SLOT_SYMBOLS;
      return timeOf(firstSlot + (slot + middle) * n.slotLength);
    }),
    response: channelDetail,
    errorVariance: channelError * mean,
    noise: rbNoise,
  };
}
