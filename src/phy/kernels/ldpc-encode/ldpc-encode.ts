import { canRun, wantsWebAssembly } from '../wasm.ts';
import type { LdpcEncodeKernel } from './ldpc-encode-kernel.ts';
import { PlainLdpcEncodeKernel } from './ldpc-encode-plain.ts';
import { WasmLdpcEncodeKernel } from './ldpc-encode-wasm.ts';
import { LDPC_ENCODE_WASM } from './ldpc-encode-wasm-binary.ts';

let shared: LdpcEncodeKernel | undefined;

/**
 * The encoder of this thread (not re-entrant): WebAssembly, or plain TypeScript where SCT_KERNELS=js asks for it or the machine
 * has no SIMD. Both give the same bits.
 */
export function ldpcEncodeKernel(): LdpcEncodeKernel {
  return (shared ??=
    wantsWebAssembly() && canRun(LDPC_ENCODE_WASM) ? new WasmLdpcEncodeKernel() : new PlainLdpcEncodeKernel());
}
