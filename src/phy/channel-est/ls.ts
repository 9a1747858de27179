import { SLOT_SYMBOLS, SUBBAND_CARRIERS } from '../numerology.ts';
import { resourceGrid } from '../resource-grid.ts';
import type { ChannelEstimate, ChannelEstimator, PilotObservations } from './estimator.ts';
import { SeparableChannel } from './separable-channel.ts';

/**
 * Plain least squares: in every slot each carrier takes the mean of its own one or two pilots, constant over the
 * slot, with no smoothing in frequency. The reference that others are compared with.
 */
export class LsEstimator implements ChannelEstimator {
  readonly name = 'ls';

  estimate(observed: PilotObservations): ChannelEstimate {
    const { numerology: n, slots, pilots } = observed;
    const grid = resourceGrid(n);
    const nodes = new Float32Array(2 * n.nCarriers * slots);
    const count = new Uint8Array(SUBBAND_CARRIERS);
    for (let t = 0; t < SLOT_SYMBOLS; t++) count[grid.pilotOffset(t)]++;
    const row = 2 * n.nCarriers;
    for (let slot = 0; slot < slots; slot++) {
      const first = slot * SLOT_SYMBOLS;
      const out = nodes.subarray(slot * row, (slot + 1) * row);
      for (let t = 0; t < SLOT_SYMBOLS; t++) {
        const offset = grid.pilotOffset(t);
        for (let s = 0; s < n.nSubbands; s++) {
          const p = 2 * ((first + t) * n.nSubbands + s);
          const c = 2 * (s * SUBBAND_CARRIERS + offset);
          out[c] += pilots[p] / count[offset];
          out[c + 1] += pilots[p + 1] / count[offset];
        }
      }
    }
    const sets = Uint16Array.from({ length: slots }, (_, slot) => slot);
    const weights = new Float32Array(slots * SLOT_SYMBOLS).fill(1);
    const channel = new SeparableChannel(n.nCarriers, 1, nodes, sets, weights);
    const errorRatio = SUBBAND_CARRIERS / SLOT_SYMBOLS;
    return { channel, errorRatio, powerBias: errorRatio, summary: 'LS, one value a carrier and slot' };
  }
}
