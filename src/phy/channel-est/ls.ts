import { SLOT_SYMBOLS, SUBBAND_CARRIERS } from '../numerology.ts';
import { resourceGrid } from '../resource-grid.ts';
import type { ChannelEstimate, ChannelEstimator, PilotObservations } from './estimator.ts';

/**
 * Plain least squares: in every slot each carrier takes the mean of its own one or two pilots, constant over the
 * slot, with no smoothing in frequency. The reference that others are compared with.
 */
export class LsEstimator implements ChannelEstimator {
  readonly name = 'ls';

  estimate(observed: PilotObservations): ChannelEstimate {
    const { numerology: n, slots, pilots } = observed;
    const grid = resourceGrid(n);
    const channel = new Float32Array(2 * n.nCarriers * slots * SLOT_SYMBOLS);
    const count = new Uint8Array(SUBBAND_CARRIERS);
    for (let t = 0; t < SLOT_SYMBOLS; t++) count[grid.pilotOffset(t)]++;
    const row = 2 * n.nCarriers;
    for (let slot = 0; slot < slots; slot++) {
      const first = slot * SLOT_SYMBOLS;
      const out = channel.subarray(first * row, (first + 1) * row);
      for (let t = 0; t < SLOT_SYMBOLS; t++) {
        const offset = grid.pilotOffset(t);
        for (let s = 0; s < n.nSubbands; s++) {
          const p = 2 * ((first + t) * n.nSubbands + s);
          const c = 2 * (s * SUBBAND_CARRIERS + offset);
          out[c] += pilots[p] / count[offset];
          out[c + 1] += pilots[p + 1] / count[offset];
        }
      }
      for (let t = 1; t < SLOT_SYMBOLS; t++) channel.copyWithin((first + t) * row, first * row, (first + 1) * row);
    }
    const errorRatio = SUBBAND_CARRIERS / SLOT_SYMBOLS;
    return { channel, errorRatio, powerBias: errorRatio, summary: 'LS, one value a carrier and slot' };
  }
}
