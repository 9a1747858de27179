import { canRun, wantsWebAssembly } from '../wasm.ts';
import type { ClockKernel } from './clock-kernel.ts';
import { PlainClockKernel } from './clock-plain.ts';
import { WasmClockKernel } from './clock-wasm.ts';
import { CLOCK_WASM } from './clock-wasm-binary.ts';

export type { ClockGrid } from './clock-kernel.ts';

let kernel: ClockKernel | undefined;

/**
 * The kernel, made once a thread (it holds scratch memory and is not re-entrant): WebAssembly, or plain TypeScript where
 * SCT_KERNELS=js asks for it or the machine has no SIMD.
 */
export function clockKernel(): ClockKernel {
  kernel ??= wantsWebAssembly() && canRun(CLOCK_WASM) ? new WasmClockKernel() : new PlainClockKernel();
  return kernel;
}
