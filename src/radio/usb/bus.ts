import type { BoardSpec, UsbBusSpec, UsbipSpec } from './bus-spec.ts';
import { LibusbBus } from './libusb-bus.ts';
import { type UsbBoard, type UsbBus, type UsbDevice, UsbError } from './usb.ts';
import { UsbipBus } from './usbip-bus.ts';

export type { BoardSpec, UsbBusSpec, UsbipSpec } from './bus-spec.ts';

/** The bus; nothing is loaded or connected before it is used. */
export function openBus(spec: UsbBusSpec): UsbBus {
  return spec.kind === 'libusb' ? new LibusbBus() : new UsbipBus(spec);
}

/** The bus that a radio's URI names: its USB/IP server, or this machine's. */
export function busOfUri(uri: { readonly usbip?: UsbipSpec }): UsbBusSpec {
  return uri.usbip ?? { kind: 'libusb' };
}

/**
 * The one board among `boards` that the serial, or its end, names (no matter which case); without a serial the only one.
 * UsbError: gone (none), busy (several, or one whose serial could not be read); the message names those that are there.
 */
export function chooseBoard(boards: readonly UsbBoard[], spec: Omit<BoardSpec, 'bus'>, bus: string): UsbBoard {
  const { name, serial } = spec;
  const there = boards.map((board) => board.serial ?? `one in use or not readable at ${board.path}`).join(', ');
  if (serial === null) {
    if (boards.length === 1) return boards[0];
    if (boards.length === 0) {
      throw new UsbError('gone', `no ${name} at the ${bus}`, 'plug it in; "sct devices" lists what is there');
    }
    throw new UsbError('busy', `${boards.length} ${name} boards at the ${bus}: ${there}`, 'name one by its serial');
  }
  const wanted = serial.toLowerCase();
  const found = boards.filter((board) => board.serial?.toLowerCase().endsWith(wanted));
  if (found.length === 1) return found[0];
  if (found.length > 1) {
    const serials = found.map((board) => board.serial).join(', ');
    throw new UsbError('busy', `serial ${serial} fits ${found.length} ${name} boards: ${serials}`, 'give more of it');
  }
  const others = boards.length > 0 ? `there: ${there}` : 'none is there';
  throw new UsbError('gone', `no ${name} with serial ${serial} at the ${bus} (${others})`);
}

/**
 * Finds a board and opens it. Where no serial fits, a board whose serial could not be read is tried: it may be free again by now, and that there is no
 * permission is said rather than that there is no such board.
 */
export async function openBoard(spec: BoardSpec, bus: UsbBus = openBus(spec.bus)): Promise<UsbDevice> {
  const boards = await bus.list(spec.wanted);
  try {
    return await bus.open(chooseBoard(boards, spec, bus.describe()));
  } catch (error) {
    const isMissing = error instanceof UsbError && error.kind === 'gone' && spec.serial !== null;
    const unread = boards.find((board) => board.serial === null);
    if (!isMissing || !unread) throw error;
    const device = await bus.open(unread).catch((failed) => {
      // Who uses it has whatever board it is; the serial need not be there at all.
      throw failed instanceof UsbError && failed.kind === 'busy' ? error : failed;
    });
    if (device.board.serial?.toLowerCase().endsWith(spec.serial!.toLowerCase())) return device;
    await device.close();
    throw error;
  }
}
