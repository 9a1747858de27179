import { canRun, wantsWebAssembly } from '../wasm.ts';
import type { DcKernel } from './dc-kernel.ts';
import { PlainDcKernel } from './dc-plain.ts';
import { WasmDcKernel } from './dc-wasm.ts';
import { DC_WASM } from './dc-wasm-binary.ts';

export type { DcKernel } from './dc-kernel.ts';

let fast: boolean | undefined;

/**
 * A kernel of its own for every window of samples: WebAssembly, or plain TypeScript where SCT_KERNELS=js asks for it or the
 * machine has no SIMD.
 */
export function dcKernel(): DcKernel {
  fast ??= wantsWebAssembly() && canRun(DC_WASM);
  return fast ? new WasmDcKernel() : new PlainDcKernel();
}
