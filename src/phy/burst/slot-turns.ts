import { type Numerology, SLOT_SYMBOLS } from '../numerology.ts';
import type { Acquisition } from '../sync/acquire.ts';
import type { SymbolTracker } from './symbol-tracker.ts';

/**
 * Phase and delay that were taken out of the channel in the middle of each slot, BurstRecord.slotTurn: the frequency offset from
 * the burst's first sample to the middle of the symbol, with the common phase tracked on top; and the delay of the sample clock
 * less what the FFT windows begin early.
 *
 * @param first symbol (from the first header symbol on) at which the slots begin
 * @param phases common phase taken out there, [slot], rad
 * @returns [slot][phase (rad), delay (samples)]
 */
export function slotTurns(
  n: Numerology,
  { cfo, backoff }: Pick<Acquisition, 'cfo' | 'backoff'>,
  tracker: Pick<SymbolTracker, 'delayAt'>,
  first: number,
  phases: Float64Array,
): Float64Array {
  const out = new Float64Array(2 * phases.length);
  for (let slot = 0; slot < phases.length; slot++) {
    const symbol = first + slot * SLOT_SYMBOLS + SLOT_SYMBOLS / 2;
    const middle = n.preambleLength + symbol * n.symbolLength + n.cpLength + n.fftSize / 2;
    out[2 * slot] = phases[slot] + 2 * Math.PI * cfo * middle;
    out[2 * slot + 1] = tracker.delayAt(symbol) - backoff;
  }
  return out;
}
