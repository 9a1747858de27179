import { canRun, wantsWebAssembly } from '../wasm.ts';
import type { RateMatchKernel } from './rate-match-kernel.ts';
import { PlainRateMatchKernel } from './rate-match-plain.ts';
import { WasmRateMatchKernel } from './rate-match-wasm.ts';
import { RATE_MATCH_WASM } from './rate-match-wasm-binary.ts';

let shared: RateMatchKernel | undefined;

/**
 * The bit interleaver of this thread (not re-entrant): WebAssembly, or plain TypeScript where SCT_KERNELS=js asks for it or the
 * machine has no SIMD.
 */
export function rateMatchKernel(): RateMatchKernel {
  return (shared ??=
    wantsWebAssembly() && canRun(RATE_MATCH_WASM) ? new WasmRateMatchKernel() : new PlainRateMatchKernel());
}
