import { canRun, wantsWebAssembly } from '../wasm.ts';
import type { FftKernel } from './fft-kernel.ts';
import { PlainFftKernel } from './fft-plain.ts';
import { ReferenceFftKernel } from './fft-reference.ts';
import { MAX_WASM_SIZE, MIN_WASM_SIZE, WasmFftKernel } from './fft-wasm.ts';
import { FFT_WASM } from './fft-wasm-binary.ts';

export type { FftKernel } from './fft-kernel.ts';

const cache = new Map<number, FftKernel>();

/**
 * The kernel of one power-of-two size, made once a thread (it holds scratch memory and is not re-entrant): WebAssembly in
 * single precision, or plain TypeScript in double where SCT_KERNELS=js asks for it, the machine has no SIMD, or the size is
 * beyond those of the modem.
 */
export function fftKernel(size: number): FftKernel {
  let kernel = cache.get(size);
  if (!kernel) {
    if (size < 2 || (size & (size - 1)) !== 0) throw new RangeError(`FFT size ${size} is not a power of two >= 2`);
    kernel = makeKernel(size);
    cache.set(size, kernel);
  }
  return kernel;
}

let fast: boolean | undefined;

function makeKernel(size: number): FftKernel {
  if (size < MIN_WASM_SIZE) return new ReferenceFftKernel(size);
  fast ??= wantsWebAssembly() && canRun(FFT_WASM);
  return fast && size <= MAX_WASM_SIZE ? new WasmFftKernel(size) : new PlainFftKernel(size);
}
