import { CRC16, crcBytes } from '../../common/crc.ts';
import { UsageError } from '../../common/errors.ts';
import { type BurstShape, checkShape, rePerSubband } from './burst-shape.ts';

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
  const start = startsOf(map, shape);
  const places = new Uint32Array(start[start.length - 1]);
  fill(map, shape, PLACE_STRIDE, places);
  const rb = places.map((p) => Math.floor(p / PLACE_STRIDE));
  const re = Uint16Array.from(places, (p) => p % PLACE_STRIDE);
  return { rb, re, start };
}

/** More than an RB has RE. */
const PLACE_STRIDE = 256;

/**
 * The same as one number a symbol: writes rb x stride + re of each to the beginning of `room`.
 *
 * @param room holds as many as the burst has RE
 * @returns the part of it that was written
 * @throws UsageError as `placeSymbols`
 */
export function placeInto(map: RbMap, shape: BurstShape, stride: number, room: Uint32Array): Uint32Array {
  const start = startsOf(map, shape);
  const places = room.subarray(0, start[start.length - 1]);
  fill(map, shape, stride, places);
  return places;
}

/**
 * How many of each SFV's symbols lie in each subband, [position in sfvOrder][subband], without placing them one by one where the
 * RBs of a slot are alike.
 *
 * @throws UsageError as `placeSymbols`
 */
export function countBySubband(map: RbMap, shape: BurstShape): Uint32Array[] {
  const { nSubbands } = shape;
  const start = startsOf(map, shape);
  const counts = Array.from(map.reCounts, () => new Uint32Array(nSubbands));
  if (map.layout === 'ordered') {
    const room = rePerSubband(shape);
    let sfv = 0;
    let at = 0;
    for (const subband of map.subbandOrder) {
      for (const end = at + room[subband]; at < end && sfv < counts.length; ) {
        const to = Math.min(end, start[sfv + 1]);
        counts[sfv][subband] += to - at;
        at = to;
        if (at === start[sfv + 1]) sfv++;
      }
    }
  } else if (slotsAreEven(shape)) {
    // Every round visits the subbands in turn: symbol i lies in subband i mod nSubbands.
    counts.forEach((own, sfv) => {
      for (let s = 0; s < nSubbands; s++) {
        own[s] = Math.ceil((start[sfv + 1] - s) / nSubbands) - Math.ceil((start[sfv] - s) / nSubbands);
      }
    });
  } else {
    const { rb } = placeSymbols(map, shape);
    counts.forEach((own, sfv) => {
      for (let i = start[sfv]; i < start[sfv + 1]; i++) own[rb[i] % nSubbands]++;
    });
  }
  return counts;
}

/** Whether the RBs of each slot have the same RE. */
function slotsAreEven({ nSubbands, rePerRb, firstRe }: BurstShape): boolean {
  for (let rb = 0; rb < rePerRb.length; rb++) {
    const first = rb - (rb % nSubbands);
    if (rePerRb[rb] !== rePerRb[first] || (firstRe && firstRe[rb] !== firstRe[first])) return false;
  }
  return true;
}

/** First symbol of each SFV; one more element than SFVs. Checks map and shape. */
function startsOf(map: RbMap, shape: BurstShape): Uint32Array {
  const totalRe = checkShape(shape);
  checkMap(map, shape.nSubbands);
  const start = new Uint32Array(map.reCounts.length + 1);
  for (let i = 0; i < map.reCounts.length; i++) {
    const end = start[i] + map.reCounts[i];
    if (end > totalRe) throw new UsageError(`RB map places more than the ${totalRe} resource elements of the burst`);
    start[i + 1] = end;
  }
  return start;
}

function fill(map: RbMap, shape: BurstShape, stride: number, places: Uint32Array): void {
  if (map.layout === 'ordered') fillOrdered(map.subbandOrder, shape, stride, places);
  else fillInterleaved(shape, stride, places);
}

function fillOrdered(order: Uint8Array, shape: BurstShape, stride: number, places: Uint32Array): void {
  let at = 0;
  for (const subband of order) {
    for (let slot = 0; slot < shape.nSlots; slot++) {
      const block = slot * shape.nSubbands + subband;
      const first = shape.firstRe?.[block] ?? 0;
      const end = first + Math.min(shape.rePerRb[block], places.length - at);
      for (let k = first; k < end; k++) places[at++] = block * stride + k;
    }
  }
}

function fillInterleaved(shape: BurstShape, stride: number, places: Uint32Array): void {
  const { rePerRb } = shape;
  const first = shape.firstRe ?? new Uint16Array(rePerRb.length);
  let at = 0;
  for (let k = 0; at < places.length; k++) {
    for (let block = 0; block < rePerRb.length && at < places.length; block++) {
      if (k < first[block] || k - first[block] >= rePerRb[block]) continue;
      places[at++] = block * stride + k;
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
