import { canRun, wantsWebAssembly } from '../wasm.ts';
import type { OfdmKernel } from './ofdm-kernel.ts';
import { PlainOfdmKernel } from './ofdm-plain.ts';
import { WasmOfdmKernel } from './ofdm-wasm.ts';
import { OFDM_WASM } from './ofdm-wasm-binary.ts';

export type { OfdmKernel } from './ofdm-kernel.ts';

const cache = new Map<string, OfdmKernel>();
let fast: boolean | undefined;

/**
 * The kernel of one numerology, made once a thread (it holds scratch memory and is not re-entrant): WebAssembly, or plain
 * TypeScript where SCT_KERNELS=js asks for it or the machine has no SIMD.
 */
export function ofdmKernel(fftSize: number, nCarriers: number): OfdmKernel {
  const key = `${fftSize}/${nCarriers}`;
  let kernel = cache.get(key);
  if (!kernel) {
    fast ??= wantsWebAssembly() && canRun(OFDM_WASM);
    kernel = fast ? new WasmOfdmKernel(fftSize, nCarriers) : new PlainOfdmKernel(fftSize, nCarriers);
    cache.set(key, kernel);
  }
  return kernel;
}
