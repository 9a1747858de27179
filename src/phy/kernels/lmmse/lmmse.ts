import { canRun, wantsWebAssembly } from '../wasm.ts';
import type { FitPattern, LmmseKernel } from './lmmse-kernel.ts';
import { PlainLmmseKernel } from './lmmse-plain.ts';
import { WasmLmmseKernel } from './lmmse-wasm.ts';
import { LMMSE_WASM } from './lmmse-wasm-binary.ts';

let fast: boolean | undefined;

/**
 * A new kernel of the channel fit, for the caller to keep (it holds what it is given and is not re-entrant): WebAssembly, or plain
 * TypeScript where SCT_KERNELS=js asks for it or the machine has no SIMD.
 */
export function makeLmmse(pattern: FitPattern): LmmseKernel {
  fast ??= wantsWebAssembly() && canRun(LMMSE_WASM);
  return fast ? new WasmLmmseKernel(pattern) : new PlainLmmseKernel(pattern);
}
