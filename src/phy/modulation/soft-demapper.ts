import { UsageError } from '../../common/errors.ts';
import { demapKernel } from '../kernels/demap/demap.ts';
import { halfSpacing, type ModulationOrder, requireModulationOrder } from './qam.ts';

/**
 * Exact max-log soft demapper of Gray QAM, as kernels/demap-kernel.ts says: LLR = ln P(0)/P(1), positive = bit 0.
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
  demapKernel().demap(symbols, noiseVariance, qm, halfSpacing(qm), count, llr, from, at);
}

/**
 * The same of symbols as the MMSE equaliser leaves them, biased by snr / (1 + snr): snr [symbol], linear, is that of the
 * symbol without the bias.
 */
export function softDemapMmse(
  symbols: Float32Array,
  snr: Float32Array,
  qm: ModulationOrder,
  count: number,
  llr: Float32Array,
  from = 0,
  at = 0,
): void {
  if (symbols.length < 2 * (from + count) || snr.length < from + count || llr.length < at + count * qm) {
    throw new UsageError(`demapping ${count} symbols of ${qm} bits needs more symbols, SNRs or room`);
  }
  demapKernel().demapMmse(symbols, snr, qm, halfSpacing(qm), count, llr, from, at);
}

/**
 * Demaps MMSE symbols of mixed orders. qm: Uint8Array [symbol], 2, 4, 6 or 8 (0 = no bits in this symbol). Bits of the
 * symbols follow one another in llr from `at` on. Returns their number.
 */
export function softDemapMixed(
  symbols: Float32Array,
  snr: Float32Array,
  qm: Uint8Array,
  llr: Float32Array,
  at = 0,
): number {
  let o = at;
  for (let j = 0; j < qm.length; ) {
    let end = j + 1;
    while (end < qm.length && qm[end] === qm[j]) end++;
    if (qm[j] !== 0) {
      softDemapMmse(symbols, snr, requireModulationOrder(qm[j]), end - j, llr, j, o);
      o += (end - j) * qm[j];
    }
    j = end;
  }
  return o - at;
}
