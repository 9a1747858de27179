import { type Numerology, SUBBAND_CARRIERS } from '../numerology.ts';
import { snrDbOf } from './rb-snr.ts';

/** Two-point rule for the integral of exp(-x) f(x) over x > 0 [Abramowitz64, 25.4.45]. */
const LAGUERRE = [
  { root: 2 - Math.SQRT2, weight: (2 + Math.SQRT2) / 4 },
  { root: 2 + Math.SQRT2, weight: (2 - Math.SQRT2) / 4 },
];

/**
 * SNR to expect of each subband, by the rule for measured ones (resourceBlockSnr): 2^mean(log2(1 + |H|^2 / sigma^2)) - 1 over its
 * carriers and slots. The channel to come is complex Gaussian about its prediction, H = h + e with E |e|^2 = v; the mean over e
 * is a Gauss-Laguerre sum of two radii, |e|^2 = (2 -+ sqrt(2)) v, at four angles each.
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
  const radii = LAGUERRE.map(({ root, weight }) => ({ r: Math.sqrt(root * Math.max(0, errorVariance)), weight }));
  const out = new Float32Array(nSubbands);
  for (let s = 0; s < nSubbands; s++) {
    let efficiency = 0;
    for (let slot = 0; slot < slots; slot++) {
      const perNoise = 1 / (noise[slot * nSubbands + s] + 1e-30);
      for (let c = 2 * s * SUBBAND_CARRIERS; c < 2 * (s + 1) * SUBBAND_CARRIERS; c += 2) {
        const [re, im] = [predicted[c], predicted[c + 1]];
        for (const { r, weight } of radii) {
          const mean = re ** 2 + im ** 2 + r ** 2;
          // One logarithm of the product instead of four.
          const across = 1 + mean * perNoise;
          const [a, b] = [2 * r * re * perNoise, 2 * r * im * perNoise];
          efficiency += (weight / 4) * Math.log2((across + a) * (across - a) * (across + b) * (across - b));
        }
      }
    }
    out[s] = snrDbOf(efficiency / (slots * SUBBAND_CARRIERS));
  }
  return out;
}
