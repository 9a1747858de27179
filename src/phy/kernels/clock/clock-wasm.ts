import { instantiate } from '../wasm.ts';
import { CLOCK_HALF_TAPS, CLOCK_TAPS, type ClockGrid, type ClockKernel } from './clock-kernel.ts';
import { clockTable } from './clock-table.ts';
import { CLOCK_WASM } from './clock-wasm-binary.ts';

/** What assembly/clock.ts exports; addresses are byte offsets into `memory`. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly TABLE: { readonly value: number };
  readonly INPUT: { readonly value: number };
  readonly OUTPUT: { readonly value: number };
  run(count: number, index: number, ratio: number, shift: number, start: number, samples: number): void;
}

/** Outputs of a call into the kernel, and the input that they take at most: the clock is up to 1000 ppm off. */
const MAX_OUTPUTS = 2048;
const MAX_INPUTS = MAX_OUTPUTS + 64;

/** WebAssembly SIMD in double precision, an even and an odd tap a vector. */
export class WasmClockKernel implements ClockKernel {
  private readonly wasm = instantiate<Exports>(CLOCK_WASM);
  private readonly input: Float32Array;
  private readonly output: Float32Array;

  constructor() {
    const { memory, TABLE, INPUT, OUTPUT } = this.wasm;
    const table = clockTable();
    new Float64Array(memory.buffer, TABLE.value, table.length).set(table);
    this.input = new Float32Array(memory.buffer, INPUT.value, 2 * MAX_INPUTS);
    this.output = new Float32Array(memory.buffer, OUTPUT.value, 2 * MAX_OUTPUTS);
  }

  run(
    grid: ClockGrid,
    index: number,
    x: Float32Array,
    origin: number,
    out: Float32Array,
    outAt: number,
    count: number,
  ): void {
    const { ratio, shift } = grid;
    for (let done = 0; done < count; done += MAX_OUTPUTS) {
      const part = Math.min(MAX_OUTPUTS, count - done);
      const first = index + done;
      const start = Math.floor(first * ratio - shift) - CLOCK_HALF_TAPS + 1;
      const samples = Math.floor((first + part - 1) * ratio - shift) - CLOCK_HALF_TAPS + 1 + CLOCK_TAPS - start;
      this.input.set(x.subarray(2 * (origin + start), 2 * (origin + start + samples)));
      this.wasm.run(part, first, ratio, shift, start, samples);
      out.set(this.output.subarray(0, 2 * part), 2 * (outAt + done));
    }
  }
}
