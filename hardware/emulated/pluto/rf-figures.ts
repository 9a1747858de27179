import type { RadioProfile } from '../../../src/radio/profile.ts';

/** Levels of the radio side, from the board's profile where it has them. */
export interface RfFigures {
  /** Power of a full-scale carrier at 0 dB of attenuation, dBm. */
  maxOutputDbm(frequencyHz: number): number;
  /** Power of a full-scale carrier at the connector with a gain of 0 dB, dBm. */
  readonly rxFullScaleDbm: number;
  readonly noiseFigureDb: number;
}

/**
 * Full scale of the receiver's converter at 0 dB of gain: 0.625 V peak in 50 ohms, 10 log10(0.625^2 / 2 / 50 / 1 mW) = 5.9 dBm. Assumed: the
 * AD9361 reference manual (UG-570) gives the peak voltage (from memory, not looked up); where on the board 0 dB is counted from nobody publishes.
 */
const RX_FULL_SCALE_DBM = 5.9;

/** Where the profile names no noise figure, dB. */
const NOISE_FIGURE_DB = 3;

export function rfFigures(profile: RadioProfile): RfFigures {
  const rows = profile.limits.maxOutputDbm.value;
  return {
    maxOutputDbm: (hz) => (rows.find(({ fromHz, toHz }) => hz >= fromHz && hz <= toHz) ?? rows[rows.length - 1]).dbm,
    rxFullScaleDbm: RX_FULL_SCALE_DBM,
    noiseFigureDb: profile.frontEnd.noiseFigureDb.value ?? NOISE_FIGURE_DB,
  };
}
