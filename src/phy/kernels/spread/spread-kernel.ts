/** Groups that one call transforms. */
export const SPREAD_LANES = 4;
/** Longest group: a resource block's data RE. */
export const LONGEST_GROUP = 154;

/** The largest divisor of n up to its root: n = a b in two steps is O(n (a + b)). */
export function firstFactor(n: number): number {
  let a = Math.floor(Math.sqrt(n));
  while (n % a !== 0) a--;
  return a;
}

/**
 * Unitary discrete Fourier transform of any length n from 1 to 154, of four groups at a time:
 *
 *   X_k = 1/sqrt n sum over i of x_i exp(-2 pi i k / n).
 *
 * The inverse is the same with real and imaginary parts exchanged on the way in and out. With i = b i1 + i2 and k = k1 + a k2,
 * n = a b, W^(ik) = W^(b i1 k1) W^(i2 k1) W^(a i2 k2): first over i1, then over i2 [Oppenheim10 §9].
 */
export interface SpreadKernel {
  /** What is transformed, and the result: Float32Array [154][re of 4 groups, im of 4 groups], for the caller to fill and read. */
  readonly lanes: Float32Array;
  /** Transforms the first n of `lanes`. */
  transform(n: number): void;
}
