import { RandomStream } from '../../src/common/random.ts';
import { powerDelayProfile } from '../../src/phy/channel/power-delay-profiles.ts';
import { TappedDelayLine } from '../../src/phy/channel/tapped-delay.ts';
import { type Numerology, SUBCARRIER_SPACING_HZ } from '../../src/phy/numerology.ts';

export type ChannelName = 'awgn' | 'eva';

/** H of every carrier for one realisation that stands still, [nCarriers][re, im]; ensemble mean power 1. */
export function channelOf(name: ChannelName, n: Numerology, seed: number): Float64Array {
  if (name === 'awgn') return Float64Array.from({ length: 2 * n.nCarriers }, (_, i) => (i & 1 ? 0 : 1));
  return stillEva(n, seed).frequencyResponse(
    0,
    Array.from(n.carriers, (k) => k * SUBCARRIER_SPACING_HZ),
  );
}

/** EVA without Doppler. */
export function stillEva(n: Numerology, seed: number): TappedDelayLine {
  const random = new RandomStream(seed).fork('analog-eva');
  return new TappedDelayLine({ profile: powerDelayProfile('eva'), rateHz: n.sampleRateHz, dopplerHz: 0 }, random);
}

/** Unit-variance complex noise, [RE][re, im]. */
export function unitNoise(re: number, seed: number | string): Float32Array {
  const noise = new Float32Array(2 * re);
  new RandomStream(seed).fork('analog-noise').addComplexNoise(noise, 1);
  return noise;
}
