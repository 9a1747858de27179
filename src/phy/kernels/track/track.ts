import { canRun, wantsWebAssembly } from '../wasm.ts';
import type { TrackKernel, TrackPattern } from './track-kernel.ts';
import { PlainTrackKernel } from './track-plain.ts';
import { MOST_TRACKED, WasmTrackKernel } from './track-wasm.ts';
import { TRACK_WASM } from './track-wasm-binary.ts';

export type { TrackKernel } from './track-kernel.ts';

const cache = new Map<number, TrackKernel>();
const long = new Map<number, TrackKernel>();
let fast: boolean | undefined;

/**
 * The kernel that follows a burst of so many symbols, made once a thread and number of subbands (it holds one burst's memory and is
 * not re-entrant): WebAssembly, or plain TypeScript where SCT_KERNELS=js asks for it, the machine has no SIMD or the burst is
 * longer than the memory.
 */
export function trackKernel(pattern: TrackPattern, symbols: number): TrackKernel {
  fast ??= wantsWebAssembly() && canRun(TRACK_WASM);
  const kernels = fast && symbols <= MOST_TRACKED ? cache : long;
  let kernel = kernels.get(pattern.nSubbands);
  if (!kernel) {
    kernel = kernels === cache ? new WasmTrackKernel(pattern) : new PlainTrackKernel(pattern);
    kernels.set(pattern.nSubbands, kernel);
  }
  return kernel;
}
