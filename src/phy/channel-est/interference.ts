/** Noise of the quiet part: the lower quartile of the variances. */
export function quietVariance(variances: ArrayLike<number>): number {
  const sorted = new Float64Array(variances).sort();
  return sorted[sorted.length >> 2];
}

/** Whether no variance is more than twice another one: none can stand out against the quiet part, whatever that is. */
export function alike(variances: ArrayLike<number>): boolean {
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  for (let i = 0; i < variances.length; i++) {
    const v = variances[i];
    if (v < least) least = v;
    if (v > most) most = v;
  }
  return most <= 2 * least;
}

/**
 * Weight of an observation whose noise has this variance, against one of the quiet part: its share of the quiet noise, 1
 * up to twice that (what is not clearly an interferer counts in full).
 */
export function quietWeight(variance: number, quiet: number): number {
  return variance <= 2 * quiet ? 1 : quiet / variance;
}
