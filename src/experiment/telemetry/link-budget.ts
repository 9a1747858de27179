import type { LinkBudget } from '../../link/telemetry.ts';
import { TRANSMIT_RMS_DBFS } from '../../phy/burst/transmit.ts';
import type { BoardCalibration } from '../../radio/calibration.ts';
import type { RadioProfile } from '../../radio/profile.ts';
import type { StreamSettings } from '../../radio/radio.ts';
import { emissionSpan } from '../../radio/safety/occupied-band.ts';
import { gainTakenBackDb, maxOutputDbm } from '../../radio/safety/output-level.ts';
import { fullScaleOf } from '../board/full-scale.ts';

/** Thermal noise at 290 K, dBm/Hz. */
const THERMAL_DBM_HZ = -174;
/** A burst stands out of the noise by this, dB: less is not told from it by levels. */
const LEAST_ABOVE_NOISE_DB = 1;

/** Quieter is no noise, but zeros: a converter that has not begun, samples that are missing. */
const LEAST_NOISE_DB = -130;

/** One end's board as it is set now. */
export interface BudgetEnd {
  readonly profile: RadioProfile;
  readonly settings: Pick<StreamSettings, 'gainsDb' | 'frequencyHz'>;
  /** Measured on this board; null where it was not. */
  readonly level?: BoardCalibration['level'] | null;
}

/** What is known of a link without listening. */
export interface BudgetFacts {
  readonly tx: BudgetEnd | null;
  readonly rx: BudgetEnd | null;
  /** Attenuation between the boards; null over the air. */
  readonly cabledDb: number | null;
  /** SNR that a model was asked for. */
  readonly askedSnrDb: number | null;
  /** Width of the occupied carriers, and of the signal's centre above the LO. */
  readonly occupiedHz: number;
  readonly offsetHz: number;
}

/** What was heard since the last budget; levels in the band of the signal, relative to full scale. */
export interface BudgetReading {
  /** Loudest and quietest windows; null where nothing was heard. */
  readonly loudDb: number | null;
  readonly quietDb: number | null;
  /** A burst was heard: the loud windows are one's. */
  readonly burst: boolean;
  readonly snrDb: number | null;
}

/**
 * Link budget: the sender's mean output (documented maximum less the gain taken back, TRANSMIT_RMS_DBFS below full scale), the path, the level and the
 * noise at the receiver's connector by its full scale, and the SNR that power, path and noise figure promise:
 *
 *     SNR = TX - path - (-174 dBm/Hz + 10 log10(B) + NF)
 */
export function linkBudget(facts: BudgetFacts, reading: BudgetReading): LinkBudget {
  const { tx, rx, cabledDb, askedSnrDb } = facts;
  const { loudDb, quietDb, burst, snrDb } = reading;
  const aboveDb = loudDb === null || quietDb === null ? Number.POSITIVE_INFINITY : loudDb - quietDb;
  const signalDb = burst && loudDb !== null && aboveDb > LEAST_ABOVE_NOISE_DB ? lessNoise(loudDb, quietDb) : null;
  // Where bursts follow one another closely there is no window without one.
  const noise = quietDb !== null && quietDb > LEAST_NOISE_DB && !(burst && aboveDb < 2 * LEAST_ABOVE_NOISE_DB);
  const noiseDb = noise ? quietDb : null;
  const fullScale = rx && fullScaleOf(rx.profile, rx.settings, rx.level ?? null);
  const dbm = (db: number | null) => (db === null || !fullScale ? null : db + fullScale.dbm);
  const txDbm = tx && outputDbm(tx, facts);
  const rxDbm = dbm(signalDb);
  const measuredLoss = txDbm !== null && rxDbm !== null ? txDbm - rxDbm : null;
  const thermalDbm = rx && thermalNoiseDbm(rx.profile, facts.occupiedHz, rx.settings.gainsDb);
  const pathLossDb = cabledDb ?? measuredLoss;
  return {
    basis: !tx && !rx ? null : fullScale?.basis === 'calibrated' ? 'calibrated' : 'typical',
    txDbm,
    pathLossDb,
    pathLossFrom: cabledDb !== null ? 'cable' : measuredLoss !== null ? 'measured' : null,
    rxDbm,
    rxDbfs: signalDb,
    noiseDbm: dbm(noiseDb) ?? thermalDbm,
    noiseDbfs: noiseDb,
    predictedSnrDb: predicted(askedSnrDb, txDbm, pathLossDb, thermalDbm),
    measuredSnrDb: snrDb,
  };
}

function predicted(askedDb: number | null, txDbm: number | null, lossDb: number | null, noiseDbm: number | null) {
  if (askedDb !== null) return askedDb;
  return txDbm === null || lossDb === null || noiseDbm === null ? null : txDbm - lossDb - noiseDbm;
}

/** Mean output of a burst, dBm; null where the profile knows no output at that frequency. */
function outputDbm({ profile, settings }: BudgetEnd, { occupiedHz, offsetHz }: BudgetFacts): number | null {
  try {
    const span = emissionSpan({ loHz: settings.frequencyHz, offsetHz, occupiedHz }, 0);
    return maxOutputDbm(profile, span) - gainTakenBackDb(profile, settings.gainsDb) + TRANSMIT_RMS_DBFS;
  } catch {
    return null;
  }
}

/** Thermal noise and what the board adds, dBm in the band; null where its noise figure is not known. */
function thermalNoiseDbm(
  { frontEnd }: RadioProfile,
  bandHz: number,
  gainsDb: Readonly<Record<string, number>>,
): number | null {
  const { noiseFigureDb, noiseFigureWithoutAmpDb } = frontEnd;
  const figure = gainsDb.amp === 0 && noiseFigureWithoutAmpDb ? noiseFigureWithoutAmpDb.value : noiseFigureDb.value;
  return figure === null ? null : THERMAL_DBM_HZ + 10 * Math.log10(bandHz) + figure;
}

function lessNoise(loudDb: number, quietDb: number | null): number {
  const power = 10 ** (loudDb / 10) - (quietDb === null ? 0 : 10 ** (quietDb / 10));
  return 10 * Math.log10(power);
}
