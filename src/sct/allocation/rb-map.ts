import { CRC16, crcBytes } from '../../common/crc.ts';
import { UsageError } from '../../common/errors.ts';
import { type BurstShape, checkShape } from './burst-shape.ts';

export type { BurstShape } from './burst-shape.ts';

/** Which SFV's symbols travel on which resource block: all that the burst's extension says about it. */
export interface RbMap {
  /**
   * `ordered`: symbols fill the subbands in `subbandOrder`, each over all its slots, RE by RE. `interleaved`: symbols
   * go round over all RBs, slot by slot, one RE of each a round: an SFV's symbols are one run of that sequence, so that
   * it has as many in every subband, to within one, whatever its count (where the RBs of a slot are alike).
   */
  readonly layout: 'ordered' | 'interleaved';
  /** Subbands in the order in which they are filled; a permutation. Ascending when interleaved. */
  readonly subbandOrder: Uint8Array;
  /** SFVs in the order in which their symbols are placed, most important first; none that was dropped. */
  readonly sfvOrder: Uint8Array;
  /** Symbols of each placed SFV; [position in sfvOrder]. */
  readonly reCounts: Uint32Array;
}

/** Place of every symbol of a burst, in stream order: all symbols of sfvOrder[0], then of sfvOrder[1], ... */
export interface Placement {
  readonly rb: Uint32Array; // [symbol] slot x nSubbands + subband
  readonly re: Uint16Array; // [symbol] index among the data RE of that RB, in the order of time, reserved ones counted
  /** First symbol of each SFV; one more element than SFVs. */
  readonly start: Uint32Array; // [position in sfvOrder]
}

/**
 * Expands an RB map to the place of each symbol. Each resource element holds at most one symbol, and exactly one when
 * the counts add up to all of them; reserved RE are left out of the sequence. O(RE).
 *
 * @throws UsageError when the order is not a permutation or the counts exceed the burst
 */
export function placeSymbols(map: RbMap, shape: BurstShape): Placement {
  const totalRe = checkShape(shape);
  checkMap(map, shape.nSubbands);
  const start = new Uint32Array(map.reCounts.length + 1);
  for (let i = 0; i < map.reCounts.length; i++) {
    const end = start[i] + map.reCounts[i];
    if (end > totalRe) throw new UsageError(`RB map places more than the ${totalRe} resource elements of the burst`);
    start[i + 1] = end;
  }
  const n = start[map.reCounts.length];
  const rb = new Uint32Array(n);
  const re = new Uint16Array(n);
  if (map.layout === 'ordered') fillOrdered(map.subbandOrder, shape, rb, re);
  else fillInterleaved(shape, rb, re);
  return { rb, re, start };
}

function fillOrdered(order: Uint8Array, shape: BurstShape, rb: Uint32Array, re: Uint16Array): void {
  let at = 0;
  for (const subband of order) {
    for (let slot = 0; slot < shape.nSlots; slot++) {
      const block = slot * shape.nSubbands + subband;
      const first = shape.firstRe?.[block] ?? 0;
      const end = first + Math.min(shape.rePerRb[block], rb.length - at);
      for (let k = first; k < end; k++, at++) {
        rb[at] = block;
        re[at] = k;
      }
    }
  }
}

function fillInterleaved(shape: BurstShape, rb: Uint32Array, re: Uint16Array): void {
  const { rePerRb } = shape;
  const first = shape.firstRe ?? new Uint16Array(rePerRb.length);
  let at = 0;
  for (let k = 0; at < rb.length; k++) {
    for (let block = 0; block < rePerRb.length && at < rb.length; block++) {
      if (k < first[block] || k - first[block] >= rePerRb[block]) continue;
      rb[at] = block;
      re[at++] = k;
    }
  }
}

function checkMap(map: RbMap, nSubbands: number): void {
  const seen = new Uint8Array(256);
  if (map.subbandOrder.length !== nSubbands) {
    throw new UsageError(`RB map orders ${map.subbandOrder.length} subbands, the burst has ${nSubbands}`);
  }
  for (const s of map.subbandOrder) {
    if (s >= nSubbands || seen[s]++) throw new UsageError('RB map: the subband order is not a permutation');
  }
  seen.fill(0);
  if (map.sfvOrder.length !== map.reCounts.length) throw new UsageError('RB map: one count an SFV is needed');
  for (const id of map.sfvOrder) if (seen[id]++) throw new UsageError(`RB map: SFV ${id} is placed twice`);
}

/**
 * CRC-16 of TS 38.212 §5.1 over the map: layout (0 ordered, 1 interleaved), number of subbands, their order, number of
 * SFVs, then id (8 bit) and count (32 bit, big endian) of each. A receiver that derived the map from the CSI report
 * compares it with the extension's.
 */
export function rbMapCrc16(map: RbMap): number {
  const n = map.subbandOrder.length;
  const m = map.sfvOrder.length;
  const bytes = new Uint8Array(3 + n + 5 * m);
  const view = new DataView(bytes.buffer);
  bytes[0] = map.layout === 'ordered' ? 0 : 1;
  bytes[1] = n;
  bytes.set(map.subbandOrder, 2);
  bytes[2 + n] = m;
  for (let i = 0; i < m; i++) {
    view.setUint8(3 + n + 5 * i, map.sfvOrder[i]);
    view.setUint32(4 + n + 5 * i, map.reCounts[i]);
  }
  return crcBytes(CRC16, bytes);
}
