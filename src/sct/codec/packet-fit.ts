import type { FeatureCoder, FeatureLayout } from '../entropy/feature-code.ts';
import { QuantiserFit } from '../entropy/quantiser-fit.ts';
import type { ClassMap, FeatureMap } from '../semantics/feature-map.ts';
import { CLASSES, type ModelTables } from '../semantics/model-tables.ts';
import type { ByteRange } from './codec.ts';
import { balancedOffsets, cellsOfSegment, codeLayout, segmentCount, segmentSlots } from './packet-layout.ts';

/** A rANS code is 4 bytes and one for each full 8 bits: so many bits fit a slot of S bytes, 8 (S - 3), less rounding losses. */
const CODE_OVERHEAD_BYTES = 3;
/** Weight of bits in squared steps beyond which a coarser level is always better. */
const MOST_BIT_WEIGHT = 1;
/**
 * g_s makes less of numbers that were moved towards 0 than of the same error by coarser steps: a weight of 0.1 is held to be worth 10 % more
 * error. 0.05 to 0.09 dB against 0; 0.5 and 2 are the same within 0.03 dB.
 */
const BIT_WEIGHT_COST = 1;
/** A packet with less code than this is not full; a level that fills it is taken unless its error is this much larger. */
const FULL = 0.985;
const UNFILLED_COST = 1.1;
/** Relative difference below which errors are equal: those of levels at which everything is 0. */
const EQUAL = 1e-6;
/** So many worse levels end the search: at few bits a cell the error is uneven. */
const PATIENCE = 3;
/** Weight at which the least size of a packet is counted. */
const LEAST_BIT_WEIGHT = 0.2;

/** An SFV as its packet is made of it. */
export interface PacketSource {
  readonly id: number; // of the SFV
  readonly cells: Uint32Array; // as `interleavedCells` orders them
  /** Even class of the SFV as a whole, as the side information says it. */
  readonly sfvClass: number;
  /** The SFV's class in all its cells. */
  readonly flat: ClassMap;
  /** The class of each cell; even ones. */
  readonly classMap: ClassMap;
  readonly y: FeatureMap;
}

export interface FittedPacket {
  readonly level: number;
  /** As long as the grant. */
  readonly payload: Uint8Array;
  /** Bytes of it that are code; the rest are zeros at the ends of its segments. */
  readonly codeBytes: number;
  readonly segments: number;
}

/** A segment as it will be coded. */
interface FittedSegment {
  readonly layout: FeatureLayout;
  readonly fit: QuantiserFit;
  readonly bitWeight: number;
  /** Where its code may stand, behind the byte of its cuts. */
  readonly slot: ByteRange;
}

/** One level tried. */
interface Trial {
  readonly level: number;
  /** Bytes of the segments' cuts; empty for one segment. */
  readonly offsets: Uint8Array;
  readonly segments: readonly FittedSegment[];
  /** As g_s will feel it. */
  readonly error: number;
}

/** Bytes of an SFV at the set's coarsest level with bits made dear: what is less says too little of it. */
export function leastPacketBytes(source: PacketSource, coder: FeatureCoder, tables: ModelTables): number {
  const cells = source.cells.slice().sort((a, b) => a - b);
  const layout = codeLayout(cells, { ...source, segment: 0, level: tables.levels - 1 }, source.classMap, source.flat);
  const { bits } = new QuantiserFit(tables, coder, layout, source.y).point(LEAST_BIT_WEIGHT);
  return CODE_OVERHEAD_BYTES + Math.ceil((bits + 1) / 8);
}

/**
 * The packet of an SFV with the least error that fits so many bytes. Levels are a factor of 2^(1/3) in step or some 8 to 25 % in bytes
 * apart; between them the weight of bits in the encoder's rounding is chosen, for each segment by itself, so that its slot is full to
 * the last symbol. From the level that the tables expect, finer and coarser ones are tried as long as the error falls.
 *
 * @returns undefined when even the coarsest level does not fit
 */
export function fitPacket(
  source: PacketSource,
  bytes: number,
  coder: FeatureCoder,
  tables: ModelTables,
): FittedPacket | undefined {
  const known = new Map<number, Trial | undefined>();
  const tried = (level: number) => {
    if (!known.has(level)) known.set(level, tryLevel(source, bytes, level, coder, tables));
    return known.get(level);
  };
  let level = expectedLevel(source, bytes, tables);
  let best = tried(level);
  while (!best && level < tables.levels - 1) best = tried(++level);
  if (!best) return undefined;
  for (const direction of [-1, 1]) {
    let worse = 0;
    for (let next = best.level + direction; next >= 0 && next < tables.levels && worse < PATIENCE; next += direction) {
      const trial = tried(next);
      if (!trial) break;
      if (trial.error < best.error) {
        best = trial;
        worse = 0;
      } else if (trial.error > best.error * (1 + EQUAL)) worse++;
    }
  }
  return packetOf(best, bytes, coder);
}

/** The finest level whose mean bits by the tables fit. */
function expectedLevel({ cells, classMap }: PacketSource, bytes: number, tables: ModelTables): number {
  for (let level = 0; level < tables.levels; level++) {
    const bits = cells.reduce((sum, at) => sum + tables.bitsOf[level * CLASSES + classMap.data[at]], 0) / 16;
    if (bits <= 8 * (bytes - CODE_OVERHEAD_BYTES)) return level;
  }
  return tables.levels - 1;
}

function tryLevel(
  source: PacketSource,
  bytes: number,
  level: number,
  coder: FeatureCoder,
  tables: ModelTables,
): Trial | undefined {
  const { cells, classMap, flat, y } = source;
  const n = segmentCount(bytes, cells.length);
  const weights = Array.from(cells, (at) => 1 + tables.bitsOf[level * CLASSES + classMap.data[at]]);
  const offsets = n === 1 ? new Uint8Array(0) : balancedOffsets(weights, n);
  const segments: FittedSegment[] = [];
  let error = 0;
  let bits = 0;
  for (const [segment, { from, to }] of segmentSlots(bytes, n).entries()) {
    const own = cellsOfSegment(cells, n, segment, offsets[segment]);
    const layout = codeLayout(own, { ...source, segment, level }, classMap, flat);
    const slot = { from: n === 1 ? from : from + 1, to };
    const fit = new QuantiserFit(tables, coder, layout, y);
    const point = fit.fit(slotBits(slot), MOST_BIT_WEIGHT);
    if (!point) return undefined;
    segments.push({ layout, fit, bitWeight: point.bitWeight, slot });
    error += point.error * (1 + BIT_WEIGHT_COST * point.bitWeight);
    bits += point.bits;
  }
  const full = bits / 8 + CODE_OVERHEAD_BYTES * n + offsets.length >= FULL * bytes;
  return { level, offsets, segments, error: full ? error : error * UNFILLED_COST };
}

function packetOf({ level, offsets, segments }: Trial, bytes: number, coder: FeatureCoder): FittedPacket | undefined {
  const payload = new Uint8Array(bytes);
  let codeBytes = 0;
  for (const [i, { layout, fit, bitWeight, slot }] of segments.entries()) {
    let code = coder.encode(layout, fit.symbolsAt(bitWeight));
    // The tables' sum is the code's length up to rounding in its last byte or two.
    for (let less = 1; code.length > slot.to - slot.from; less++) {
      const point = fit.fit(slotBits(slot) - 8 * less, Number.MAX_VALUE);
      if (!point) return undefined;
      code = coder.encode(layout, fit.symbolsAt(point.bitWeight));
    }
    if (offsets.length > 0) payload[slot.from - 1] = offsets[i];
    payload.set(code, slot.from);
    codeBytes += code.length + (offsets.length > 0 ? 1 : 0);
  }
  return { level, payload, codeBytes, segments: segments.length };
}

function slotBits({ from, to }: ByteRange): number {
  return 8 * (to - from - CODE_OVERHEAD_BYTES) - 1;
}
