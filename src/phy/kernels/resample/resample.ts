import { canRun, wantsWebAssembly } from '../wasm.ts';
import type { ResampleKernel, ResampleSetup } from './resample-kernel.ts';
import { PlainResampleKernel } from './resample-plain.ts';
import { fitsResampleMemory, WasmResampleKernel } from './resample-wasm.ts';
import { RESAMPLE_WASM } from './resample-wasm-binary.ts';

let fast: boolean | undefined;

/**
 * A front end for one stream: WebAssembly, or plain TypeScript where SCT_KERNELS=js asks for it, the machine has no SIMD, or
 * the filter is too long for the kernel's memory.
 */
export function resampleKernel(setup: ResampleSetup): ResampleKernel {
  fast ??= wantsWebAssembly() && canRun(RESAMPLE_WASM);
  return fast && fitsResampleMemory(setup) ? new WasmResampleKernel(setup) : new PlainResampleKernel(setup);
}
