import { UsageError } from '../../common/errors.ts';
import type { BurstShape } from './burst-shape.ts';
import { CAPACITY_BY_CSI } from './capacity-table.ts';
import { countBySubband, type Placement, type RbMap } from './rb-map.ts';

/** What a CSI report says of the RE that one SFV travels on. */
export interface ReportedChannel {
  readonly re: number;
  /** Sum of their capacities, bit/1024. */
  readonly capacity: number;
  /** Part of the capacity of all placed SFVs, 0..1. */
  readonly share: number;
  /** Effective SNR, dB: what f_e and the choice of a code rate are told; -Infinity for no RE. */
  readonly snrDb: number;
}

/**
 * The channel of each SFV under a placement, by a CSI report; [position in sfvOrder]. The report's view, not a
 * measurement. Where mappings are to send identical symbols, all are coded for the channels of the matched placement
 * (`Allocation.matched`).
 *
 * @param csi codes of `encodeCsi`, [subband]
 * @throws UsageError when the placement and the report have different numbers of subbands
 */
export function reportedChannels(placement: Placement, csi: Uint8Array, nSubbands: number): ReportedChannel[] {
  const { rb, start } = placement;
  const counts = Array.from({ length: start.length - 1 }, (_, i) => {
    const own = new Uint32Array(nSubbands);
    for (let t = start[i]; t < start[i + 1]; t++) own[rb[t] % nSubbands]++;
    return own;
  });
  return channelsOfCounts(counts, csi, nSubbands);
}

/** The same of a map, without placing its symbols one by one. */
export function mapChannels(map: RbMap, shape: BurstShape, csi: Uint8Array): ReportedChannel[] {
  return channelsOfCounts(countBySubband(map, shape), csi, shape.nSubbands);
}

/** @param counts RE of each SFV in each subband, [SFV][subband] */
function channelsOfCounts(counts: readonly Uint32Array[], csi: Uint8Array, nSubbands: number): ReportedChannel[] {
  if (csi.length !== nSubbands) {
    throw new UsageError(`CSI report has ${csi.length} subbands, the burst ${nSubbands}`);
  }
  const sums = counts.map((own) => own.reduce((sum, re, s) => sum + re * CAPACITY_BY_CSI[csi[s]], 0));
  const total = sums.reduce((a, b) => a + b, 0);
  return sums.map((capacity, i) => {
    const re = counts[i].reduce((a, b) => a + b, 0);
    return { re, capacity, share: re === 0 ? 0 : capacity / total, snrDb: effectiveSnrDb(capacity, re) };
  });
}

/**
 * SNR of a flat channel of the same capacity: 10 log10(2^(capacity / 1024 / re) - 1), the rule of the RB SNR
 * (docs/metrics.md) on the capacity table. The table's rounding makes it differ from a CSI code's own SNR by at most
 * 0.2 dB at -20 dB, 0.03 dB from -10 dB up. -Infinity for no RE.
 */
export function effectiveSnrDb(capacity: number, re: number): number {
  if (re === 0) return Number.NEGATIVE_INFINITY;
  return 10 * Math.log10(Math.expm1((Math.LN2 * capacity) / 1024 / re));
}
