import { canRun, wantsWebAssembly } from '../wasm.ts';
import type { ModulateKernel, OfdmShape, TransmitPattern } from './modulate-kernel.ts';
import { PlainModulateKernel } from './modulate-plain.ts';
import { fitsModulateMemory, WasmModulateKernel } from './modulate-wasm.ts';
import { MODULATE_WASM } from './modulate-wasm-binary.ts';

let fast: boolean | undefined;

/**
 * A kernel for one numerology (not re-entrant): WebAssembly, or plain TypeScript where SCT_KERNELS=js asks for it, the machine has
 * no SIMD, or the numerology is larger than those of the air interface.
 */
export function modulateKernel(shape: OfdmShape, pattern: TransmitPattern): ModulateKernel {
  fast ??= wantsWebAssembly() && canRun(MODULATE_WASM);
  return fast && fitsModulateMemory(shape)
    ? new WasmModulateKernel(shape, pattern)
    : new PlainModulateKernel(shape, pattern);
}
