import { DC_GROUP, DC_STATE, type DcKernel } from './dc-kernel.ts';
import { DC_WASM } from './dc-wasm-binary.ts';
import { instantiate } from './wasm.ts';

/** What assembly/dc.ts exports; addresses are byte offsets into `memory`. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly STATE: { readonly value: number };
  readonly INPUT: { readonly value: number };
  readonly OUTPUT: { readonly value: number };
  process(groups: number): void;
}

/** Samples of a call into the kernel. */
const MAX_SAMPLES = 8192;

/** WebAssembly SIMD in single precision, the mean in double. */
export class WasmDcKernel implements DcKernel {
  private readonly wasm = instantiate<Exports>(DC_WASM);
  private readonly state: Float64Array;
  private readonly input: Float32Array;
  private readonly output: Float32Array;

  constructor() {
    const { memory, STATE, INPUT, OUTPUT } = this.wasm;
    this.state = new Float64Array(memory.buffer, STATE.value, DC_STATE);
    this.input = new Float32Array(memory.buffer, INPUT.value, 2 * MAX_SAMPLES);
    this.output = new Float32Array(memory.buffer, OUTPUT.value, 2 * MAX_SAMPLES);
  }

  process(state: Float64Array, input: Float32Array, out: Float32Array): void {
    this.state.set(state);
    for (let at = 0; at < out.length; at += 2 * MAX_SAMPLES) {
      const length = Math.min(2 * MAX_SAMPLES, out.length - at);
      this.input.set(input.subarray(at, at + length));
      this.wasm.process(length / (2 * DC_GROUP));
      out.set(this.output.subarray(0, length), at);
    }
    state.set(this.state);
  }
}
