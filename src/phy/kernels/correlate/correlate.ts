import { canRun, wantsWebAssembly } from '../wasm.ts';
import type { CorrelateKernel } from './correlate-kernel.ts';
import { PlainCorrelateKernel } from './correlate-plain.ts';
import { WasmCorrelateKernel } from './correlate-wasm.ts';
import { CORRELATE_WASM } from './correlate-wasm-binary.ts';

export type { CorrelateKernel } from './correlate-kernel.ts';

let kernel: CorrelateKernel | undefined;

/**
 * The kernel, made once a thread (it holds scratch memory and is not re-entrant): WebAssembly, or plain TypeScript where
 * SCT_KERNELS=js asks for it or the machine has no SIMD.
 */
export function correlateKernel(): CorrelateKernel {
  kernel ??= wantsWebAssembly() && canRun(CORRELATE_WASM) ? new WasmCorrelateKernel() : new PlainCorrelateKernel();
  return kernel;
}
