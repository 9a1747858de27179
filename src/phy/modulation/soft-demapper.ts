import { UsageError } from '../../common/errors.ts';
import { halfSpacing, type ModulationOrder, requireModulationOrder } from './qam.ts';

/** Smallest noise variance that the demapper believes, so that a noiseless simulation stays finite. */
export const LEAST_NOISE_VARIANCE = 1e-6;

/**
 * Exact max-log soft demapper of Gray QAM: LLR = ln P(0)/P(1), positive = bit 0,
 *
 *   LLR_k = (min over s with b_k = 1 of |y - s|^2 - min over s with b_k = 0 of |y - s|^2) / N0.
 *
 * Folding makes it closed form. On one axis in units of half the spacing, x against the odd levels 1..L-1 and their
 * mirror images: the nearest level of the same sign is p = min(2 floor(|x|/2) + 1, L - 1), of the other sign 1, hence
 * sign(x) (1 + p) (2 |x| + 1 - p). The next bit sees the same problem with x' = L/2 - |x| and half the levels
 * [Tosato & Bisaglia 2002].
 *
 * symbols: Float32Array [symbol][re, im], equalised to unit mean power, from symbol `from`. noiseVariance: Float32Array
 * [symbol], E|n|^2 after equalisation; Infinity erases the symbol (LLR 0). llr: receives count x Qm values from `at`.
 */
export function softDemap(
  symbols: Float32Array,
  noiseVariance: Float32Array,
  qm: ModulationOrder,
  count: number,
  llr: Float32Array,
  from = 0,
  at = 0,
): void {
  if (symbols.length < 2 * (from + count) || noiseVariance.length < from + count || llr.length < at + count * qm) {
    throw new UsageError(`demapping ${count} symbols of ${qm} bits needs more symbols, variances or room`);
  }
  const spacing = halfSpacing(qm);
  const perSpacing = 1 / spacing;
  const energy = spacing * spacing;
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

/**
 * Demaps symbols of mixed orders. qm: Uint8Array [symbol], 2, 4, 6 or 8 (0 = no bits in this symbol). Bits of the
 * symbols follow one another in llr from `at` on. Returns their number.
 */
export function softDemapMixed(
  symbols: Float32Array,
  noiseVariance: Float32Array,
  qm: Uint8Array,
  llr: Float32Array,
  at = 0,
): number {
  let o = at;
  for (let j = 0; j < qm.length; ) {
    let end = j + 1;
    while (end < qm.length && qm[end] === qm[j]) end++;
    if (qm[j] !== 0) {
      softDemap(symbols, noiseVariance, requireModulationOrder(qm[j]), end - j, llr, j, o);
      o += (end - j) * qm[j];
    }
    j = end;
  }
  return o - at;
}
