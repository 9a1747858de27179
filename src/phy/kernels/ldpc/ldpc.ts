import { canRun, wantsWebAssembly } from '../wasm.ts';
import type { LdpcDecoderKernel } from './ldpc-kernel.ts';
import { PlainLdpcKernel } from './ldpc-plain.ts';
import { WasmLdpcKernel } from './ldpc-wasm.ts';
import { LDPC_WASM } from './ldpc-wasm-binary.ts';

let shared: LdpcDecoderKernel | undefined;

/**
 * The kernel of this thread (it holds the state of one codeword and is not re-entrant): WebAssembly, or plain TypeScript
 * where SCT_KERNELS=js asks for it or the machine has no SIMD. Both give the same bits.
 */
export function ldpcDecoderKernel(): LdpcDecoderKernel {
  return (shared ??= wantsWebAssembly() && canRun(LDPC_WASM) ? new WasmLdpcKernel() : new PlainLdpcKernel());
}
