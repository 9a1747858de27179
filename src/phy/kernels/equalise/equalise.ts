import { canRun, type KernelMemory, wantsWebAssembly } from '../wasm.ts';
import type { EqualiserKernel, SlotPattern } from './equalise-kernel.ts';
import { PlainEqualiserKernel } from './equalise-plain.ts';
import { WasmEqualiserKernel } from './equalise-wasm.ts';
import { EQUALISE_WASM } from './equalise-wasm-binary.ts';

let fast: boolean | undefined;

/**
 * A new equaliser of one pattern, for the caller to keep (it holds scratch memory and is not re-entrant): WebAssembly, or plain
 * TypeScript where SCT_KERNELS=js asks for it or the machine has no SIMD. `memory`: of the OFDM kernel whose rows it will be given, which has
 * room for one equaliser; else it has one of its own.
 */
export function makeEqualiser(pattern: SlotPattern, memory: KernelMemory | null = null): EqualiserKernel {
  fast ??= wantsWebAssembly() && canRun(EQUALISE_WASM);
  return fast ? new WasmEqualiserKernel(pattern, memory ?? undefined) : new PlainEqualiserKernel(pattern);
}
