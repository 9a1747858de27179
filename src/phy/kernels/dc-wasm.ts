import { DC_GROUP, DC_STATE, DC_STRETCH, type DcKernel } from './dc-kernel.ts';
import { DC_WASM } from './dc-wasm-binary.ts';
import { instantiate } from './wasm.ts';

/** What assembly/dc.ts exports; addresses are byte offsets into `memory`. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly STATE: { readonly value: number };
  readonly SAMPLES: { readonly value: number };
  readonly SUMS: { readonly value: number };
  process(groups: number): void;
  sums(stretches: number): void;
}

/** Most samples of a call into the kernel, those that are processed at once, and results of a stretch. */
const MAX_SAMPLES = 8192;
const PROCESSED = 2048;
const SUM_NUMBERS = 4;

/** WebAssembly SIMD in single precision, the mean in double. */
export class WasmDcKernel implements DcKernel {
  private readonly wasm = instantiate<Exports>(DC_WASM);
  private readonly state: Float64Array;
  private readonly samples: Float32Array;
  /** The first of them. */
  private readonly processed: Float32Array;
  private readonly sum: Float32Array;

  constructor() {
    const { memory, STATE, SAMPLES, SUMS } = this.wasm;
    this.state = new Float64Array(memory.buffer, STATE.value, DC_STATE);
    this.samples = new Float32Array(memory.buffer, SAMPLES.value, 2 * MAX_SAMPLES);
    this.processed = this.samples.subarray(0, 2 * PROCESSED);
    this.sum = new Float32Array(memory.buffer, SUMS.value, (SUM_NUMBERS * MAX_SAMPLES) / DC_STRETCH);
  }

  process(state: Float64Array, input: Float32Array, out: Float32Array): void {
    this.state.set(state);
    for (let at = 0; at < out.length; at += 2 * PROCESSED) {
      const length = Math.min(2 * PROCESSED, out.length - at);
      this.samples.set(input.subarray(at, at + length));
      this.wasm.process(length / (2 * DC_GROUP));
      out.set(length === this.processed.length ? this.processed : this.samples.subarray(0, length), at);
    }
    state.set(this.state);
  }

  sums(samples: Float32Array, from: number, to: number, out: Float64Array, changes: Float32Array): void {
    const { samples: room, sum } = this;
    out.fill(0);
    for (let at = from; at < to; at += MAX_SAMPLES) {
      const count = Math.min(MAX_SAMPLES, to - at);
      room.set(samples.subarray(2 * at, 2 * (at + count)));
      const stretches = Math.ceil(count / DC_STRETCH);
      if (count < stretches * DC_STRETCH) room.fill(0, 2 * count, 2 * stretches * DC_STRETCH);
      this.wasm.sums(stretches);
      const first = (at - from) / DC_STRETCH;
      const whole = Math.floor(count / DC_STRETCH);
      for (let b = 0, i = 0; b < stretches; b++, i += SUM_NUMBERS) {
        out[0] += sum[i];
        out[1] += sum[i + 1];
        out[2] += sum[i + 2];
        if (b < whole) changes[first + b] = sum[i + 3];
      }
    }
  }
}
