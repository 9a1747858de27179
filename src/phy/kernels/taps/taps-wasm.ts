import { instantiate } from '../wasm.ts';
import { type FilterChange, MAX_SPACING, MAX_TAPS, type TapsKernel } from './taps-kernel.ts';
import { TAPS_WASM } from './taps-wasm-binary.ts';

/** What assembly/taps.ts exports; addresses are byte offsets into `memory`. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly FIRST: { readonly value: number };
  readonly SECOND: { readonly value: number };
  readonly INPUT: { readonly value: number };
  readonly OUTPUT: { readonly value: number };
  run(taps: number, count: number, within: number, spacing: number, hold: number, fade: number): void;
}

/** WebAssembly SIMD in double precision, two outputs a vector. */
export class WasmTapsKernel implements TapsKernel {
  private readonly wasm = instantiate<Exports>(TAPS_WASM);
  private readonly first: Float64Array;
  private readonly second: Float64Array;
  private readonly input: Float32Array;
  private readonly output: Float32Array;

  constructor() {
    const { memory, FIRST, SECOND, INPUT, OUTPUT } = this.wasm;
    this.first = new Float64Array(memory.buffer, FIRST.value, 2 * MAX_TAPS);
    this.second = new Float64Array(memory.buffer, SECOND.value, 2 * MAX_TAPS);
    this.input = new Float32Array(memory.buffer, INPUT.value, 2 * (MAX_TAPS + MAX_SPACING));
    this.output = new Float32Array(memory.buffer, OUTPUT.value, 2 * MAX_SPACING);
  }

  run(
    change: FilterChange,
    within: number,
    x: Float32Array,
    at: number,
    out: Float32Array,
    outAt: number,
    count: number,
  ): void {
    const { first, second, spacing, hold, kind } = change;
    const taps = first.length >> 1;
    this.first.set(first);
    this.second.set(second);
    this.input.set(x.subarray(2 * at, 2 * (at + taps - 1 + count)));
    this.wasm.run(taps, count, within, spacing, hold, kind === 'line' ? 1 : 0);
    out.set(this.output.subarray(0, 2 * count), 2 * outAt);
  }
}
