/** What an open board says of itself, for the record of a run. */
export interface BoardIdentity {
  readonly board: string;
  readonly serial: string | null;
  readonly firmware: string | null;
  /**
   * Stands where the board says that it is an emulated one: seconds of it in a second of the host. An emulated Pluto with a serial number of the
   * user's choice that runs in real time looks like a real one, byte by byte, and says nothing.
   */
  readonly emulated?: { readonly speed: number };
}

/** Digits at the beginning of the serial numbers of emulated boards that no real board has. */
const EMULATED_SERIAL = '0000000000000000e5c7';

/** Serial number of the n-th emulated board where none is told. */
export function emulatedSerial(index: number): string {
  return `${EMULATED_SERIAL}${(index + 1).toString(16).padStart(12, '0')}`;
}

/** A HackRF's version, where it is emulated. */
const EMULATED_FIRMWARE = /-emulated$/;

/** @param speed seconds of the board in a second of the host: other than 1 only for an emulated one, which says so */
export function boardIdentity(
  board: string,
  serial: string | null,
  firmware: string | null,
  speed: number,
): BoardIdentity {
  const known = { board, serial, firmware };
  const says = speed !== 1 || serial?.startsWith(EMULATED_SERIAL) || EMULATED_FIRMWARE.test(firmware ?? '');
  return says ? { ...known, emulated: { speed } } : known;
}

/** In one line, for reports. */
export function describeBoard({ board, serial, firmware, emulated }: BoardIdentity): string {
  const speed = emulated && emulated.speed !== 1 ? ` at ${emulated.speed} of real time` : '';
  return [
    `${emulated ? `emulated ${board}${speed}` : board}`,
    ...(serial === null ? [] : [`serial ${serial}`]),
    ...(firmware === null ? [] : [`firmware ${firmware}`]),
  ].join(', ');
}
