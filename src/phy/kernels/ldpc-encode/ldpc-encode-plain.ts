import type { LdpcCode } from '../../fec/ldpc-code.ts';
import {
  blockWords,
  doubleBlock,
  doubledWords,
  maskTail,
  packDoubled,
  unpackBlock,
  xorRotated,
} from '../../fec/packed-blocks.ts';
import { coreShiftOf, type LdpcEncodeKernel } from './ldpc-encode-kernel.ts';

/** The kernel in plain TypeScript, the reference of the other: 32 bits at a time. */
export class PlainLdpcEncodeKernel implements LdpcEncodeKernel {
  private code: LdpcCode | undefined;
  private n = 0;
  private stride = 0;
  /** Doubled blocks of the systematic and the four core parity columns: Int32Array [infoColumns + 4][stride]. */
  private blocks = new Int32Array(0);
  private sums = new Int32Array(0);

  encode(code: LdpcCode, info: Uint8Array, rows: number, parity: Uint8Array, at: number): void {
    if (code !== this.code) this.use(code);
    const { blocks, sums, stride, n } = this;
    const { z } = code;
    const kb = code.graph.infoColumns;
    for (let c = 0; c < kb; c++) packDoubled(info, c * z, z, blocks, c * stride);
    // Core: lambda_i = systematic part of row i; sums[4] is their total.
    sums.fill(0);
    for (let r = 0; r < 4; r++) {
      this.accumulate(code, r, 0, kb, r * stride);
      for (let i = 0; i < n; i++) sums[4 * stride + i] ^= sums[r * stride + i];
    }
    // P^s p = total, so p is the total rotated back by s.
    maskTail(z, sums, 4 * stride);
    doubleBlock(z, sums, 4 * stride);
    const coreShift = coreShiftOf(code);
    this.finishColumn(code, kb, 4 * stride, coreShift === 0 ? 0 : z - coreShift, parity, at);
    // Row r < 3 holds, beside columns solved before, column kb + 1 + r with shift 0.
    for (let r = 0; r < 3; r++) {
      this.accumulate(code, r, kb, kb + 1 + r, r * stride);
      maskTail(z, sums, r * stride);
      doubleBlock(z, sums, r * stride);
      this.finishColumn(code, kb + 1 + r, r * stride, 0, parity, at + (r + 1) * z);
    }
    for (let r = 4; r < rows; r++) {
      sums.fill(0, 0, n);
      this.accumulate(code, r, 0, kb + 4, 0);
      unpackBlock(sums, 0, z, parity, at + r * z);
    }
  }

  private use(code: LdpcCode): void {
    this.code = code;
    this.n = blockWords(code.z);
    this.stride = doubledWords(code.z);
    this.blocks = new Int32Array((code.graph.infoColumns + 4) * this.stride);
    this.sums = new Int32Array(5 * this.stride);
  }

  /** sums[to..] ^= every edge of the row whose column is in [firstColumn, endColumn). */
  private accumulate(code: LdpcCode, row: number, firstColumn: number, endColumn: number, to: number): void {
    const { rowStart, edgeColumn, edgeShift } = code;
    for (let e = rowStart[row]; e < rowStart[row + 1]; e++) {
      const c = edgeColumn[e];
      if (c >= firstColumn && c < endColumn) {
        xorRotated(this.sums, to, this.blocks, c * this.stride, edgeShift[e], this.n);
      }
    }
  }

  /** Stores sums[from..] rotated by `shift` as parity column `column`, doubled for later rows, and as bits at parity[to..]. */
  private finishColumn(
    code: LdpcCode,
    column: number,
    from: number,
    shift: number,
    parity: Uint8Array,
    to: number,
  ): void {
    const at = column * this.stride;
    this.blocks.fill(0, at, at + this.stride);
    xorRotated(this.blocks, at, this.sums, from, shift, this.n);
    maskTail(code.z, this.blocks, at);
    unpackBlock(this.blocks, at, code.z, parity, to);
    doubleBlock(code.z, this.blocks, at);
  }
}
