import type { RandomStream } from '../../../common/random.ts';
import { instantiate } from '../wasm.ts';
import type { NoiseKernel } from './noise-kernel.ts';
import { NOISE_WASM } from './noise-wasm-binary.ts';

/** What assembly/noise.ts exports; addresses are byte offsets into `memory`. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly STATE: { readonly value: number };
  readonly SAMPLES: { readonly value: number };
  add(count: number, sigma: number): void;
}

/** Samples of a call into the kernel. */
const MAX_SAMPLES = 4096;

/** WebAssembly SIMD in double precision. */
export class WasmNoiseKernel implements NoiseKernel {
  private readonly wasm = instantiate<Exports>(NOISE_WASM);
  private readonly state: Uint32Array;
  private readonly samples: Float32Array;

  constructor() {
    const { memory, STATE, SAMPLES } = this.wasm;
    this.state = new Uint32Array(memory.buffer, STATE.value, 4);
    this.samples = new Float32Array(memory.buffer, SAMPLES.value, 2 * MAX_SAMPLES);
  }

  add(random: RandomStream, reIm: Float32Array, variance: number): void {
    if (!random.save(this.state)) {
      // Half a pair is left over from single draws.
      random.addComplexNoise(reIm, variance);
      return;
    }
    const sigma = Math.sqrt(variance / 2);
    for (let at = 0; at < reIm.length; at += 2 * MAX_SAMPLES) {
      const part = reIm.subarray(at, at + 2 * MAX_SAMPLES);
      this.samples.set(part);
      this.wasm.add(part.length >> 1, sigma);
      part.set(this.samples.subarray(0, part.length));
    }
    random.restore(this.state);
  }
}
