import { UsageError } from '../common/errors.ts';
import { FileRadio, type FileRadioOptions } from './file/file-radio.ts';
import { type LoopbackOptions, LoopbackRadio } from './loopback/loopback-radio.ts';
import type { Radio } from './radio.ts';
import { parseRadioUri, type RadioUri } from './uri.ts';

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
  file: async ({ kind: _, path, ...play }, options) =>
    new FileRadio(path, { ...options.file, ...(Object.keys(play).length > 0 ? { play } : {}) }),
  loopback: async (_uri, options) => {
    if (!options.loopback) throw new UsageError('loopback needs a channel; it exists only inside one command');
    return LoopbackRadio.create(options.loopback);
  },
  hackrf: async (uri) => (await import('./hackrf/open-hackrf.ts')).openHackrf(uri),
  'pluto-usb': async (uri) => (await import('./pluto/open-pluto.ts')).openPluto(uri),
  'pluto-ip': async (uri) => (await import('./pluto/open-pluto.ts')).openPluto(uri),
};

/** Opens the radio that a URI names. UsageError for a wrong URI, DeviceError for a radio that cannot be had. */
export async function openRadio(uri: string | RadioUri, options: OpenRadioOptions = {}): Promise<Radio> {
  const parsed = typeof uri === 'string' ? parseRadioUri(uri) : uri;
  const open = OPENERS[parsed.kind] as Opener<RadioUri['kind']>;
  return open(parsed as never, options);
}
