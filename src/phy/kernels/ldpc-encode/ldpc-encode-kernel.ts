import type { LdpcCode } from '../../fec/ldpc-code.ts';

/**
 * Parity of one codeword (TS 38.212 §5.3.2). Check z of base row r is the sum of variables (z + shift) mod Z of its columns, modulo 2.
 *
 * The first four base rows hold a dual-diagonal parity part, solved by back-substitution [Richardson & Urbanke 2001]:
 * the sum of the four rows leaves only the first parity column, under one shift; each next row then gives one more
 * column. Every later row has one parity column of its own. O(edges x Z).
 */
export interface LdpcEncodeKernel {
  /**
   * info: Uint8Array [>= k], one bit an element. rows: 4..all base rows. parity: receives the rows x Z bits of their columns from
   * element `at` on.
   */
  encode(code: LdpcCode, info: Uint8Array, rows: number, parity: Uint8Array, at: number): void;
}

/** Two of the three shifts of the first parity column cancel in the sum of the core rows; this is the one that stays. */
export function coreShiftOf(code: LdpcCode): number {
  const odd = new Set<number>();
  for (let e = 0; e < code.rowStart[4]; e++) {
    if (code.edgeColumn[e] !== code.graph.infoColumns) continue;
    const s = code.edgeShift[e];
    if (!odd.delete(s)) odd.add(s);
  }
  if (odd.size !== 1) throw new Error(`base graph ${code.baseGraph} has no solvable core at Z=${code.z}`);
  return [...odd][0];
}
