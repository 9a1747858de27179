import { inRange, UsageError } from '../../common/errors.ts';

/**
 * SNR as a CSI report carries it: 8 bits, code c stands for -20 + c/4 dB, so 0 is -20 dB (or less) and 255 is
 * 43.75 dB (or more).
 */
export const CSI_MIN_DB = -20;
export const CSI_STEP_DB = 0.25;
export const CSI_MAX_CODE = 255;

/**
 * The code nearest to an SNR. A measured SNR beyond the ends takes the end's code (it is a measurement, not a setting).
 *
 * @throws UsageError for NaN
 */
export function encodeCsi(snrDb: number): number {
  if (Number.isNaN(snrDb)) throw new UsageError('subband SNR is NaN: allowed any number of dB');
  const code = Math.round((snrDb - CSI_MIN_DB) / CSI_STEP_DB);
  return Math.min(CSI_MAX_CODE, Math.max(0, code));
}

/** The SNR in dB that a code stands for; UsageError outside 0..255. */
export function decodeCsi(code: number): number {
  inRange('CSI code', code, 0, CSI_MAX_CODE);
  return CSI_MIN_DB + CSI_STEP_DB * code;
}

/** Codes of one CSI report. @param snrDb SNR of each subband, dB */
export function encodeCsiReport(snrDb: ArrayLike<number>): Uint8Array {
  return Uint8Array.from(snrDb, encodeCsi);
}
