import FFT from 'fft.js';
import type { FftKernel } from './fft-kernel.ts';

/**
 * fft.js behind the kernel interface: the reference that the others are checked against, and the one for sizes below 16. It is fastest on plain arrays, so samples are copied once at the edge.
 */
export class ReferenceFftKernel implements FftKernel {
  readonly size: number;
  private readonly fft: FFT;
  private readonly source: number[];
  private readonly result: number[];

  constructor(size: number) {
    this.size = size;
    this.fft = new FFT(size);
    this.source = this.fft.createComplexArray();
    this.result = this.fft.createComplexArray();
  }

  forward(input: Float32Array, inOffset: number, output: Float32Array, outOffset: number): void {
    const n = 2 * this.size;
    const { source, result } = this;
    for (let i = 0; i < n; i++) source[i] = input[inOffset + i];
    this.fft.transform(result, source);
    for (let i = 0; i < n; i++) output[outOffset + i] = result[i];
  }

  inverse(input: Float32Array, inOffset: number, output: Float32Array, outOffset: number): void {
    // ifft(x) = swap(fft(swap(x))) without the 1/N that fft.js would apply.
    const n = 2 * this.size;
    const { source, result } = this;
    for (let i = 0; i < n; i += 2) {
      source[i] = input[inOffset + i + 1];
      source[i + 1] = input[inOffset + i];
    }
    this.fft.transform(result, source);
    for (let i = 0; i < n; i += 2) {
      output[outOffset + i] = result[i + 1];
      output[outOffset + i + 1] = result[i];
    }
  }
}
