import { fftKernel } from '../../phy/kernels/fft/fft.ts';
import { type Numerology, SUBCARRIER_SPACING_HZ } from '../../phy/numerology.ts';
import type { ReportChannel } from './data.ts';

/**
 * Frequency response and impulse response (Hann-tapered over the band, from half a cyclic prefix before to half a one after it) of an
 * estimated channel.
 *
 * @param channel coefficients of one symbol, [nCarriers][re, im]
 */
export function channelResponse(channel: Float32Array, n: Numerology): ReportChannel {
  const half = n.nCarriers / 2;
  const size = n.nCarriers + 1;
  const frequencyHz = new Float64Array(size);
  const magnitudeDb = new Float64Array(size).fill(Number.NaN);
  const phaseRad = new Float64Array(size).fill(Number.NaN);
  let mean = 0;
  for (let c = 0; c < n.nCarriers; c++) mean += (channel[2 * c] ** 2 + channel[2 * c + 1] ** 2) / n.nCarriers;
  const impulse = new Float32Array(2 * n.fftSize);
  for (let i = 0; i < size; i++) {
    frequencyHz[i] = (i - half) * SUBCARRIER_SPACING_HZ;
    if (i === half) continue;
    const c = i < half ? i : i - 1;
    const [re, im] = [channel[2 * c], channel[2 * c + 1]];
    magnitudeDb[i] = 10 * Math.log10((re ** 2 + im ** 2) / (mean + 1e-30) + 1e-9);
    phaseRad[i] = Math.atan2(im, re);
    const w = 0.5 - 0.5 * Math.cos((2 * Math.PI * (c + 0.5)) / n.nCarriers);
    impulse[2 * n.bins[c]] = w * re;
    impulse[2 * n.bins[c] + 1] = w * im;
  }
  fftKernel(n.fftSize).inverse(impulse, 0, impulse, 0);
  const before = n.cpLength >> 1;
  const count = 2 * before + n.cpLength;
  const delayS = new Float64Array(count);
  const power = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const at = 2 * ((i - before + n.fftSize) % n.fftSize);
    delayS[i] = (i - before) / n.sampleRateHz;
    power[i] = impulse[at] ** 2 + impulse[at + 1] ** 2;
  }
  const peak = Math.max(...power, 1e-30);
  const impulseDb = Float64Array.from(power, (p) => 10 * Math.log10(p / peak + 1e-8));
  return { frequencyHz, magnitudeDb, phaseRad, delayS, impulseDb, cpWindowS: [0, n.cpLength / n.sampleRateHz] };
}
