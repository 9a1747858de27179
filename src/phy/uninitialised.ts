type AllocateUnsafe = { readonly Buffer?: { allocUnsafeSlow(bytes: number): { readonly buffer: ArrayBuffer } } };

const { Buffer } = globalThis as AllocateUnsafe;

/** Smaller arrays are cleared in less time than the host takes to do without. */
const WORTH_IT = 32_768;

/**
 * A new array of its own memory whose every element the caller writes before anyone reads it. Not cleared where the host can do
 * without: half of what a burst's payload costs to allocate.
 */
export function uninitialisedFloats(length: number): Float32Array {
  return Buffer && length >= WORTH_IT
    ? new Float32Array(Buffer.allocUnsafeSlow(4 * length).buffer)
    : new Float32Array(length);
}
