import { FormatError } from '../../common/errors.ts';

/** Power levels of subbands come in steps of 0.5 dB, 5 bits: -8 to +7.5 dB. */
export const POWER_STEP_DB = 0.5;
export const POWER_LEVELS = 32;
/** The level that leaves a subband as it is. */
export const UNIT_POWER_LEVEL = 16;
/** How far the mean power of the payload may be from 1, dB. */
export const MEAN_POWER_TOLERANCE_DB = 0.1;

export function powerDbOf(level: number): number {
  return POWER_STEP_DB * (level - UNIT_POWER_LEVEL);
}

/** Power of a subband's payload RE relative to pilots, linear. */
export function powerOf(level: number): number {
  return 10 ** (powerDbOf(level) / 10);
}

/** Mean power of the payload RE, dB: every subband has as many of them. */
export function meanPowerDb(levels: readonly number[]): number {
  return 10 * Math.log10(levels.reduce((sum, level) => sum + powerOf(level), 0) / levels.length);
}

/** FormatError when levels would change the mean power of the payload. */
export function checkPowerLevels(levels: readonly number[]): void {
  const mean = meanPowerDb(levels);
  if (Math.abs(mean) > MEAN_POWER_TOLERANCE_DB) {
    throw new FormatError('power', `has a mean of ${mean.toFixed(2)} dB, allowed +-${MEAN_POWER_TOLERANCE_DB}`);
  }
}
