import type { PilotObservations } from './estimator.ts';

/**
 * Mean |H|^2 that an estimate over these pilots is regularised with: that of the pilots, mean |p|^2 - sigma^2, or that of the
 * preamble, whichever is more. A preamble in a fade says too little of a long burst (a prior too tight flattens
 * the channel), few pilots at low SNR may say nothing; a prior too wide costs little.
 *
 * @param energy sum of |p|^2 over the pilots where it is known
 */
export function signalPower(
  observed: PilotObservations,
  energy = observed.energy ?? energyOf(observed.pilots),
): number {
  const { pilots, noiseVariance, preamble } = observed;
  // A burst cut off before its first slot has no pilots at all.
  return Math.max(energy / Math.max(1, pilots.length / 2) - noiseVariance, preamble.power);
}

/** Sum of squares; four sums of two pilots at once (14 symbols have an even number): one waits for the addition before. */
function energyOf(pilots: Float32Array): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i + 3 < pilots.length; i += 4) {
    a += pilots[i] * pilots[i];
    b += pilots[i + 1] * pilots[i + 1];
    c += pilots[i + 2] * pilots[i + 2];
    d += pilots[i + 3] * pilots[i + 3];
  }
  return a + b + c + d;
}
