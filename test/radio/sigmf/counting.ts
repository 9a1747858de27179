import type { SampleBlock } from '../../../src/radio/radio.ts';

/** A block whose samples are I = index mod 2^15, Q = floor(index / 2^15) mod 2^15. */
export function countingBlock(index: number, samples: number): SampleBlock {
  const data = new Int16Array(2 * samples);
  for (let i = 0; i < samples; i++) {
    data[2 * i] = (index + i) % 32768;
    data[2 * i + 1] = Math.floor((index + i) / 32768) % 32768;
  }
  return { data, format: 'ci16_le', fullScale: 32768, index, lostBefore: null, timestampNs: null };
}
