import { inRange, UsageError } from '../../common/errors.ts';
import type { NumberRange } from '../radio.ts';
import type { Attenuator } from './attenuator.ts';

/** What was measured once on the cable: the SNR at a setting of the attenuator at which the receiver's own noise decides. */
export interface SnrReference {
  readonly attenuationDb: number;
  readonly snrDb: number;
}

export interface SnrSetting {
  readonly attenuationDb: number;
  /** The SNR expected there: that of the step, not what was asked. */
  readonly snrDb: number;
}

/**
 * The attenuation for an SNR: every decibel more takes a decibel off,
 *
 *     A = A_ref + SNR_ref - SNR,    to the nearest step of the attenuator.
 *
 * True while the receiver's noise does not change (its gains stay as they were) and is what limits the SNR at the reference. UsageError where A is outside the attenuator's range or below
 * `leastDb`, with the SNRs that can be had.
 *
 * @param leastDb smallest attenuation that protects the receiver (transmit-permission.ts)
 */
export function attenuationForSnr(
  reference: SnrReference,
  snrDb: number,
  rangeDb: NumberRange,
  leastDb = rangeDb.min,
): SnrSetting {
  inRange('reference attenuation', reference.attenuationDb, 0, 300, 'dB');
  inRange('reference SNR', reference.snrDb, -50, 100, 'dB');
  inRange('least attenuation', leastDb, 0, rangeDb.max, 'dB');
  const wantedDb = reference.attenuationDb + reference.snrDb - inRange('SNR', snrDb, -100, 150, 'dB');
  const gridDb = (steps: number) => Number((rangeDb.min + steps * rangeDb.step).toFixed(6));
  const lowestDb = gridDb(Math.ceil((Math.max(rangeDb.min, leastDb) - rangeDb.min) / rangeDb.step - 1e-9));
  const attenuationDb = gridDb(Math.round((wantedDb - rangeDb.min) / rangeDb.step));
  const atDb = (a: number) => reference.snrDb + reference.attenuationDb - a;
  if (attenuationDb < lowestDb || attenuationDb > rangeDb.max) {
    throw new UsageError(
      `SNR ${snrDb} dB needs ${wantedDb.toFixed(2)} dB of attenuation; it can be ${lowestDb} to ${rangeDb.max} dB`,
      `SNRs on this cable: ${atDb(rangeDb.max).toFixed(2)} to ${atDb(lowestDb).toFixed(2)} dB`,
    );
  }
  return { attenuationDb, snrDb: atDb(attenuationDb) };
}

/** Sets the attenuator for an SNR; returns what was read back and the SNR expected there. */
export async function setSnr(
  attenuator: Attenuator,
  reference: SnrReference,
  snrDb: number,
  leastDb?: number,
): Promise<SnrSetting> {
  const { attenuationDb } = attenuationForSnr(reference, snrDb, attenuator.rangeDb, leastDb);
  const actualDb = await attenuator.set(attenuationDb);
  return { attenuationDb: actualDb, snrDb: reference.snrDb + reference.attenuationDb - actualDb };
}
