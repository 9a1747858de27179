/**
 * The length-31 Gold sequence of TS 38.211 §5.2.1: c(n) = x1(n + 1600) + x2(n + 1600) mod 2.
 * `init` is c_init, the 31-bit start of x2. Returns `length` elements of 0 or 1.
 */
export function goldSequence(init: number, length: number): Uint8Array {
  const out = new Uint8Array(length);
  let x1 = 1;
  let x2 = init & 0x7fffffff;
  for (let n = 0; n < length + 1600; n++) {
    if (n >= 1600) out[n - 1600] = (x1 ^ x2) & 1;
    x1 = (x1 >>> 1) | (((x1 ^ (x1 >>> 3)) & 1) << 30);
    x2 = (x2 >>> 1) | (((x2 ^ (x2 >>> 1) ^ (x2 >>> 2) ^ (x2 >>> 3)) & 1) << 30);
  }
  return out;
}

/** `length` unit-power QPSK symbols from the Gold sequence, ((1 - 2c(2i)) + j(1 - 2c(2i+1))) / sqrt 2; [length][re, im]. */
export function goldQpsk(init: number, length: number): Float32Array {
  const c = goldSequence(init, 2 * length);
  const out = new Float32Array(2 * length);
  for (let i = 0; i < out.length; i++) out[i] = (1 - 2 * c[i]) * Math.SQRT1_2;
  return out;
}

/** c_init of each use, so that no two parts of a burst share a sequence; the numerology's id is added. */
export const SEQUENCE = {
  training: 0x1000,
  pilots: 0x2000,
  scrambling: 0x3000,
  padding: 0x4000,
  spreading: 0x5000,
} as const;
