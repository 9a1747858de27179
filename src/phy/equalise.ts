/**
 * MMSE equalisation of one RE: x = conj(h) y / (|h|^2 + sigma^2), the estimate biased by snr / (1 + snr) that
 * analog decoders take; with snr = |h|^2 / sigma^2 it can be undone for soft demapping (mmseBiasRemoved).
 * Writes out[at], out[at + 1] and returns snr.
 */
export function equalise(
  yRe: number,
  yIm: number,
  hRe: number,
  hIm: number,
  noiseVariance: number,
  out: Float32Array,
  at: number,
): number {
  const power = hRe * hRe + hIm * hIm;
  const scale = 1 / (power + noiseVariance + 1e-30);
  out[at] = (hRe * yRe + hIm * yIm) * scale;
  out[at + 1] = (hRe * yIm - hIm * yRe) * scale;
  return power / (noiseVariance + 1e-30);
}
