import type { RandomStream } from '../../../common/random.ts';

/**
 * Circular complex Gaussian noise of the polar Box-Muller method, `RandomStream.addComplexNoise`: for u, v uniform in the unit circle
 * and q = u^2 + v^2, (u, v) sqrt(-2 ln q / q) has components of variance 1.
 *
 * The same bits from both kernels, since a seed stands for a channel: the logarithm is that of the engine (fdlibm's, less than 1 ulp).
 */
export interface NoiseKernel {
  /** Adds noise of E|n|^2 = variance to reIm [n][re, im] and takes `random` on. O(n). */
  add(random: RandomStream, reIm: Float32Array, variance: number): void;
}
