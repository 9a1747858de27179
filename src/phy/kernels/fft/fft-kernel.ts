/**
 * Complex discrete Fourier transform of one size on interleaved re, im samples.
 *
 * forward: X[k] = sum_n x[n] exp(-2 pi i k n / N); inverse: x[n] = sum_k X[k] exp(+2 pi i k n / N), both unscaled
 * (callers fold 1/sqrt(N) into a factor they apply anyway). Input and output may be the same array.
 */
export interface FftKernel {
  readonly size: number;
  /** input: [size][re, im] from element `inOffset`; output likewise. O(N log N). */
  forward(input: Float32Array, inOffset: number, output: Float32Array, outOffset: number): void;
  inverse(input: Float32Array, inOffset: number, output: Float32Array, outOffset: number): void;
}
