import type { LdpcCode } from '../../fec/ldpc-code.ts';
import { instantiate } from '../wasm.ts';
import { coreShiftOf, type LdpcEncodeKernel } from './ldpc-encode-kernel.ts';
import { LDPC_ENCODE_WASM } from './ldpc-encode-wasm-binary.ts';

/** What assembly/ldpc-encode.ts exports; addresses are byte offsets into `memory`. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly COLUMNS: { readonly value: number };
  readonly PARITY: { readonly value: number };
  readonly TABLE: { readonly value: number };
  stride(z: number): number;
  double(columns: number, z: number): void;
  encode(infoColumns: number, z: number, rows: number, coreShift: number): void;
}

/** What is told of a code: tasks in the order of assembly/ldpc-encode.ts. */
interface Prepared {
  readonly table: Uint32Array;
  readonly coreShift: number;
}

/** WebAssembly SIMD, 16 bits a vector: one instance with a memory of fixed size serves every code of the thread. */
export class WasmLdpcEncodeKernel implements LdpcEncodeKernel {
  private readonly wasm: Exports;
  private readonly columns: Uint8Array;
  private readonly parity: Uint8Array;
  private readonly table: Uint32Array;
  private readonly prepared = new WeakMap<LdpcCode, Prepared>();
  private code: LdpcCode | undefined;

  constructor() {
    const wasm = instantiate<Exports>(LDPC_ENCODE_WASM);
    const { buffer } = wasm.memory;
    this.wasm = wasm;
    this.columns = new Uint8Array(buffer, wasm.COLUMNS.value, 26 * wasm.stride(384));
    this.parity = new Uint8Array(buffer, wasm.PARITY.value, 46 * 384);
    this.table = new Uint32Array(buffer, wasm.TABLE.value, 49 + 316);
  }

  encode(code: LdpcCode, info: Uint8Array, rows: number, parity: Uint8Array, at: number): void {
    const { wasm } = this;
    const { z } = code;
    const { infoColumns } = code.graph;
    let prepared = this.prepared.get(code);
    if (!prepared) {
      prepared = this.prepare(code);
      this.prepared.set(code, prepared);
    }
    if (code !== this.code) {
      this.table.set(prepared.table);
      this.code = code;
    }
    const step = wasm.stride(z);
    for (let c = 0; c < infoColumns; c++) this.columns.set(info.subarray(c * z, (c + 1) * z), c * step);
    wasm.double(infoColumns, z);
    wasm.encode(infoColumns, z, rows, prepared.coreShift);
    parity.set(this.parity.subarray(0, rows * z), at);
  }

  private prepare(code: LdpcCode): Prepared {
    const { rowStart, edgeColumn, edgeShift, rows } = code;
    const kb = code.graph.infoColumns;
    const first = this.wasm.COLUMNS.value;
    const step = this.wasm.stride(code.z);
    const table: number[] = [];
    const task = (row: number, firstColumn: number, endColumn: number) => {
      const sources: number[] = [];
      for (let e = rowStart[row]; e < rowStart[row + 1]; e++) {
        const c = edgeColumn[e];
        if (c >= firstColumn && c < endColumn) sources.push(first + c * step + edgeShift[e]);
      }
      table.push(sources.length, ...sources);
    };
    for (let r = 0; r < 4; r++) task(r, 0, kb);
    for (let r = 0; r < 3; r++) task(r, kb, kb + 1 + r);
    for (let r = 4; r < rows; r++) task(r, 0, kb + 4);
    return { table: Uint32Array.from(table), coreShift: coreShiftOf(code) };
  }
}
