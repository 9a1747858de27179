import type { EqualiserKernel, SlotPattern } from './equalise-kernel.ts';
import { PlainEqualiserKernel } from './equalise-plain.ts';
import { WasmEqualiserKernel } from './equalise-wasm.ts';
import { EQUALISE_WASM } from './equalise-wasm-binary.ts';
import { canRun, wantsWebAssembly } from './wasm.ts';

let fast: boolean | undefined;

/**
 * A new equaliser of one pattern, for the caller to keep (it holds scratch memory and is not re-entrant): WebAssembly, or plain
 * TypeScript where SCT_KERNELS=js asks for it or the machine has no SIMD.
 */
export function makeEqualiser(pattern: SlotPattern): EqualiserKernel {
  fast ??= wantsWebAssembly() && canRun(EQUALISE_WASM);
  return fast ? new WasmEqualiserKernel(pattern) : new PlainEqualiserKernel(pattern);
}
