import type { RandomStream } from '../../../common/random.ts';
import type { NoiseKernel } from './noise-kernel.ts';

/** The stream's own method. */
export class PlainNoiseKernel implements NoiseKernel {
  add(random: RandomStream, reIm: Float32Array, variance: number): void {
    random.addComplexNoise(reIm, variance);
  }
}
