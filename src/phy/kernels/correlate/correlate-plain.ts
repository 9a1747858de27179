import {
  type CorrelateKernel,
  LEAST_ENERGY,
  SEGMENT_HOPS,
  type SearchMetric,
  type SearchPast,
  type SearchPattern,
} from './correlate-kernel.ts';

/** The kernel in plain TypeScript: the twin of the one in WebAssembly. */
export class PlainCorrelateKernel implements CorrelateKernel {
  search(
    { lag, hop, products }: SearchPattern,
    past: SearchPast,
    samples: Float32Array,
    at: number,
    count: number,
    metric: SearchMetric,
    to: number,
  ): void {
    const [re, im, energy] = withPast(past.hops, 3, count);
    const old = past.hops.length / 3;
    for (let h = 0; h < count; h++) {
      let [sumRe, sumIm, square] = [0, 0, 0];
      for (let i = 2 * (at + h * hop), j = i + 2 * lag, end = i + 2 * hop; i < end; i += 2, j += 2) {
        sumRe += samples[i] * samples[j] + samples[i + 1] * samples[j + 1];
        sumIm += samples[i] * samples[j + 1] - samples[i + 1] * samples[j];
        square += samples[i] ** 2 + samples[i + 1] ** 2;
      }
      re[old + h] = sumRe;
      im[old + h] = sumIm;
      energy[old + h] = square;
    }
    const [pairRe, pairIm] = withPast(past.pairs, 2, count);
    const before = past.pairs.length / 2;
    for (let h = 0; h < count; h++) {
      const norm = Math.sqrt(sum(energy, h) * sum(energy, h + SEGMENT_HOPS));
      const scale = norm > LEAST_ENERGY ? 1 / norm : 0;
      pairRe[before + h] = scale * sum(re, h);
      pairIm[before + h] = scale * sum(im, h);
    }
    for (let h = 0; h < count; h++) {
      let signedRe = 0;
      let signedIm = 0;
      let plainRe = 0;
      let plainIm = 0;
      for (let i = 0, p = h; i < products.length; i++, p += SEGMENT_HOPS) {
        signedRe += products[i] * pairRe[p];
        signedIm += products[i] * pairIm[p];
        plainRe += pairRe[p];
        plainIm += pairIm[p];
      }
      metric.re[to + h] = signedRe;
      metric.im[to + h] = signedIm;
      metric.plain[to + h] = plainRe * plainRe + plainIm * plainIm;
    }
    keepPast([re, im, energy], past.hops, count);
    keepPast([pairRe, pairIm], past.pairs, count);
  }

  repeated(
    samples: Float32Array,
    at: number,
    length: number,
    signs: Int8Array,
    lags: readonly number[],
    out: Float64Array,
  ): void {
    out.fill(0);
    for (const [l, lag] of lags.entries()) {
      for (let s = 0; s + lag < signs.length; s++) {
        const sign = signs[s] * signs[s + lag];
        for (let i = 2 * (at + s * length), j = i + 2 * lag * length, end = i + 2 * length; i < end; i += 2, j += 2) {
          if (i < 0) continue;
          out[3 * l] += sign * (samples[i] * samples[j] + samples[i + 1] * samples[j + 1]);
          out[3 * l + 1] += sign * (samples[i] * samples[j + 1] - samples[i + 1] * samples[j]);
          out[3 * l + 2] += samples[i] ** 2 + samples[i + 1] ** 2;
        }
      }
    }
  }
}

/** The rows of `past` [rows][..], each with room for `count` numbers more; as exact as the past, so that no cut shows. */
function withPast(past: Float32Array, rows: number, count: number): Float32Array[] {
  const old = past.length / rows;
  return Array.from({ length: rows }, (_, row) => {
    const out = new Float32Array(old + count);
    out.set(past.subarray(row * old, (row + 1) * old));
    return out;
  });
}

/** The newest numbers of each row become the past. */
function keepPast(rows: Float32Array[], past: Float32Array, count: number): void {
  const old = past.length / rows.length;
  for (const [row, values] of rows.entries()) past.set(values.subarray(count, count + old), row * old);
}

/** Of the four hops from h on. */
function sum(values: Float32Array, h: number): number {
  return values[h] + values[h + 1] + values[h + 2] + values[h + 3];
}
