/** exp(2 pi i (f n / rate + cycles)), n from `first`; [sample][re, im]. */
export function tone(rateHz: number, frequencyHz: number, first: number, samples: number, cycles = 0): Float32Array {
  const out = new Float32Array(2 * samples);
  for (let i = 0; i < samples; i++) {
    const angle = 2 * Math.PI * (((frequencyHz * (first + i)) / rateHz + cycles) % 1);
    out[2 * i] = Math.cos(angle);
    out[2 * i + 1] = Math.sin(angle);
  }
  return out;
}

/** Power of what is wanted over power of the difference, dB. */
export function ratioDb(got: Float32Array, wanted: Float32Array): number {
  let signal = 0;
  let error = 0;
  for (let i = 0; i < wanted.length; i++) {
    signal += wanted[i] ** 2;
    error += (got[i] - wanted[i]) ** 2;
  }
  return 10 * Math.log10(signal / error);
}

export function powerDb(reIm: Float32Array): number {
  let sum = 0;
  for (const v of reIm) sum += v * v;
  return 10 * Math.log10((2 * sum) / reIm.length);
}
