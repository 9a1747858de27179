import { UsageError } from '../../common/errors.ts';
import type { LdpcCode } from './ldpc-code.ts';
import {
  blockWords,
  doubleBlock,
  doubledWords,
  maskTail,
  packDoubled,
  unpackBlock,
  xorRotated,
} from './packed-blocks.ts';

/**
 * Systematic encoder of one LDPC code (TS 38.212 §5.3.2), 32 bits at a time.
 *
 * The first four base rows hold a dual-diagonal parity part, solved by back-substitution [Richardson & Urbanke 2001]:
 * the sum of the four rows leaves only the first parity column, under one shift; each next row then gives one more
 * column. Every later row has one parity column of its own. O(edges x Z / 32).
 */
export class LdpcEncoder {
  readonly code: LdpcCode;
  private readonly n: number;
  private readonly stride: number;
  /** Doubled blocks of the systematic and the four core parity columns: Int32Array [infoColumns + 4][stride]. */
  private readonly blocks: Int32Array;
  private readonly sums: Int32Array;
  /** Shift under which the first parity column stands in the sum of the four core rows. */
  private readonly coreShift: number;

  constructor(code: LdpcCode) {
    this.code = code;
    this.n = blockWords(code.z);
    this.stride = doubledWords(code.z);
    this.blocks = new Int32Array((code.graph.infoColumns + 4) * this.stride);
    this.sums = new Int32Array(5 * this.stride);
    this.coreShift = coreShiftOf(code);
  }

  describe(): string {
    const { baseGraph, z, k, n } = this.code;
    return `LDPC encoder BG${baseGraph} Z=${z} (${k} -> ${n} bits)`;
  }

  /**
   * info: Uint8Array [>= k], one bit an element, fillers 0. codeword: Uint8Array [>= n], receives the N coded bits of
   * TS 38.212 (systematic bits from 2Z on, then parity). `rows` (4..all) bounds the base rows computed: the parity of
   * later rows is left untouched, for rates that never send it.
   */
  encode(info: Uint8Array, codeword: Uint8Array, rows = this.code.rows): void {
    const { code, blocks, sums, stride, n } = this;
    const { z, k } = code;
    if (info.length < k) throw new UsageError(`${info.length} information bits given, ${k} needed`);
    if (codeword.length < code.n)
      throw new UsageError(`codeword has room for ${codeword.length} bits, ${code.n} needed`);
    const kb = code.graph.infoColumns;
    for (let c = 0; c < kb; c++) packDoubled(info, c * z, z, blocks, c * stride);
    for (let i = 2 * z; i < k; i++) codeword[i - 2 * z] = info[i];

    // Core: lambda_i = systematic part of row i; sums[4] is their total.
    sums.fill(0);
    for (let r = 0; r < 4; r++) {
      this.accumulate(r, 0, kb, r * stride);
      for (let i = 0; i < n; i++) sums[4 * stride + i] ^= sums[r * stride + i];
    }
    // P^s p = total, so p is the total rotated back by s.
    maskTail(z, sums, 4 * stride);
    doubleBlock(z, sums, 4 * stride);
    this.finishColumn(kb, 4 * stride, this.coreShift === 0 ? 0 : z - this.coreShift, codeword);
    // Row r < 3 holds, beside columns solved before, column kb + 1 + r with shift 0.
    for (let r = 0; r < 3; r++) {
      this.accumulate(r, kb, kb + 1 + r, r * stride);
      maskTail(z, sums, r * stride);
      doubleBlock(z, sums, r * stride);
      this.finishColumn(kb + 1 + r, r * stride, 0, codeword);
    }
    for (let r = 4; r < rows; r++) {
      sums.fill(0, 0, n);
      this.accumulate(r, 0, kb + 4, 0);
      unpackBlock(sums, 0, z, codeword, (kb + r - 2) * z);
    }
  }

  /** sums[to..] ^= every edge of the row whose column is in [firstColumn, endColumn). */
  private accumulate(row: number, firstColumn: number, endColumn: number, to: number): void {
    const { rowStart, edgeColumn, edgeShift } = this.code;
    for (let e = rowStart[row]; e < rowStart[row + 1]; e++) {
      const c = edgeColumn[e];
      if (c >= firstColumn && c < endColumn) {
        xorRotated(this.sums, to, this.blocks, c * this.stride, edgeShift[e], this.n);
      }
    }
  }

  /** Stores sums[from..] rotated by `shift` as parity column `column`, doubled for later rows, and as coded bits. */
  private finishColumn(column: number, from: number, shift: number, codeword: Uint8Array): void {
    const { z } = this.code;
    const at = column * this.stride;
    this.blocks.fill(0, at, at + this.stride);
    xorRotated(this.blocks, at, this.sums, from, shift, this.n);
    maskTail(z, this.blocks, at);
    unpackBlock(this.blocks, at, z, codeword, (column - 2) * z);
    doubleBlock(z, this.blocks, at);
  }
}

/** Two of the three shifts of the first parity column cancel in the sum of the core rows; this is the one that stays. */
function coreShiftOf(code: LdpcCode): number {
  const odd = new Set<number>();
  for (let e = 0; e < code.rowStart[4]; e++) {
    if (code.edgeColumn[e] !== code.graph.infoColumns) continue;
    const s = code.edgeShift[e];
    if (!odd.delete(s)) odd.add(s);
  }
  if (odd.size !== 1) throw new Error(`base graph ${code.baseGraph} has no solvable core at Z=${code.z}`);
  return [...odd][0];
}

const encoders = new WeakMap<LdpcCode, LdpcEncoder>();

/** The encoder of a code, made once a thread (it holds scratch memory and is not re-entrant). */
export function ldpcEncoder(code: LdpcCode): LdpcEncoder {
  let encoder = encoders.get(code);
  if (!encoder) {
    encoder = new LdpcEncoder(code);
    encoders.set(code, encoder);
  }
  return encoder;
}
