import type { FeatureCoder } from '../entropy/feature-code.ts';
import { dequantise } from '../entropy/quantise.ts';
import type { ClassMap, FeatureMap } from '../semantics/feature-map.ts';
import type { ModelTables } from '../semantics/model-tables.ts';
import type { ByteRange } from './codec.ts';
import { packetLayout } from './packet-layout.ts';

/** An SFV's packet as it came. */
export interface ReceivedPacket {
  readonly payload: Uint8Array;
  /** Ascending, disjoint; what the link checked and found missing. */
  readonly missing: readonly ByteRange[];
}

/**
 * Embeddings of an SFV from its packet: whole segments, and of a segment that is cut those before the cut. A segment whose bytes all
 * came but do not end as an encoder ends (a check of 23 bits beside the link's CRC) counts as not come at all.
 *
 * @param cells of the SFV as `interleavedCells` orders them
 * @param yHat gets the embeddings of the cells that came
 * @returns indices of the cells that came
 */
export function decodePacket(
  { payload, missing }: ReceivedPacket,
  cells: Uint32Array,
  classMap: ClassMap,
  level: number,
  coder: FeatureCoder,
  tables: ModelTables,
  yHat: FeatureMap,
): number[] {
  const arrived: number[] = [];
  for (const { bytes: slot, cells: own } of packetLayout(cells, classMap, level, payload.length, tables)) {
    const cut = missing.find((r) => r.to > slot.from && r.from < slot.to && r.to > r.from);
    const known = cut ? Math.max(0, cut.from - slot.from) : slot.to - slot.from;
    const layout = { cells: own, level, classMap };
    const { symbols, embeddings } = coder.decodeKnown(layout, payload.subarray(slot.from, slot.to), known);
    const came = own.subarray(0, embeddings);
    dequantise(symbols, came, level, tables, yHat);
    for (const at of came) arrived.push(at);
  }
  return arrived;
}
