import type { ClassMap } from '../semantics/feature-map.ts';
import { CLASSES, type ModelTables } from '../semantics/model-tables.ts';
import type { ByteRange } from './codec.ts';

/** Most bytes of one stream: what the burst's extension can count. */
export const MAX_STREAM_BYTES = 2 ** 22 - 1;
/** Length that segments have about: a code block of the link's larger base graph carries some 1050 bytes, of its smaller 477. */
const SEGMENT_BYTES = 512;
/** A segment has at least so many cells on average. */
const SEGMENT_CELLS = 4;
/** 2^16 times the fractional parts of 1 / p and 1 / p^2, p = 1.3247 the real root of p^3 = p + 1. */
const ROW_STEP = 49472;
const COLUMN_STEP = 37345;
/** Bits of a cell x 16 count up to this, so that every product stays below 2^53: 2^20 cells, 2^11 segments. */
const MOST_WEIGHT = 2 ** 18;

/** One segment of an SFV's packet: a code of its own for some of the cells. */
export interface Segment {
  readonly bytes: ByteRange;
  /** Indices row x columns + column, ascending: the order of coding, in which near embeddings predict each other. */
  readonly cells: Uint32Array;
}

/**
 * An SFV's cells in the order in which segments take them: by the fraction of (row x 1/p + column x 1/p^2), p the plastic number, then by index. Cells
 * near each other in this order lie far apart in the picture and the other way round, so a segment that is lost leaves its cells'
 * neighbours, from which correction restores them, and every segment has nearly the same mix of busy and flat cells. Integers only.
 *
 * @param cells ascending indices
 */
export function interleavedCells(cells: Uint32Array, columns: number): Uint32Array {
  const key = new Map<number, number>();
  for (const at of cells) {
    key.set(at, (Math.floor(at / columns) * ROW_STEP + (at % columns) * COLUMN_STEP) % 65536);
  }
  return cells.slice().sort((a, b) => key.get(a)! - key.get(b)! || a - b);
}

/** Segments of a packet of so many bytes: one for about 512, and four cells each at least. */
export function segmentCount(bytes: number, cells: number): number {
  return Math.max(1, Math.min(Math.round(bytes / SEGMENT_BYTES), Math.floor(cells / SEGMENT_CELLS)));
}

/**
 * The segments of a packet; both ends compute the same from its length, level and classes, by integers. Segment i of n has bytes
 * [floor(i L / n), floor((i + 1) L / n)), and the cells whose middle lies between i / n and (i + 1) / n of the packet's bits, counted by
 * the tables' mean bits of each cell's class at the level.
 *
 * @param cells as `interleavedCells` orders them
 */
export function packetLayout(
  cells: Uint32Array,
  classMap: ClassMap,
  level: number,
  bytes: number,
  tables: ModelTables,
): Segment[] {
  const n = segmentCount(bytes, cells.length);
  const weight = (at: number) => 1 + Math.min(MOST_WEIGHT, tables.bitsOf[level * CLASSES + classMap.data[at]]);
  const total = cells.reduce((sum, at) => sum + weight(at), 0);
  const segments: Segment[] = [];
  let before = 0;
  let next = 0;
  for (let i = 0; i < n; i++) {
    const from = next;
    for (; next < cells.length; next++) {
      const own = weight(cells[next]);
      if ((2 * before + own) * n >= 2 * (i + 1) * total) break;
      before += own;
    }
    const range = { from: Math.floor((i * bytes) / n), to: Math.floor(((i + 1) * bytes) / n) };
    segments.push({ bytes: range, cells: cells.slice(from, next).sort((a, b) => a - b) });
  }
  return segments;
}
