import type { UsbDescriptors } from '../usb-device.ts';

/** Vendor of the Great Scott Gadgets boards (OpenMoko's block), and the HackRF One. */
export const HACKRF_VENDOR_ID = 0x1d50;
export const HACKRF_ONE_PRODUCT_ID = 0x6089;

export const BULK_IN = 0x81;
export const BULK_OUT = 0x02;
export const PACKET_BYTES = 512;

/**
 * Descriptors of a HackRF One at high speed, byte by byte those of its firmware (hackrf_usb/usb_descriptor.c). Only a board on a clock of its own has one
 * thing more: a name of its interface, which tells drivers to be patient.
 *
 * @param apiVersion release number of the device, BCD
 * @param serial 32 hexadecimal digits
 * @param speed seconds of the board in a second of the host
 */
export function hackrfDescriptors(apiVersion: number, serial: string, speed = 1): UsbDescriptors {
  const strings = ['Great Scott Gadgets', 'HackRF One', 'Transceiver', serial];
  const word = (value: number) => [value & 0xff, value >> 8];
  return {
    device: Uint8Array.from([
      ...[18, 1, ...word(0x0200), 0, 0, 0, 64],
      ...word(HACKRF_VENDOR_ID),
      ...word(HACKRF_ONE_PRODUCT_ID),
      ...word(apiVersion),
      ...[1, 2, 4, 1],
    ]),
    configuration: Uint8Array.from([
      ...[9, 2, ...word(32), 1, 1, 3, 0x80, 250],
      ...[9, 4, 0, 0, 2, 0xff, 0xff, 0xff, speed === 1 ? 0 : 5],
      ...[7, 5, BULK_IN, 2, ...word(PACKET_BYTES), 0],
      ...[7, 5, BULK_OUT, 2, ...word(PACKET_BYTES), 0],
    ]),
    strings: speed === 1 ? strings : [...strings, `emulated, speed ${speed}`],
  };
}

/** Microsoft's descriptor that makes Windows load WinUSB (request 25, index 4), 40 bytes. */
export const WCID_FEATURE: Uint8Array = Uint8Array.from([
  ...[0x28, 0, 0, 0, 0, 1, 4, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  ...new TextEncoder().encode('WINUSB'),
  ...new Array<number>(16).fill(0),
]);
