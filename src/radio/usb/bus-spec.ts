import type { UsbNumbers } from './usb.ts';

/** A USB/IP server: a remote machine's usbipd, or an emulated board. */
export type UsbipSpec =
  | { readonly kind: 'usbip'; readonly host: string; readonly port: number }
  | { readonly kind: 'usbip-unix'; readonly path: string };

/** A way to boards as plain data, so that it can cross to a worker thread. */
export type UsbBusSpec = { readonly kind: 'libusb' } | UsbipSpec;

/** A board on a bus, by its numbers and its serial or the end of it; null: the only one there. */
export interface BoardSpec {
  readonly bus: UsbBusSpec;
  readonly wanted: readonly UsbNumbers[];
  readonly serial: string | null;
  /** What messages call it: "HackRF". */
  readonly name: string;
}
