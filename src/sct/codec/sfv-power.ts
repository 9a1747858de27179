import { inRange, UsageError } from '../../common/errors.ts';

/**
 * Power scale of one SFV against the picture's, as a code: 0 = nothing of the SFV is sent; c = 1..127 stands for
 * 2^((c - 64) / 32), 0.26 to 3.9. Steps of 2.2 % in amplitude leave the power of a stream within 0.095 dB of 1.
 */
export const SFV_SCALE_BITS = 7;
export const SFV_SCALE_MAX_CODE = 2 ** SFV_SCALE_BITS - 1;
/** The SFV has no symbols in the burst. */
export const SFV_NOT_SENT = 0;
const CODE_OF_ONE = 64;
const STEPS_PER_OCTAVE = 32;

/**
 * The code nearest to a ratio; a ratio beyond the ends takes the end's code (it is a measurement of the picture).
 *
 * @param ratio root mean square of the SFV's symbols over that of the picture's
 * @throws UsageError unless it is a number above 0
 */
export function encodeSfvScale(ratio: number): number {
  if (!(ratio > 0)) throw new UsageError(`power ratio ${ratio} is out of range: allowed numbers above 0`);
  const code = CODE_OF_ONE + Math.round(STEPS_PER_OCTAVE * Math.log2(ratio));
  return Math.min(SFV_SCALE_MAX_CODE, Math.max(1, code));
}

/** The ratio that a code stands for; UsageError outside 1..127. */
export function decodeSfvScale(code: number): number {
  inRange('SFV scale code', code, 1, SFV_SCALE_MAX_CODE);
  return 2 ** ((code - CODE_OF_ONE) / STEPS_PER_OCTAVE);
}

/**
 * Code of a stream and what its symbols are divided by: what both ends read from the codes; beyond their range the stream's own root
 * mean square, since its power on the air must be 1. The receiver then takes it for a little louder or softer than it was.
 *
 * @param rms of the stream
 * @param scale of the picture, as its code says it
 */
export function sfvDivisor(rms: number, scale: number): { readonly code: number; readonly divisor: number } {
  const code = encodeSfvScale(rms / scale);
  const coded = scale * decodeSfvScale(code);
  const inside = Math.abs(Math.log2(rms / coded)) <= 0.5001 / STEPS_PER_OCTAVE;
  return { code, divisor: inside ? coded : rms };
}
