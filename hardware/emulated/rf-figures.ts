import type { RadioProfile } from '../../src/radio/profile.ts';

/** Levels of a board's radio side, from its profile (hardware/NAME.json, where each has its source). */
export interface RfFigures {
  /** Power of a full-scale tone at the largest transmit gains, dBm. */
  maxOutputDbm(frequencyHz: number): number;
  /** The largest setting of a gain, dB. */
  maxGainDb(name: string): number;
  /** Power at the connector of a full-scale tone when all receive gains are 0 dB, dBm. */
  readonly rxFullScaleDbm: number;
  /** With and without the RF amplifier; the same where there is none. */
  readonly noiseFigureDb: number;
  readonly noiseFigureWithoutAmpDb: number;
}

/** A plain Error where the profile lacks a figure: it is not that of a board with a radio side. */
export function rfFigures({ name, limits, frontEnd }: RadioProfile): RfFigures {
  const rows = limits.maxOutputDbm.value;
  const gains = new Map(limits.gainsDb.value.map((gain) => [gain.name, gain.max]));
  const needed = (figure: string, value: number | null | undefined): number => {
    if (value === null || value === undefined) throw new Error(`profile ${name}: ${figure} is missing`);
    return value;
  };
  const noiseFigureDb = needed('noiseFigureDb', frontEnd.noiseFigureDb.value);
  return {
    // A chip can be set to more than the board is made for: outside the rows the nearest one counts.
    maxOutputDbm: (hz) => (rows.findLast(({ fromHz }) => hz >= fromHz) ?? rows[0]).dbm,
    maxGainDb: (gain) => needed(`gain ${gain}`, gains.get(gain)),
    rxFullScaleDbm: needed('rxFullScaleDbm', frontEnd.rxFullScaleDbm.value),
    noiseFigureDb,
    noiseFigureWithoutAmpDb: frontEnd.noiseFigureWithoutAmpDb?.value ?? noiseFigureDb,
  };
}
