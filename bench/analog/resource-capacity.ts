import { type Numerology, RB_DATA_RE, SLOT_SYMBOLS, SUBBAND_CARRIERS } from '../../src/phy/numerology.ts';
import { payloadIndex, resourceGrid } from '../../src/phy/resource-grid.ts';

/**
 * Linear SNR of every payload RE of one slot on a channel that stands still, and the capacity-equivalent SNR of its RBs,
 * 2^mean(log2(1 + snr)) - 1.
 */
export function resourceCapacity(
  n: Numerology,
  channel: Float64Array,
  snrDb: number,
): { snr: Float64Array; rbSnr: Float64Array } {
  const grid = resourceGrid(n);
  const snr = new Float64Array(n.nSubbands * RB_DATA_RE);
  const bits = new Float64Array(n.nSubbands);
  for (let t = 0; t < SLOT_SYMBOLS; t++) {
    grid.dataCarriersOf(t).forEach((c, i) => {
      const s = (channel[2 * c] ** 2 + channel[2 * c + 1] ** 2) * 10 ** (snrDb / 10);
      snr[payloadIndex(t, i)] = s;
      bits[Math.floor(c / SUBBAND_CARRIERS)] += Math.log2(1 + s) / RB_DATA_RE;
    });
  }
  return { snr, rbSnr: bits.map((b) => 2 ** b - 1) };
}
