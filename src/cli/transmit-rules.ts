import type { TransmitRules } from '../radio/safety/transmit-permission.ts';

/** What --cabled and the config file say about transmitting, for commands that know no receiver. */
export async function parseRules(flags: { cabled?: string; config?: string }): Promise<TransmitRules> {
  const { parseAllowedBands } = await import('../radio/safety/bands.ts');
  const { parseCabled } = await import('../radio/safety/flag-words.ts');
  const cabledDb = flags.cabled === undefined ? undefined : parseCabled(flags.cabled);
  if (flags.config === undefined) return { cabledDb: cabledDb ?? null, allowedBands: [], receiver: null };
  const { readConfigFile } = await import('./config-file.ts');
  const { link } = await readConfigFile(flags.config, [
    'photo',
    'tx',
    'rx',
    'to',
    'from',
    'reference',
    'compare',
    'periodMs',
    'attenuator',
  ]);
  return {
    cabledDb: cabledDb ?? link.cabledDb ?? null,
    allowedBands: parseAllowedBands(link.allowedBands),
    receiver: null,
  };
}
