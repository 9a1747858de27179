/** Noise of the quiet part: the lower quartile of the variances. */
export function quietVariance(variances: ArrayLike<number>): number {
  const sorted = new Float64Array(variances).sort();
  return sorted[sorted.length >> 2];
}

/**
 * Weight of an observation whose noise has this variance, against one of the quiet part: its share of the quiet noise, 1
 * up to twice that (what is not clearly an interferer counts in full).
 */
export function quietWeight(variance: number, quiet: number): number {
  return variance <= 2 * quiet ? 1 : quiet / variance;
}
