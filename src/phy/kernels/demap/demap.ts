import { canRun, wantsWebAssembly } from '../wasm.ts';
import type { DemapKernel } from './demap-kernel.ts';
import { PlainDemapKernel } from './demap-plain.ts';
import { WasmDemapKernel } from './demap-wasm.ts';
import { DEMAP_WASM } from './demap-wasm-binary.ts';

let shared: DemapKernel | undefined;

/**
 * The soft demapper of this thread (not re-entrant): WebAssembly, or plain TypeScript where SCT_KERNELS=js asks for it or the
 * machine has no SIMD.
 */
export function demapKernel(): DemapKernel {
  return (shared ??= wantsWebAssembly() && canRun(DEMAP_WASM) ? new WasmDemapKernel() : new PlainDemapKernel());
}
