import type { FeatureLayout } from '../entropy/feature-code.ts';
import type { ClassMap } from '../semantics/feature-map.ts';
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

/** Bytes [floor(i L / n), floor((i + 1) L / n)) of a packet of L bytes in n segments. */
export function segmentSlots(bytes: number, n: number): ByteRange[] {
  return Array.from({ length: n }, (_, i) => ({ from: part(i, bytes, n), to: part(i + 1, bytes, n) }));
}

/**
 * Where a packet of several segments is cut: cut i lies at floor(i cells / n) plus an offset of -8..7 units of 1/16 of a segment
 * (at least a cell). The first byte of segment i has the offsets + 8 of its two cuts, 4 bits each; the ends of the list have none.
 */
export function cellsOfSegment(cells: Uint32Array, n: number, i: number, offsets: number): Uint32Array {
  const cut = (at: number, code: number) =>
    Math.max(0, part(at, cells.length, n) + (at === 0 || at === n ? 0 : (code - HALF) * unit(cells.length, n)));
  return cells.slice(cut(i, offsets >> 4), cut(i + 1, offsets & 15)).sort((a, b) => a - b);
}

/**
 * Offsets with which the segments have nearly the same weight; [segment], for `cellsOfSegment`.
 *
 * @param weights of the cells in their order
 */
export function balancedOffsets(weights: readonly number[], n: number): Uint8Array {
  const total = weights.reduce((a, b) => a + b, 0);
  const codes = [HALF];
  let before = 0;
  let next = 0;
  let last = 0;
  for (let i = 1; i < n; i++) {
    while (next < weights.length && (before + weights[next] / 2) * n < i * total) before += weights[next++];
    const nominal = part(i, weights.length, n);
    const step = unit(weights.length, n);
    // Never before the cut before it.
    const lowest = Math.ceil((last - nominal) / step);
    const offset = Math.min(HALF - 1, Math.max(-HALF, lowest, Math.round((next - nominal) / step)));
    codes.push(offset + HALF);
    last = nominal + offset * step;
  }
  codes.push(HALF);
  return Uint8Array.from({ length: n }, (_, i) => (codes[i] << 4) | codes[i + 1]);
}

/** Half of the range of an offset's 4 bits. */
const HALF = 8;

function unit(cells: number, n: number): number {
  return Math.max(1, Math.floor(cells / (2 * HALF * n)));
}

function part(i: number, whole: number, n: number): number {
  return Math.floor((i * whole) / n);
}

/** Levels below this carry the class of each cell in the packet: finer ones gain more by it than it costs (ADR 0014). */
const CARRIES_BELOW = 13;

/** What the code of a segment is laid out by, beside its cells. */
export interface SegmentPlace {
  readonly id: number; // of the SFV
  readonly segment: number;
  /** Even class of the SFV as a whole. */
  readonly sfvClass: number;
  readonly level: number;
}

/** How the code of a segment's cells is laid out: fine levels with the class of each cell, coarse ones with the SFV's for all. */
export function codeLayout(
  cells: Uint32Array,
  { id, segment, sfvClass, level }: SegmentPlace,
  own: ClassMap,
  flat: ClassMap,
): FeatureLayout {
  const salt = 256 * id + (segment % 256);
  return level < CARRIES_BELOW
    ? { cells, level, classMap: own, carries: sfvClass, salt }
    : { cells, level, classMap: flat, salt };
}
