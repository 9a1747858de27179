import { inRange, UsageError } from '../../common/errors.ts';
import { parseQuantity } from '../../common/units.ts';
import { MAX_CABLED_ATTENUATION_DB, MAX_CABLED_INPUT_DBM } from './cable-limits.ts';

/** Words of the command line and of config files about permission to transmit: one place for help texts and errors. */

export const CABLED_FLAG = {
  flags: '--cabled <db>',
  help: `the boards are on a cable with this attenuation between them, dB; refused above ${MAX_CABLED_INPUT_DBM} dBm at the receiver`,
} as const;

export const ALLOWED_BANDS_HELP = `A board transmits only with --cabled DB or inside a band that the config file (-c) allows:
  allowedBands:
    - eu:2400                      # a name of hardware/bands
    - { fromHz: 434.0e6, toHz: 434.6e6, maxErpDbm: 0, why: licence 1234 }`;

/** The attenuation of --cabled, dB: "40", "40dB". UsageError with the range. */
export function parseCabled(text: string): number {
  const attenuationDb = parseQuantity('--cabled', text, 'dB');
  if (!Number.isFinite(attenuationDb)) throw new UsageError(`--cabled: "${text.slice(0, 40)}" is not a number in dB`);
  return inRange('--cabled', attenuationDb, 0, MAX_CABLED_ATTENUATION_DB, 'dB');
}
