import type { Partition } from '../partition/partition.ts';
import type { GridPlane } from '../semantics/feature-map.ts';

export const ORDERS = ['sum', 'density'] as const;
/** What comes first: the SFV with the largest importance, or with the largest importance a cell. */
export type Order = (typeof ORDERS)[number];
/** What wins in ROI-PSNR (docs/adr/0012). */
export const DEFAULT_ORDER: Order = 'density';

/** Steps of a score code that double the importance. */
export const STEPS_PER_OCTAVE = 16;

/** Importance of each SFV: the sum of the map over its cells; [SFV]. They add up to 1 when the map does. */
export function sfvSums(plane: GridPlane, partition: Partition): Float64Array {
  const sums = new Float64Array(partition.sfvs.length);
  for (let i = 0; i < plane.data.length; i++) sums[partition.sfvOf[i]] += plane.data[i];
  return sums;
}

/**
 * Score as it is sent, 8 bits on a logarithmic scale: code c > 0 stands for 2^((c - 255) / 16) of the whole picture's
 * importance, so 255 is all of it, one step 4.4 %, and 1 stands for 2^-15.9 and everything below; 0 = no importance.
 */
export function encodeScore(importance: number): number {
  if (!(importance > 0)) return 0;
  return Math.max(1, Math.min(255, 255 + Math.round(STEPS_PER_OCTAVE * Math.log2(importance))));
}

// round(2^15 x 2^(i/16)); a test recomputes it.
// biome-ignore format: a table
const MANTISSAS = [
  32768, 34219, 35734, 37316, 38968, 40693, 42495, 44376,
  46341, 48393, 50535, 52773, 55109, 57549, 60097, 62757,
];

/**
 * The share that a code stands for as a whole number, 2^30 for 255: what allocation divides the capacity by, the same
 * on every machine. 0 for code 0.
 */
export function scoreWeight(code: number): number {
  if (code === 0) return 0;
  const octave = (code + 1) >> 4; // 0..16
  return Math.floor((MANTISSAS[(code + 1) & 15] * 2 ** octave) / 2);
}

/**
 * SFV ids, most important first, from what both ends hold: the codes as sent and the partition. `density` compares weight
 * / cells by cross-multiplication. Ties: the lower id.
 */
export function sfvOrder(codes: Uint8Array, partition: Partition, order: Order): number[] {
  const ids = Array.from(codes.keys());
  if (order === 'sum') return ids.sort((a, b) => codes[b] - codes[a] || a - b);
  const cells = partition.sfvs.map((s) => s.cells);
  return ids.sort((a, b) => scoreWeight(codes[b]) * cells[a] - scoreWeight(codes[a]) * cells[b] || a - b);
}
