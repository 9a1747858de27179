import { storedClock } from '../calibration.ts';
import { formatRadioUri, type RadioUri } from '../uri.ts';
import { busOfUri } from '../usb/bus.ts';
import { tcpLink, usbLink } from './pluto-link.ts';
import { type PlutoOptions, PlutoRadio } from './pluto-radio.ts';
import { PLUTO_USB } from './usb-transport.ts';

type PlutoUri = Extract<RadioUri, { kind: 'pluto-ip' | 'pluto-usb' }>;

/** Opens the Pluto that a URI names. DeviceError: not there, in use, or no Pluto. */
export async function openPluto(uri: PlutoUri, options: PlutoOptions = { stored: storedClock }): Promise<PlutoRadio> {
  const name = formatRadioUri(uri);
  if (uri.kind === 'pluto-ip') return PlutoRadio.open(name, tcpLink(uri.host, uri.port), options);
  const spec = { bus: busOfUri(uri), wanted: [PLUTO_USB], serial: uri.serial ?? null, name: 'Pluto' };
  return PlutoRadio.open(name, await usbLink(spec), options);
}
