import { canRun, wantsWebAssembly } from '../wasm.ts';
import type { SpreadKernel } from './spread-kernel.ts';
import { PlainSpreadKernel } from './spread-plain.ts';
import { WasmSpreadKernel } from './spread-wasm.ts';
import { SPREAD_WASM } from './spread-wasm-binary.ts';

let shared: SpreadKernel | undefined;

/**
 * The transform of this thread (not re-entrant): WebAssembly, or plain TypeScript where SCT_KERNELS=js asks for it or the
 * machine has no SIMD.
 */
export function spreadKernel(): SpreadKernel {
  return (shared ??= wantsWebAssembly() && canRun(SPREAD_WASM) ? new WasmSpreadKernel() : new PlainSpreadKernel());
}
