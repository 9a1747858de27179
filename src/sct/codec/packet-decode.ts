import type { FeatureCoder } from '../entropy/feature-code.ts';
import { dequantise } from '../entropy/quantise.ts';
import type { ClassMap, FeatureMap } from '../semantics/feature-map.ts';
import type { ModelTables } from '../semantics/model-tables.ts';
import type { ByteRange } from './codec.ts';
import { cellsOfSegment, codeLayout, segmentCount, segmentSlots } from './packet-layout.ts';

/** An SFV's packet as it came. */
export interface ReceivedPacket {
  readonly payload: Uint8Array;
  /** Ascending, disjoint; what the link checked and found missing. */
  readonly missing: readonly ByteRange[];
}

/** What the side information says of the SFV. */
export interface PacketSfv {
  readonly id: number;
  readonly cells: Uint32Array; // as `interleavedCells` orders them
  /** Even class of the SFV as a whole. */
  readonly sfvClass: number;
  readonly level: number;
}

/** Where the cells that came are written. */
export interface DecodedCells {
  readonly yHat: FeatureMap;
  /** The SFV's class in all its cells beforehand; gets the classes of the cells that came. */
  readonly classMap: ClassMap;
}

/**
 * Embeddings of an SFV from its packet: whole segments, and of a segment that is cut those before the cut. A segment whose bytes all
 * came but do not end as an encoder ends (a check of 23 bits beside the link's CRC) counts as not come at all.
 *
 * @returns indices of the cells that came
 */
export function decodePacket(
  { payload, missing }: ReceivedPacket,
  sfv: PacketSfv,
  { yHat, classMap }: DecodedCells,
  coder: FeatureCoder,
  tables: ModelTables,
): number[] {
  const arrived = new Set<number>();
  const n = segmentCount(payload.length, sfv.cells.length);
  for (const [segment, slot] of segmentSlots(payload.length, n).entries()) {
    const cut = missing.find((r) => r.to > slot.from && r.from < slot.to && r.to > r.from);
    const start = n === 1 ? slot.from : slot.from + 1;
    const known = Math.max(0, (cut ? cut.from : slot.to) - start);
    if (cut && known === 0) continue;
    const own = cellsOfSegment(sfv.cells, n, segment, payload[slot.from]);
    // No encoder's segments overlap.
    if (own.some((at) => arrived.has(at))) continue;
    const layout = codeLayout(own, { ...sfv, segment }, classMap, classMap);
    const { symbols, embeddings, classes } = coder.decodeKnown(layout, payload.subarray(start, slot.to), known);
    const came = own.subarray(0, embeddings);
    dequantise(symbols, came, sfv.level, tables, yHat);
    came.forEach((at, i) => {
      classMap.data[at] = classes[i];
      arrived.add(at);
    });
  }
  return [...arrived];
}
