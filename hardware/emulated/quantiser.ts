/** What a converter did to a stretch of samples. */
export interface QuantiserCount {
  /** Complex samples of which I or Q was limited. */
  clippedSamples: number;
}

// Adding and subtracting 1.5 x 2^52 rounds a double to the nearest integer, ties to even.
const ROUND = 6755399441055744;

/**
 * A converter: value = round(gain x), limited to [-fullScale, fullScale - 1]. Ties to even.
 *
 * @param reIm [sample][re, im]
 * @param gain steps of the converter per unit of the input
 * @param out at least as long as `reIm`
 */
export function quantise(
  reIm: Float32Array,
  gain: number,
  fullScale: number,
  out: Int8Array | Int16Array,
  count: QuantiserCount,
): void {
  const high = fullScale - 1;
  const low = -fullScale;
  let clipped = 0;
  for (let i = 0; i + 1 < reIm.length; i += 2) {
    let re = reIm[i] * gain + ROUND - ROUND;
    let im = reIm[i + 1] * gain + ROUND - ROUND;
    if (!(re >= low && re <= high && im >= low && im <= high)) {
      clipped++;
      re = limit(re, low, high);
      im = limit(im, low, high);
    }
    out[i] = re;
    out[i + 1] = im;
  }
  count.clippedSamples += clipped;
}

function limit(value: number, low: number, high: number): number {
  return value > high ? high : value > low ? value : value <= low ? low : 0;
}

/** Mean |x|^2 of [sample][re, im]; mW for samples in sqrt(mW). */
export function meanPower(reIm: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < reIm.length; i++) sum += reIm[i] * reIm[i];
  return reIm.length ? (2 * sum) / reIm.length : 0;
}
