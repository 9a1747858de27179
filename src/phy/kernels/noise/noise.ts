import { canRun, wantsWebAssembly } from '../wasm.ts';
import type { NoiseKernel } from './noise-kernel.ts';
import { PlainNoiseKernel } from './noise-plain.ts';
import { WasmNoiseKernel } from './noise-wasm.ts';
import { NOISE_WASM } from './noise-wasm-binary.ts';

let kernel: NoiseKernel | undefined;

/**
 * The kernel, made once a thread (it holds scratch memory and is not re-entrant): WebAssembly, or plain TypeScript where
 * SCT_KERNELS=js asks for it or the machine has no SIMD.
 */
export function noiseKernel(): NoiseKernel {
  kernel ??= wantsWebAssembly() && canRun(NOISE_WASM) ? new WasmNoiseKernel() : new PlainNoiseKernel();
  return kernel;
}
