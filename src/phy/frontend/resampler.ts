import type { PolyphaseFilter } from '../kernels/resample/resample-kernel.ts';
import { kaiserBeta, kaiserOrder, kaiserWindow, sinc } from './kaiser.ts';

/** Passband and stop band of a resampler; frequencies are of the complex baseband, one-sided. */
export interface ResamplerSpec {
  inputRateHz: number;
  /** Output rate = inputRateHz * up / down. */
  up: number;
  down: number;
  /** |f| up to here passes with a ripple of 10^(-attenuationDb/20). */
  passHz: number;
  /** Images and aliases from here on are attenuated by attenuationDb. */
  stopHz: number;
  attenuationDb: number;
}

/** A filter and where it puts what comes in. */
export interface RationalResampler extends PolyphaseFilter {
  /** Group delay in input samples: exact, the filter is symmetric. */
  readonly delayInputSamples: number;
}

/**
 * Designs a resampler by the rational ratio up/down: a Kaiser low-pass of real taps.
 *
 * y[k] = sum_j x[j] h(k down/up - delay - j), h(t) = 2 fc sinc(2 fc t) kaiser(t / delay) with t in input samples, fc the
 * middle of the transition band over the input rate. The delay is a whole number of input samples.
 * Source: [Crochiere83] §3.3, [Kaiser74].
 */
export function designResampler(spec: ResamplerSpec): RationalResampler {
  const { inputRateHz, up, down, passHz, stopHz, attenuationDb } = spec;
  if (!(stopHz > passHz)) throw new RangeError(`stop band ${stopHz} Hz is not above the pass band ${passHz} Hz`);
  const half = Math.max(2, Math.ceil(kaiserOrder(attenuationDb, (stopHz - passHz) / inputRateHz) / 2));
  // The two taps at the window's ends meet in one branch, 77 dB below the middle one. Where there are many branches they would
  // lengthen all for that.
  const first = up > 1 ? 1 : 0;
  const taps = 2 * half + 1 - first;
  const branches = new Float32Array(up * taps);
  const beta = kaiserBeta(attenuationDb);
  const twoFc = (passHz + stopHz) / inputRateHz;
  for (let p = 0; p < up; p++) {
    // Output at input time base + p/up sees x[base - taps + 1 + i], i.e. t = p/up - delay + taps - 1 - i.
    for (let i = 0; i < taps; i++) {
      const t = p / up + half - first - i;
      const inside = first === 0 || Math.abs(t) < half;
      branches[p * taps + i] = inside ? twoFc * sinc(twoFc * t) * kaiserWindow(t / half, beta) : 0;
    }
  }
  return { up, down, taps, branches, delayInputSamples: half };
}

/** Output index (fractional) at which input sample `inputIndex` appears. */
export function resampledIndex({ up, down, delayInputSamples }: RationalResampler, inputIndex: number): number {
  return ((inputIndex + delayInputSamples) * up) / down;
}

/** Input index (fractional) that output sample `outputIndex` shows. */
export function sourceIndex({ up, down, delayInputSamples }: RationalResampler, outputIndex: number): number {
  return (outputIndex * down) / up - delayInputSamples;
}

/** Reduces a ratio of two rates in Hz (whole numbers) to lowest terms. */
export function rateRatio(outputRateHz: number, inputRateHz: number): { up: number; down: number } {
  let a = outputRateHz;
  let b = inputRateHz;
  while (b !== 0) [a, b] = [b, a % b];
  return { up: outputRateHz / a, down: inputRateHz / a };
}
