/** Smallest noise variance that the demapper believes, so that a noiseless simulation stays finite. */
export const LEAST_NOISE_VARIANCE = 1e-6;
/** Smallest SNR that it believes, so that nothing heard is 0 and not no number. */
export const LEAST_SNR = 1e-4;

/**
 * Exact max-log soft demapper of Gray QAM: LLR = ln P(0)/P(1), positive = bit 0,
 *
 *   LLR_k = (min over s with b_k = 1 of |y - s|^2 - min over s with b_k = 0 of |y - s|^2) / N0.
 *
 * Folding makes it closed form. On one axis in units of half the spacing, x against the odd levels 1..L-1 and their
 * mirror images: the nearest level of the same sign is p = min(2 floor(|x|/2) + 1, L - 1), of the other sign 1, hence
 * sign(x) (1 + p) (2 |x| + 1 - p). The next bit sees the same problem with x' = L/2 - |x| and half the levels
 * [Tosato & Bisaglia 2002].
 */
export interface DemapKernel {
  /**
   * symbols: [symbol][re, im], from symbol `from` on; noiseVariance: [symbol], E|n|^2 after equalisation, Infinity erases
   * the symbol (LLR 0). qm: 2, 4, 6 or 8 bits a symbol. halfSpacing: of the levels of one axis. llr: receives count x qm values
   * from `at` on. NaN stays NaN.
   */
  demap(
    symbols: Float32Array,
    noiseVariance: Float32Array,
    qm: number,
    halfSpacing: number,
    count: number,
    llr: Float32Array,
    from: number,
    at: number,
  ): void;

  /**
   * The same of symbols as an MMSE equaliser leaves them, biased by snr / (1 + snr). snr: [symbol], linear; it is 1 / N0 once the
   * bias is taken out, and at least LEAST_SNR.
   */
  demapMmse(
    symbols: Float32Array,
    snr: Float32Array,
    qm: number,
    halfSpacing: number,
    count: number,
    llr: Float32Array,
    from: number,
    at: number,
  ): void;
}
