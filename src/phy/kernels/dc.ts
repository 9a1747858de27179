import type { DcKernel } from './dc-kernel.ts';
import { PlainDcKernel } from './dc-plain.ts';
import { WasmDcKernel } from './dc-wasm.ts';
import { DC_WASM } from './dc-wasm-binary.ts';
import { canRun, wantsWebAssembly } from './wasm.ts';

export type { DcKernel } from './dc-kernel.ts';

let kernel: DcKernel | undefined;

/**
 * The kernel, made once a thread (it holds scratch memory and is not re-entrant): WebAssembly, or plain TypeScript where
 * SCT_KERNELS=js asks for it or the machine has no SIMD.
 */
export function dcKernel(): DcKernel {
  kernel ??= wantsWebAssembly() && canRun(DC_WASM) ? new WasmDcKernel() : new PlainDcKernel();
  return kernel;
}
