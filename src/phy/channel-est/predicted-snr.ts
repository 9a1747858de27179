import { type Numerology, SUBBAND_CARRIERS } from '../numerology.ts';
import { snrDbOf } from './rb-snr.ts';

/**
 * SNR to expect of each subband, by the rule for measured ones (resourceBlockSnr): 2^mean(log2(1 + |H|^2 / sigma^2)) - 1 over its
 * carriers and slots. The channel to come is complex Gaussian about its prediction, H = h + e with E |e|^2 = v; the mean over e
 * is taken at the four points h +- sqrt(v), h +- i sqrt(v), which have its mean and power.
 *
 * @param predicted h, [nCarriers][re, im]
 * @param errorVariance v, in the unit of |h|^2
 * @param noise variance per RE, [slot x nSubbands + subband], in the same unit
 * @returns dB, [nSubbands]
 */
export function expectedSubbandSnrDb(
  n: Numerology,
  predicted: Float64Array,
  errorVariance: number,
  noise: ArrayLike<number>,
): Float32Array {
  const { nSubbands } = n;
  const slots = noise.length / nSubbands;
  const spread = Math.sqrt(Math.max(0, errorVariance));
  const out = new Float32Array(nSubbands);
  for (let s = 0; s < nSubbands; s++) {
    let efficiency = 0;
    for (let slot = 0; slot < slots; slot++) {
      const perNoise = 1 / (noise[slot * nSubbands + s] + 1e-30);
      for (let c = 2 * s * SUBBAND_CARRIERS; c < 2 * (s + 1) * SUBBAND_CARRIERS; c += 2) {
        const mean = predicted[c] ** 2 + predicted[c + 1] ** 2 + spread ** 2;
        const [re, im] = [2 * spread * predicted[c], 2 * spread * predicted[c + 1]];
        const at = (power: number) => Math.log2(1 + Math.max(0, power) * perNoise);
        efficiency += (at(mean + re) + at(mean - re) + at(mean + im) + at(mean - im)) / 4;
      }
    }
    out[s] = snrDbOf(efficiency / (slots * SUBBAND_CARRIERS));
  }
  return out;
}
