import { UsageError } from '../../common/errors.ts';
import { CAPACITY_BY_CSI } from './capacity-table.ts';
import type { Placement } from './rb-map.ts';

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
  if (csi.length !== nSubbands) {
    throw new UsageError(`CSI report has ${csi.length} subbands, the burst ${nSubbands}`);
  }
  const perRe = Float64Array.from(csi, (code) => CAPACITY_BY_CSI[code]);
  const { rb, start } = placement;
  const sums: number[] = [];
  for (let i = 0; i + 1 < start.length; i++) {
    let capacity = 0;
    for (let t = start[i]; t < start[i + 1]; t++) capacity += perRe[rb[t] % nSubbands];
    sums.push(capacity);
  }
  const total = sums.reduce((a, b) => a + b, 0);
  return sums.map((capacity, i) => {
    const re = start[i + 1] - start[i];
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
