import type { LdpcCode } from '../../fec/ldpc-code.ts';
import { LLR_CLIP, LLR_SCALE } from '../../fec/llr-quantiser.ts';
import { instantiate } from '../wasm.ts';
import type { LdpcDecoderKernel } from './ldpc-kernel.ts';
import { LDPC_WASM } from './ldpc-wasm-binary.ts';

/** What assembly/ldpc.ts exports; addresses are byte offsets into `memory`. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly TABLE: { readonly value: number };
  readonly COLUMNS: { readonly value: number };
  readonly HEARD: { readonly value: number };
  readonly LIMITS: { readonly value: number };
  readonly APP: { readonly value: number };
  readonly BITS: { readonly value: number };
  readonly SOFT: { readonly value: number };
  stride(z: number): number;
  makeMasks(): void;
  quantise(columns: number, sent: number, z: number, scale: number, clip: number): void;
  start(columns: number, z: number, infoBits: number, k: number, edges: number): void;
  iterate(rows: number, z: number): void;
  parityHolds(rows: number, z: number, infoColumns: number): number;
  hardDecisions(columns: number, z: number): void;
}

/** WebAssembly SIMD, 16 checks a vector: one instance with a memory of fixed size serves every code of the thread. */
export class WasmLdpcKernel implements LdpcDecoderKernel {
  readonly name = 'WebAssembly SIMD';
  private code: LdpcCode | undefined;
  private rowCount = 0;
  /** What the table was laid out for, columns up to the last one in use, and edges. */
  private tableOf: LdpcCode | undefined;
  private readonly tableRows = new Uint8Array(46);
  private inUse = 0;
  private edges = 0;
  private readonly wasm: Exports;
  private readonly soft: Float32Array;
  private readonly heard: Uint8Array;
  private readonly limits: Uint8Array;
  private readonly bits: Uint8Array;
  private readonly table: Uint32Array;
  private readonly columns: Uint32Array;
  /** Shift of the row that uses a base column next. */
  private readonly next = new Int32Array(68);

  constructor() {
    const wasm = instantiate<Exports>(LDPC_WASM);
    const { buffer } = wasm.memory;
    wasm.makeMasks();
    this.wasm = wasm;
    this.soft = new Float32Array(buffer, wasm.SOFT.value, 66 * 384);
    this.heard = new Uint8Array(buffer, wasm.HEARD.value, 68);
    this.limits = new Uint8Array(buffer, wasm.LIMITS.value, 68);
    this.bits = new Uint8Array(buffer, wasm.BITS.value, 68 * 384);
    this.table = new Uint32Array(buffer, wasm.TABLE.value, 46 + 3 * 316);
    this.columns = new Uint32Array(buffer, wasm.COLUMNS.value, 1 + 2 * 68);
  }

  load(code: LdpcCode, soft: Float32Array, heard: Uint8Array, reach = code.n): void {
    const { columns, z } = code;
    this.code = code;
    const sent = 2 + Math.ceil(reach / z);
    this.soft.set(soft.subarray(0, (sent - 2) * z));
    this.wasm.quantise(columns, sent, z, LLR_SCALE, LLR_CLIP);
    for (let c = 0; c < columns; c++) heard[c] = this.heard[c];
  }

  start(infoBits: number, rows: Uint8Array, rowCount: number, limits: Uint8Array): void {
    const { k, z } = this.code!;
    this.limits.set(limits);
    if (!this.standsThere(rows, rowCount)) this.layOut(rows, rowCount);
    this.wasm.start(this.inUse, z, infoBits, k, this.edges);
  }

  /** Whether the table is that of these rows, as it is where one code of one length comes again and again. */
  private standsThere(rows: Uint8Array, rowCount: number): boolean {
    if (this.tableOf !== this.code || this.rowCount !== rowCount) return false;
    for (let i = 0; i < rowCount; i++) if (rows[i] !== this.tableRows[i]) return false;
    return true;
  }

  /** The rows' edges to the table, and the columns in use. */
  private layOut(rows: Uint8Array, rowCount: number): void {
    const { wasm, table } = this;
    const { columns, rowStart, edgeColumn, edgeShift, z, graph } = this.code!;
    const first = wasm.APP.value;
    const stride = wasm.stride(z);
    // From the last row to the first: what comes next is known then; at the end, which comes first.
    this.next.fill(-1);
    for (let i = rowCount - 1; i >= 0; i--) {
      for (let e = rowStart[rows[i]]; e < rowStart[rows[i] + 1]; e++) this.next[edgeColumn[e]] = edgeShift[e];
    }
    let used = 0;
    // Parity columns behind the last one in use are never looked at.
    let inUse: number = graph.infoColumns;
    for (let c = 0; c < columns; c++) {
      if (this.next[c] < 0) continue;
      if (c >= inUse) inUse = c + 1;
      this.columns[++used] = first + c * stride;
      this.columns[++used] = this.next[c];
    }
    this.columns[0] = used / 2;
    let edges = 0;
    for (let i = 0; i < rowCount; i++) edges += rowStart[rows[i] + 1] - rowStart[rows[i]];
    let at = rowCount + 3 * edges;
    for (let i = rowCount - 1; i >= 0; i--) {
      const from = rowStart[rows[i]];
      const to = rowStart[rows[i] + 1];
      at -= 1 + 3 * (to - from);
      table[at] = to - from;
      for (let e = from, entry = at + 1; e < to; e++) {
        const c = edgeColumn[e];
        table[entry++] = first + c * stride + edgeShift[e];
        table[entry++] = edgeShift[e];
        table[entry++] = this.next[c];
        this.next[c] = edgeShift[e];
      }
    }
    this.rowCount = rowCount;
    this.tableOf = this.code;
    this.tableRows.set(rows.subarray(0, rowCount));
    this.inUse = inUse;
    this.edges = edges;
  }

  iterate(): void {
    this.wasm.iterate(this.rowCount, this.code!.z);
  }

  parityHolds(): boolean {
    const { z, graph } = this.code!;
    return this.wasm.parityHolds(this.rowCount, z, graph.infoColumns) !== 0;
  }

  hardDecisions(bits: Uint8Array, count: number): void {
    const { z } = this.code!;
    this.wasm.hardDecisions(Math.ceil(count / z), z);
    bits.set(this.bits.subarray(0, count));
  }
}
