import { instantiate } from '../wasm.ts';
import { firstFactor, LONGEST_GROUP, SPREAD_LANES, type SpreadKernel } from './spread-kernel.ts';
import { rootsOf } from './spread-plain.ts';
import { SPREAD_WASM } from './spread-wasm-binary.ts';

/** What assembly/spread.ts exports; addresses are byte offsets into `memory`. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly LANES: { readonly value: number };
  readonly TABLES: { readonly value: number };
  transform(n: number, a: number, table: number, scale: number): void;
}

/** WebAssembly SIMD in single precision, four groups a vector. */
export class WasmSpreadKernel implements SpreadKernel {
  readonly lanes: Float32Array;
  private readonly wasm: Exports;
  /** Address of the table of every length used so far. */
  private readonly tableAt: (number | undefined)[] = [];
  private tablesEnd: number;

  constructor() {
    const wasm = instantiate<Exports>(SPREAD_WASM);
    this.wasm = wasm;
    this.lanes = new Float32Array(wasm.memory.buffer, wasm.LANES.value, 2 * SPREAD_LANES * LONGEST_GROUP);
    this.tablesEnd = wasm.TABLES.value;
  }

  transform(n: number): void {
    const table = (this.tableAt[n] ??= this.addTable(n));
    this.wasm.transform(n, firstFactor(n), table, 1 / Math.sqrt(n));
  }

  /** All 154 tables together are 95 kB. */
  private addTable(n: number): number {
    const at = this.tablesEnd;
    new Float32Array(this.wasm.memory.buffer, at, 2 * n).set(rootsOf(n));
    this.tablesEnd += 8 * n;
    return at;
  }
}
