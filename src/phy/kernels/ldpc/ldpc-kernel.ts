import type { LdpcCode } from '../../fec/ldpc-code.ts';

/** Magnitude at which check-to-variable messages saturate, after scaling. */
export const MESSAGE_CLIP = 31;

/**
 * Layered normalised min-sum of one codeword in int8 arithmetic. Every implementation gives the same bits:
 *
 * - channel = quantiseLlr(soft) from the third base column on, 0 in the first two (never sent), limited by column, 127 in
 *   the fillers; APP starts there and c2v at 0;
 * - v = sat8(APP - c2v), m1 and m2 the least and second least |v| of the row, both started at 42;
 * - |c2v| = m - ((m + 3) >> 2) (floor of 0.75 m, at most 31), m = m2 for edges with |v| = m1, else m1;
 *   its sign is the product of the other edges' signs (0 counts as positive);
 * - APP = sat8(v + c2v), sat8 to -128..127. Rows in the order given, one after the other.
 *
 * [Chen & Fossorier 2002] normalised min-sum, [Hocevar 2004] layered schedule.
 */
export interface LdpcDecoderKernel {
  readonly name: string;
  /**
   * Quantises a codeword's soft buffer. soft: Float32Array [>= N], positive = bit 0. heard: Uint8Array [>= columns],
   * receives 1 for base columns with a value that is not 0, else 0. Elements from `reach` (default N) on are 0 and not looked at.
   * The code stays in use until the next load.
   */
  load(code: LdpcCode, soft: Float32Array, heard: Uint8Array, reach?: number): void;
  /**
   * Starts on what was loaded. infoBits: K', fillers from there to K. rows: the base rows to use, in order (`rowCount`
   * of them). limits: Uint8Array [>= columns], largest channel magnitude of each base column, 1..127.
   */
  start(infoBits: number, rows: Uint8Array, rowCount: number, limits: Uint8Array): void;
  /** One iteration over all rows. */
  iterate(): void;
  /** True when no information bit is undecided (APP 0) and every check of the rows given holds. */
  parityHolds(): boolean;
  /** Writes the first `count` hard decisions (APP < 0 is 1), systematic bits first; count <= columns x Z. */
  hardDecisions(bits: Uint8Array, count: number): void;
}
