import { DeviceError, UsageError } from '../common/errors.ts';
import { FileRadio, type FileRadioOptions } from './file/file-radio.ts';
import { type LoopbackOptions, LoopbackRadio } from './loopback/loopback-radio.ts';
import { loadProfile, profileCapabilities } from './profile.ts';
import type { Radio } from './radio.ts';
import { onGrid } from './settings.ts';
import { formatRadioUri, parseRadioUri, type RadioUri } from './uri.ts';

export interface OpenRadioOptions {
  readonly file?: FileRadioOptions;
  /** Needed for `loopback`: the channel comes from the caller. */
  readonly loopback?: LoopbackOptions;
}

type Opener<K extends RadioUri['kind']> = (
  uri: Extract<RadioUri, { kind: K }>,
  options: OpenRadioOptions,
) => Promise<Radio>;

/** One opener for each kind of URI; a driver is added here. */
const OPENERS: { readonly [K in RadioUri['kind']]: Opener<K> } = {
  file: async (uri, options) => new FileRadio(uri.path, options.file),
  loopback: async (_uri, options) => {
    if (!options.loopback) throw new UsageError('loopback needs a channel; it exists only inside one command');
    return LoopbackRadio.create(options.loopback);
  },
  hackrf: async (uri) => {
    const gains = new Map(profileCapabilities(loadProfile('hackrf')).gains.map((stage) => [stage.name, stage]));
    const { lnaDb, vgaDb } = uri.options;
    if (lnaDb !== undefined) onGrid('hackrf lna gain', lnaDb, gains.get('lna')!, 'dB');
    if (vgaDb !== undefined) onGrid('hackrf vga gain', vgaDb, gains.get('vga')!, 'dB');
    throw noDriver(uri);
  },
  'pluto-usb': async (uri) => {
    throw noDriver(uri);
  },
  'pluto-ip': async (uri) => {
    throw noDriver(uri);
  },
};

/** Opens the radio that a URI names. UsageError for a wrong URI, DeviceError for a radio that cannot be had. */
export async function openRadio(uri: string | RadioUri, options: OpenRadioOptions = {}): Promise<Radio> {
  const parsed = typeof uri === 'string' ? parseRadioUri(uri) : uri;
  const open = OPENERS[parsed.kind] as Opener<RadioUri['kind']>;
  return open(parsed as never, options);
}

function noDriver(uri: RadioUri): DeviceError {
  return new DeviceError(
    `${formatRadioUri(uri)}: no driver for this board in this build`,
    'file:PATH and loopback work without hardware',
  );
}
