import type { PilotObservations } from './estimator.ts';

/**
 * Mean |H|^2 that an estimate over these pilots is regularised with: that of the pilots, mean |p|^2 - sigma^2, or that of the
 * preamble, whichever is more. A preamble in a fade says too little of a long burst (a prior too tight flattens
 * the channel), few pilots at low SNR may say nothing; a prior too wide costs little.
 */
export function signalPower(observed: PilotObservations): number {
  const { pilots, noiseVariance, preamble } = observed;
  // Two sums: one waits for the addition before.
  let sum = 0;
  let other = 0;
  for (let i = 0; i + 1 < pilots.length; i += 2) {
    sum += pilots[i] * pilots[i];
    other += pilots[i + 1] * pilots[i + 1];
  }
  // A burst cut off before its first slot has no pilots at all.
  return Math.max((sum + other) / Math.max(1, pilots.length / 2) - noiseVariance, preamble.power);
}
