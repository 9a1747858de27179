import type { SampleSource } from './rx-dma.ts';

const BITS = 11;

/** Received samples that tell their number: its lowest 11 bits in I, the next 11 in Q. */
export const numberedSamples: SampleSource = (index, count, into, offset) => {
  const mask = 2 ** BITS - 1;
  for (let i = 0; i < count; i++) {
    into[2 * (offset + i)] = (index + i) & mask;
    into[2 * (offset + i) + 1] = Math.floor((index + i) / 2 ** BITS) & mask;
  }
};
