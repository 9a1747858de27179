import { inRange, UsageError } from '../../common/errors.ts';

/** Steps of the power scale's code an octave, and the code that stands for 1. */
const STEPS_PER_OCTAVE = 16;
const CODE_OF_ONE = 128;
export const POWER_SCALE_MAX_CODE = 255;

/**
 * Root mean square of the complex symbols that are sent: dividing by it gives them unit mean power.
 *
 * @param z f_e's output, [2 x 192][row][column], re and im of a symbol one after the other
 * @param symbols k of each embedding, [row][column]
 * @returns 0 when nothing is sent
 */
export function powerScale(z: Float32Array, symbols: ArrayLike<number>): number {
  const area = symbols.length;
  let energy = 0;
  let count = 0;
  for (let i = 0; i < area; i++) {
    const k = symbols[i];
    count += k;
    for (let at = i, end = i + 2 * k * area; at < end; at += area) energy += z[at] * z[at];
  }
  return count === 0 ? 0 : Math.sqrt(energy / count);
}

/**
 * 8-bit code of a power scale: 2^((code - 128) / 16), 1/256 to 246 in steps of 4.4 %. Both ends use the code's value. A scale
 * beyond the ends takes the end's code (it is a measurement of the picture, not a setting).
 *
 * @throws UsageError for NaN or a negative scale
 */
export function encodePowerScale(scale: number): number {
  if (!(scale >= 0)) throw new UsageError(`power scale ${scale} is out of range: allowed numbers from 0`);
  const code = CODE_OF_ONE + Math.round(STEPS_PER_OCTAVE * Math.log2(scale));
  return Math.min(POWER_SCALE_MAX_CODE, Math.max(0, code));
}

/** The scale that a code stands for; UsageError outside 0..255. */
export function decodePowerScale(code: number): number {
  inRange('power scale code', code, 0, POWER_SCALE_MAX_CODE);
  return 2 ** ((code - CODE_OF_ONE) / STEPS_PER_OCTAVE);
}
