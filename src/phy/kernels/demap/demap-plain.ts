import { type DemapKernel, LEAST_NOISE_VARIANCE, LEAST_SNR } from './demap-kernel.ts';

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
      o = demapOne(symbols[2 * i] * perSpacing, symbols[2 * i + 1] * perSpacing, weight, qm, llr, o);
    }
  }

  demapMmse(
    symbols: Float32Array,
    snr: Float32Array,
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
      const noise = 1 / Math.max(snr[i], LEAST_SNR);
      const gain = perSpacing * (1 + noise);
      const weight = energy / Math.max(noise, LEAST_NOISE_VARIANCE);
      o = demapOne(symbols[2 * i] * gain, symbols[2 * i + 1] * gain, weight, qm, llr, o);
    }
  }
}

/** LLRs of one symbol, x and y in half spacings, to llr from o on; returns where the next one's go. */
function demapOne(re: number, im: number, weight: number, qm: number, llr: Float32Array, o: number): number {
  let x = re;
  let y = im;
  let to = o;
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
    llr[to++] = x < 0 ? -fx : fx;
    llr[to++] = y < 0 ? -fy : fy;
    x = half - ax;
    y = half - ay;
  }
  llr[to++] = 4 * weight * x;
  llr[to++] = 4 * weight * y;
  return to;
}
