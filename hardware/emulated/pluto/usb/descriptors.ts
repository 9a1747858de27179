import type { UsbDescriptors } from '../../usb-device.ts';

/** Bytes of a bulk packet at high speed. */
export const PACKET_BYTES = 512;
export const CONSOLE_INTERFACE = 0;
export const IIO_INTERFACE = 2;

/** One pipe of the IIO function; couples follow each other IN, OUT in the descriptor. */
export interface EndpointCouple {
  readonly in: number;
  readonly out: number;
}
export const CONSOLE_COUPLE: EndpointCouple = { in: 0x82, out: 0x01 };
/** Not answered: a modem's line state never changes here. */
export const CONSOLE_NOTIFY = 0x81;
export const IIO_COUPLES: readonly EndpointCouple[] = [
  { in: 0x83, out: 0x02 },
  { in: 0x84, out: 0x03 },
  { in: 0x85, out: 0x04 },
];

const VENDOR_ID = 0x0456;
const PRODUCT_ID = 0xb673;
/** Release of the gadget, BCD: that of the kernel. */
const BCD_DEVICE = 0x0515;
const Strings = { maker: 1, product: 2, serial: 3, configuration: 4, acm: 5, acmData: 6, function: 7, iio: 8 } as const;

/**
 * A Pluto's composite device without its network card and mass storage, which are not emulated: console (CDC-ACM, USB CDC 1.2) and IIO. A
 * host finds the latter by the name of the interface; its number and endpoints differ between boards.
 */
export function plutoDescriptors(serial: string): UsbDescriptors {
  const device = Uint8Array.of(
    ...[18, 1, ...word(0x0200), 0xef, 0x02, 0x01, 64, ...word(VENDOR_ID), ...word(PRODUCT_ID), ...word(BCD_DEVICE)],
    ...[Strings.maker, Strings.product, Strings.serial, 1],
  );
  const parts = [
    // Interface association: the two interfaces of the console.
    [8, 11, CONSOLE_INTERFACE, 2, 0x02, 0x02, 0x01, Strings.function],
    interfaceDescriptor(CONSOLE_INTERFACE, 1, [0x02, 0x02, 0x01], Strings.acm),
    [5, 0x24, 0x00, ...word(0x0110)], // header
    [5, 0x24, 0x01, 0x00, CONSOLE_INTERFACE + 1], // call management: none
    [4, 0x24, 0x02, 0x02], // line coding and line state
    [5, 0x24, 0x06, CONSOLE_INTERFACE, CONSOLE_INTERFACE + 1], // union
    endpoint(CONSOLE_NOTIFY, 3, 10, 9),
    interfaceDescriptor(CONSOLE_INTERFACE + 1, 2, [0x0a, 0, 0], Strings.acmData),
    endpoint(CONSOLE_COUPLE.in, 2, PACKET_BYTES, 0),
    endpoint(CONSOLE_COUPLE.out, 2, PACKET_BYTES, 0),
    interfaceDescriptor(IIO_INTERFACE, 2 * IIO_COUPLES.length, [0x02, 0, 0], Strings.iio),
    ...IIO_COUPLES.flatMap((couple) => [
      endpoint(couple.in, 2, PACKET_BYTES, 0),
      endpoint(couple.out, 2, PACKET_BYTES, 0),
    ]),
  ].flat();
  const total = 9 + parts.length;
  return {
    device,
    configuration: Uint8Array.of(9, 2, ...word(total), 3, 1, Strings.configuration, 0xc0, 250, ...parts),
    strings: [
      'Analog Devices Inc.',
      'PlutoSDR (ADALM-PLUTO)',
      serial,
      'RNDIS/MSD/ACM/IIOUSBD',
      'CDC Abstract Control Model (ACM)',
      'CDC ACM Data',
      'CDC Serial',
      'IIO',
    ],
  };
}

function interfaceDescriptor(number: number, endpoints: number, codes: readonly number[], name: number): number[] {
  return [9, 4, number, 0, endpoints, ...codes, name];
}

function endpoint(address: number, attributes: number, packetBytes: number, interval: number): number[] {
  return [7, 5, address, attributes, ...word(packetBytes), interval];
}

function word(value: number): [number, number] {
  return [value & 0xff, value >> 8];
}
