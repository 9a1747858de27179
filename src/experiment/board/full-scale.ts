import type { BoardCalibration } from '../../radio/calibration.ts';
import type { RadioProfile } from '../../radio/profile.ts';
import type { StreamSettings } from '../../radio/radio.ts';

/** What 0 dBFS is at a board's connector. */
export interface FullScale {
  readonly dbm: number;
  /** Either way. */
  readonly errorDb: number;
  /** Of the figure in the board's profile; calibrated: measured on this board (sct doctor --reference-dbm --save). */
  readonly basis: RadioProfile['frontEnd']['rxFullScaleDbm']['basis'] | 'calibrated';
}

/** How far a board may be from the figure of its profile, dB: boards differ by a few, and an assumed figure is no better than its assumptions. */
const ERROR_DB: Readonly<Record<FullScale['basis'], number>> = {
  calibrated: 3,
  documented: 3,
  measured: 3,
  unchecked: 10,
  assumed: 10,
};

/** A calibration says little of frequencies that are further from its own than this share of it, and gives way to twice the error. */
const NEAR = 0.1;

/**
 * Level of a full-scale tone at the connector: the calibration's or the profile's at gains of 0 dB, less the gains (whose steps are not exact: 3 dB). Null where nothing is known of levels: a file, the loopback.
 */
export function fullScaleOf(
  profile: RadioProfile | null,
  { gainsDb, frequencyHz }: Pick<StreamSettings, 'gainsDb' | 'frequencyHz'>,
  level: BoardCalibration['level'] | null = null,
): FullScale | null {
  const gainDb = sumOf(gainsDb);
  if (level) {
    const far = Math.abs(frequencyHz - level.atHz) > NEAR * level.atHz;
    return { dbm: level.fullScaleDbm - gainDb, errorDb: (far ? 2 : 1) * ERROR_DB.calibrated, basis: 'calibrated' };
  }
  const figure = profile?.frontEnd.rxFullScaleDbm;
  if (!figure || figure.value === null) return null;
  return { dbm: figure.value - gainDb, errorDb: ERROR_DB[figure.basis], basis: figure.basis };
}

/** The level of a board by a tone of known power: what its full scale is at gains of 0 dB. */
export function levelOf(
  referenceDbm: number,
  toneDbfs: number,
  { gainsDb, frequencyHz }: Pick<StreamSettings, 'gainsDb' | 'frequencyHz'>,
): NonNullable<BoardCalibration['level']> {
  return { fullScaleDbm: Number((referenceDbm - toneDbfs + sumOf(gainsDb)).toFixed(2)), atHz: frequencyHz };
}

function sumOf(gainsDb: Readonly<Record<string, number>>): number {
  return Object.values(gainsDb).reduce((sum, db) => sum + db, 0);
}

/** " (about -65 dBm)"; nothing where the full scale is not known. */
export function inDbm(dbfs: number | null, fullScale: FullScale | null, unit = 'dBm'): string {
  return dbfs === null || !fullScale ? '' : ` (about ${(dbfs + fullScale.dbm).toFixed(0)} ${unit})`;
}

/** "0 dBFS is about -25 dBm, +-10 dB: assumed, not calibrated". */
export function describeFullScale(fullScale: FullScale | null): string {
  if (!fullScale) return 'not known: powers are in dBFS alone';
  const { dbm, errorDb, basis } = fullScale;
  return `0 dBFS is about ${dbm.toFixed(0)} dBm, +-${errorDb} dB: ${basis}${basis === 'calibrated' ? '' : ', not calibrated'}`;
}
