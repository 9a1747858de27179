import { storedClock } from '../calibration.ts';
import { transmitGuard } from '../safety/process-end.ts';
import { openWorkerBoard } from '../stream/worker-host.ts';
import { formatRadioUri, type RadioUri } from '../uri.ts';
import { busOfUri } from '../usb/bus.ts';
import { HackrfRadio, hackrfSpec } from './hackrf-radio.ts';

/**
 * Opens the board that a URI names, in a worker thread of its own. UsageError: gains or clock error out of range. UsbError: not there, several, busy,
 * no permission, no libusb.
 */
export async function openHackrf(uri: Extract<RadioUri, { kind: 'hackrf' }>): Promise<HackrfRadio> {
  const bus = busOfUri(uri);
  return HackrfRadio.open({
    ...uri.options,
    uri: formatRadioUri(uri),
    serial: uri.serial,
    stored: storedClock,
    openBoard: (serial) => openWorkerBoard(hackrfSpec(bus, serial)),
    protect: (name, transmitter) => transmitGuard().protect(name, transmitter),
  });
}
