import { type DemapKernel, LEAST_NOISE_VARIANCE } from './demap-kernel.ts';

/** The kernel in plain TypeScript: the twin of the one in WebAssembly. */
export class PlainDemapKernel implements DemapKernel {
  demap(
    symbols: Float32Array,
    noiseVariance: Float32Array,
    qm: number,
    halfSpacing: number,
    count: number,
    llr: Float32Array,
    from: number,
    at: number,
  ): void {
    const perSpacing = 1 / halfSpacing;
    const energy = halfSpacing * halfSpacing;
    let o = at;
    for (let i = from, end = from + count; i < end; i++) {
      // NaN stays NaN, which the quantiser takes for no knowledge.
      const weight = energy / Math.max(noiseVariance[i], LEAST_NOISE_VARIANCE);
      let x = symbols[2 * i] * perSpacing;
      let y = symbols[2 * i + 1] * perSpacing;
      for (let half = 1 << (qm / 2 - 1); half > 1; half >>= 1) {
        const ax = x < 0 ? -x : x;
        const ay = y < 0 ? -y : y;
        const top = 2 * half - 1;
        let px = 2 * ((0.5 * ax) | 0) + 1;
        if (px > top || ax > 64) px = top;
        let py = 2 * ((0.5 * ay) | 0) + 1;
        if (py > top || ay > 64) py = top;
        const fx = weight * (1 + px) * (2 * ax + 1 - px);
        const fy = weight * (1 + py) * (2 * ay + 1 - py);
        llr[o++] = x < 0 ? -fx : fx;
        llr[o++] = y < 0 ? -fy : fy;
        x = half - ax;
        y = half - ay;
      }
      llr[o++] = 4 * weight * x;
      llr[o++] = 4 * weight * y;
    }
  }
}
