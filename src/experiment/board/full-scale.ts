import type { RadioProfile } from '../../radio/profile.ts';
import type { StreamSettings } from '../../radio/radio.ts';

/** What 0 dBFS is at a board's connector. */
export interface FullScale {
  readonly dbm: number;
  /** Either way. */
  readonly errorDb: number;
  /** Of the figure in the board's profile. */
  readonly basis: RadioProfile['frontEnd']['rxFullScaleDbm']['basis'];
}

/** How far a board may be from the figure of its profile, dB: boards differ by a few, and an assumed figure is no better than its assumptions. */
const ERROR_DB: Readonly<Record<FullScale['basis'], number>> = {
  documented: 3,
  measured: 3,
  unchecked: 10,
  assumed: 10,
};

/**
 * Level of a full-scale tone at the connector: the profile's at gains of 0 dB, less the gains. Null where nothing is known of levels: a file, the loopback.
 */
export function fullScaleOf(
  profile: RadioProfile | null,
  { gainsDb }: Pick<StreamSettings, 'gainsDb'>,
): FullScale | null {
  const figure = profile?.frontEnd.rxFullScaleDbm;
  if (!figure || figure.value === null) return null;
  const gainDb = Object.values(gainsDb).reduce((sum, db) => sum + db, 0);
  return { dbm: figure.value - gainDb, errorDb: ERROR_DB[figure.basis], basis: figure.basis };
}

/** " (about -65 dBm)"; nothing where the full scale is not known. */
export function inDbm(dbfs: number | null, fullScale: FullScale | null, unit = 'dBm'): string {
  return dbfs === null || !fullScale ? '' : ` (about ${(dbfs + fullScale.dbm).toFixed(0)} ${unit})`;
}

/** "0 dBFS is about -25 dBm, +-10 dB: assumed, not calibrated". */
export function describeFullScale(fullScale: FullScale | null): string {
  if (!fullScale) return 'not known: powers are in dBFS alone';
  return `0 dBFS is about ${fullScale.dbm.toFixed(0)} dBm, +-${fullScale.errorDb} dB: ${fullScale.basis}, not calibrated`;
}
