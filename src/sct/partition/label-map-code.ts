import { UsageError } from '../../common/errors.ts';
import { MAX_SIDE_PX } from '../image/rgb-image.ts';
import { flagContext, LabelCounts, lookAround, newNeighbourhood } from './label-model.ts';
import { RangeDecoder, RangeEncoder } from './range-coder.ts';

/** Which labels a map uses: the 11 street classes (0..10) or the 32 clusters (11..42). */
export type LabelSpace = 'street' | 'codebook';

/** First label and number of labels of a space. */
export const SPACES = { street: { first: 0, count: 11 }, codebook: { first: 11, count: 32 } } as const;

/** Most cells along one side of a grid: pictures are at most 8192 pixels wide and high. */
export const MAX_GRID_SIDE = MAX_SIDE_PX / 16;

/** Largest number of SFVs that can be announced. */
export const MAX_SFVS = 255;
export const DEFAULT_SFVS = 32;

/** What is sent of a partition: the label of each lattice cell, and how many SFVs there may be. */
export interface CodedMap {
  readonly space: LabelSpace;
  readonly maxSfvs: number; // 1..255
  /** Grid cells along the side of a lattice cell. */
  readonly scale: number; // 1..512
  readonly labels: Uint8Array; // [lattice row][lattice column], 0..10 or 11..42
}

/** Most cells of the lattice on which labels are sent. */
export const MAX_LATTICE_CELLS = 2048;

/** Grid cells along a lattice cell's side for a grid: the smallest whole number that leaves at most 2048 of them. */
export function latticeScale(rows: number, columns: number): number {
  if (!isSide(rows) || !isSide(columns)) {
    throw new UsageError(
      `grid of ${rows}x${columns} cells is out of range: allowed 1x1 to ${MAX_GRID_SIDE}x${MAX_GRID_SIDE}`,
    );
  }
  let scale = 1;
  while (Math.ceil(rows / scale) * Math.ceil(columns / scale) > MAX_LATTICE_CELLS) scale++;
  return scale;
}

function isSide(n: number): boolean {
  return Number.isInteger(n) && n >= 1 && n <= MAX_GRID_SIDE;
}

/** The bytes of a map on a grid of so many columns. The grid itself is known to the receiver (picture size). */
export function encodeMap(map: CodedMap, columns: number): Uint8Array {
  const { space, maxSfvs, labels } = map;
  const { first, count } = SPACES[space];
  const width = Math.ceil(columns / map.scale);
  const out = new RangeEncoder();
  out.encode(space === 'street' ? 0 : 1, 1, 2);
  if (maxSfvs === DEFAULT_SFVS) out.encode(0, 15, 16);
  else {
    out.encode(15, 1, 16);
    out.encode(maxSfvs - 1, 1, MAX_SFVS);
  }
  const counts = new LabelCounts(space);
  const around = newNeighbourhood();
  for (let at = 0; at < labels.length; at++) {
    lookAround(labels, width, Math.floor(at / width), at % width, around);
    if (!encodeCandidate(out, counts, around, labels[at])) {
      const label = labels[at] - first;
      let low = 0;
      let total = 0;
      for (let l = 0; l < count; l++) {
        if (isCandidate(around, l + first)) continue;
        if (l < label) low += counts.named[l];
        total += counts.named[l];
      }
      out.encode(low, counts.named[label], total);
      counts.wasNamed(label);
    }
  }
  return out.finish();
}

function encodeCandidate(
  out: RangeEncoder,
  counts: LabelCounts,
  around: ReturnType<typeof newNeighbourhood>,
  label: number,
): boolean {
  for (let i = 0; i < around.count; i++) {
    const context = flagContext(around, i);
    const yes = around.candidates[i] === label;
    const [y, n] = [counts.yes[context], counts.no[context]];
    if (yes) out.encode(n, y, y + n);
    else out.encode(0, n, y + n);
    counts.answered(context, yes);
    if (yes) return true;
  }
  return false;
}

/** Reads what `encodeMap` wrote. Any bytes give a complete map; see `RangeDecoder`. Throws UsageError for a wrong grid. */
export function decodeMap(bytes: Uint8Array, rows: number, columns: number): CodedMap {
  const scale = latticeScale(rows, columns);
  const width = Math.ceil(columns / scale);
  const labels = new Uint8Array(width * Math.ceil(rows / scale));
  const input = new RangeDecoder(bytes);
  const bit = input.position(2);
  input.consume(bit, 1, 2);
  const space: LabelSpace = bit === 0 ? 'street' : 'codebook';
  const { first, count } = SPACES[space];
  let maxSfvs = DEFAULT_SFVS;
  if (input.position(16) < 15) input.consume(0, 15, 16);
  else {
    input.consume(15, 1, 16);
    const value = input.position(MAX_SFVS);
    input.consume(value, 1, MAX_SFVS);
    maxSfvs = value + 1;
  }
  const counts = new LabelCounts(space);
  const around = newNeighbourhood();
  for (let at = 0; at < labels.length; at++) {
    lookAround(labels, width, Math.floor(at / width), at % width, around);
    labels[at] = decodeCandidate(input, counts, around) ?? decodeNamed(input, counts, around, first, count);
  }
  return { space, maxSfvs, scale, labels };
}

function decodeCandidate(
  input: RangeDecoder,
  counts: LabelCounts,
  around: ReturnType<typeof newNeighbourhood>,
): number | null {
  for (let i = 0; i < around.count; i++) {
    const context = flagContext(around, i);
    const [y, n] = [counts.yes[context], counts.no[context]];
    const yes = input.position(y + n) >= n;
    if (yes) input.consume(n, y, y + n);
    else input.consume(0, n, y + n);
    counts.answered(context, yes);
    if (yes) return around.candidates[i];
  }
  return null;
}

function decodeNamed(
  input: RangeDecoder,
  counts: LabelCounts,
  around: ReturnType<typeof newNeighbourhood>,
  first: number,
  count: number,
): number {
  let total = 0;
  for (let l = 0; l < count; l++) if (!isCandidate(around, l + first)) total += counts.named[l];
  const position = input.position(total);
  let low = 0;
  for (let l = 0; ; l++) {
    if (isCandidate(around, l + first)) continue;
    if (position < low + counts.named[l]) {
      input.consume(low, counts.named[l], total);
      counts.wasNamed(l);
      return l + first;
    }
    low += counts.named[l];
  }
}

function isCandidate(around: ReturnType<typeof newNeighbourhood>, label: number): boolean {
  for (let i = 0; i < around.count; i++) if (around.candidates[i] === label) return true;
  return false;
}
