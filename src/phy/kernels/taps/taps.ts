import { canRun, wantsWebAssembly } from '../wasm.ts';
import type { TapsKernel } from './taps-kernel.ts';
import { PlainTapsKernel } from './taps-plain.ts';
import { WasmTapsKernel } from './taps-wasm.ts';
import { TAPS_WASM } from './taps-wasm-binary.ts';

export { MAX_SPACING } from './taps-kernel.ts';

let kernel: TapsKernel | undefined;

/**
 * The kernel, made once a thread (it holds scratch memory and is not re-entrant): WebAssembly, or plain TypeScript where
 * SCT_KERNELS=js asks for it or the machine has no SIMD.
 */
export function tapsKernel(): TapsKernel {
  kernel ??= wantsWebAssembly() && canRun(TAPS_WASM) ? new WasmTapsKernel() : new PlainTapsKernel();
  return kernel;
}
