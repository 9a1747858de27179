import { inRange, UsageError } from '../../common/errors.ts';
import type { RadioProfile } from '../profile.ts';
import type { GainStage } from '../radio.ts';
import { onGrid } from '../settings.ts';
import { formatSpan, type Span } from './occupied-band.ts';

/**
 * By how much a board's output may lie above "documented maximum minus the gain that was taken back". At the maximum the output is
 * compressed, so that the first decibels of gain taken back cost less than a decibel each. Assumed: nobody publishes the boards' compression
 * curves; 3 dB is the compression at which an amplifier is called saturated.
 */
export const COMPRESSION_ALLOWANCE_DB = 3;

/** Half-wave dipole over isotropic radiator, dB: ERP counts from the one, EIRP from the other. 10 log10(1.64). */
export const DIPOLE_GAIN_DBI = 2.15;

/**
 * Upper bound of a board's output at its connector for samples of full scale, dBm:
 *
 *     P = min(Pmax, Pmax - (sum of largest gains - sum of gains) + compression allowance)
 *
 * Pmax is the profile's largest documented output wherever the span touches; gains that are not named stand at their minimum. A burst's RMS is 11 dB
 * lower (docs/air-interface.md), but a tone is not, and peaks reach full scale: what protects a receiver is the bound.
 *
 * UsageError: a gain that the board does not have, a frequency for which the profile knows no output.
 */
export function outputBoundDbm(profile: RadioProfile, span: Span, gainsDb: Readonly<Record<string, number>>): number {
  const maximumDbm = maxOutputDbm(profile, span);
  return Math.min(maximumDbm, maximumDbm - gainTakenBackDb(profile, gainsDb) + COMPRESSION_ALLOWANCE_DB);
}

/** The profile's largest documented output anywhere in a span, dBm. UsageError where part of the span is not covered. */
export function maxOutputDbm(profile: RadioProfile, span: Span): number {
  const ranges = [...profile.limits.maxOutputDbm.value].sort((a, b) => a.fromHz - b.fromHz);
  let coveredHz = span.lowHz;
  let maximumDbm = Number.NEGATIVE_INFINITY;
  for (const { fromHz, toHz, dbm } of ranges) {
    if (fromHz > span.highHz || toHz < span.lowHz) continue;
    if (fromHz > coveredHz) break;
    coveredHz = Math.max(coveredHz, toHz);
    maximumDbm = Math.max(maximumDbm, dbm);
  }
  if (maximumDbm === Number.NEGATIVE_INFINITY || coveredHz < span.highHz) {
    const known = ranges.map(({ fromHz, toHz }) => formatSpan({ lowHz: fromHz, highHz: toHz })).join(', ') || 'nowhere';
    throw new UsageError(`${profile.board}: its output at ${formatSpan(span)} is not known; known: ${known}`);
  }
  return maximumDbm;
}

/** Stages of the transmitter as the profile lists them. */
export function txStages(profile: RadioProfile): GainStage[] {
  return profile.limits.gainsDb.value
    .filter((stage) => stage.direction === 'tx')
    .map((stage): GainStage => ({ ...stage, unit: 'dB' }));
}

/** Gains of all transmit stages, those not named at their minimum. UsageError naming what is allowed. */
export function completeTxGains(
  profile: RadioProfile,
  gainsDb: Readonly<Record<string, number>>,
): Record<string, number> {
  const stages = txStages(profile);
  for (const name of Object.keys(gainsDb)) {
    if (!stages.some((stage) => stage.name === name)) {
      const known = stages.map((stage) => stage.name).join(', ') || 'none';
      throw new UsageError(`${profile.board} has no tx gain "${name}"; it has: ${known}`);
    }
  }
  return Object.fromEntries(
    stages.map((stage) => {
      const gainDb = Object.hasOwn(gainsDb, stage.name) ? gainsDb[stage.name] : stage.min;
      return [stage.name, onGrid(`${profile.name} ${stage.name} gain`, gainDb, stage, 'dB')];
    }),
  );
}

/** How far the gains lie below the largest ones, dB. */
export function gainTakenBackDb(profile: RadioProfile, gainsDb: Readonly<Record<string, number>>): number {
  const complete = completeTxGains(profile, gainsDb);
  return txStages(profile).reduce((sum, stage) => sum + stage.max - complete[stage.name], 0);
}

/** ERP of a conducted power at an antenna of this gain, dBm. */
export function erpDbm(conductedDbm: number, antennaGainDbi: number): number {
  return conductedDbm + inRange('antenna gain', antennaGainDbi, -40, 60, 'dBi') - DIPOLE_GAIN_DBI;
}

/** What arrives at a receiver behind a cable and attenuators, dBm. */
export function cabledInputDbm(outputDbm: number, attenuationDb: number): number {
  return outputDbm - attenuationDb;
}
