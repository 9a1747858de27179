import type { UsbPort } from '../usb-port.ts';

/**
 * Messages of USB/IP version 1.1.1, big endian: Documentation/usb/usbip_protocol.rst of Linux. Operations before an import, URBs
 * after it.
 */

export const USBIP_VERSION = 0x0111;
export const OP_BYTES = 8;
export const BUS_ID_BYTES = 32;
export const URB_HEADER_BYTES = 48;
const DEVICE_BYTES = 312;
const PATH_BYTES = 256;
const SPEED_HIGH = 3;

export const Op = { requestDevlist: 0x8005, replyDevlist: 0x0005, requestImport: 0x8003, replyImport: 0x0003 } as const;
/** Status of a reply: tools/usb/usbip/libsrc/usbip_common.h. */
export const OpStatus = { ok: 0, notAvailable: 1, busy: 2, noDevice: 4 } as const;
export const Command = { submit: 1, unlink: 2, retSubmit: 3, retUnlink: 4 } as const;

/** URB status: negative errno of Linux. */
export const UrbStatus = {
  ok: 0,
  noMemory: -12,
  noDevice: -19,
  invalid: -22,
  stall: -32,
  protocol: -71,
  unlinked: -104,
  shortRead: -121,
} as const;

export const URB_SHORT_NOT_OK = 1;

/** An emulated board and the bus id that it is exported under, "BUS-DEVICE" as in "1-1". */
export interface UsbIpBoard {
  readonly busId: string;
  readonly port: UsbPort;
}

/** Both numbers of a board on its bus, from its bus id "BUS-DEVICE". */
export function busNumbers(busId: string): { bus: number; device: number } {
  const match = /^(\d{1,4})-(\d{1,4})$/.exec(busId);
  if (!match) throw new Error(`bus id ${busId} is not BUS-DEVICE`);
  return { bus: Number(match[1]), device: Number(match[2]) };
}

export function opReply(code: number, status: number, ...rest: Uint8Array[]): Buffer {
  const head = Buffer.alloc(OP_BYTES);
  head.writeUInt16BE(USBIP_VERSION, 0);
  head.writeUInt16BE(code, 2);
  head.writeUInt32BE(status, 4);
  return Buffer.concat([head, ...rest]);
}

/** struct usbip_usb_device. The path names the serial number, so that a list tells boards apart. */
export function deviceRecord(busId: string, port: UsbPort): Buffer {
  const bytes = Buffer.alloc(DEVICE_BYTES);
  const { bus, device } = busNumbers(busId);
  const { info, configuration } = port;
  bytes.write(`/emulated/${port.serial}`.slice(0, PATH_BYTES - 1), 0, 'latin1');
  bytes.write(busId, PATH_BYTES, BUS_ID_BYTES - 1, 'latin1');
  let at = PATH_BYTES + BUS_ID_BYTES;
  for (const value of [bus, device, SPEED_HIGH]) at = bytes.writeUInt32BE(value, at);
  for (const value of [info.vendorId, info.productId, info.bcdDevice]) at = bytes.writeUInt16BE(value, at);
  const numbers = new Set(configuration.interfaces.map((i) => i.number));
  const last = [info.classCode, info.subClass, info.protocol, configuration.value, info.configurations, numbers.size];
  for (const value of last) at = bytes.writeUInt8(value, at);
  return bytes;
}

/** struct usbip_usb_interface of each interface, as they follow a device in a list. */
function interfaceRecords({ configuration }: UsbPort): Buffer {
  const first = configuration.interfaces.filter((i) => i.alternate === 0);
  return Buffer.from(first.flatMap((i) => [i.classCode, i.subClass, i.protocol, 0]));
}

/** The body of a device list: boards whose cable is plugged in, busy or not. */
export function deviceList(boards: readonly UsbIpBoard[]): Buffer {
  const there = boards.filter(({ port }) => port.plugged);
  const count = Buffer.alloc(4);
  count.writeUInt32BE(there.length);
  const records = there.flatMap(({ busId, port }) => [deviceRecord(busId, port), interfaceRecords(port)]);
  return Buffer.concat([count, ...records]);
}

export interface UrbHeader {
  readonly command: number;
  readonly sequence: number;
  readonly deviceId: number;
  readonly isIn: boolean;
  readonly endpoint: number;
  /** CMD_SUBMIT: transfer flags; CMD_UNLINK: sequence number of the URB. */
  readonly flagsOrTarget: number;
  readonly bufferBytes: number;
  /** 0 or -1 for everything but isochronous transfers. */
  readonly packets: number;
  /** bmRequestType, bRequest, wValue, wIndex, wLength, little endian. */
  readonly setup: Buffer;
}

export function readUrbHeader(bytes: Buffer): UrbHeader {
  return {
    command: bytes.readUInt32BE(0),
    sequence: bytes.readUInt32BE(4),
    deviceId: bytes.readUInt32BE(8),
    isIn: bytes.readUInt32BE(12) !== 0,
    endpoint: bytes.readUInt32BE(16),
    flagsOrTarget: bytes.readUInt32BE(20),
    bufferBytes: bytes.readUInt32BE(24),
    packets: bytes.readInt32BE(32),
    setup: bytes.subarray(40, 48),
  };
}

export function retSubmit(sequence: number, status: number, actualBytes: number): Buffer {
  const bytes = Buffer.alloc(URB_HEADER_BYTES);
  bytes.writeUInt32BE(Command.retSubmit, 0);
  bytes.writeUInt32BE(sequence, 4);
  bytes.writeInt32BE(status, 20);
  bytes.writeUInt32BE(actualBytes, 24);
  return bytes;
}

export function retUnlink(sequence: number, status: number): Buffer {
  const bytes = Buffer.alloc(URB_HEADER_BYTES);
  bytes.writeUInt32BE(Command.retUnlink, 0);
  bytes.writeUInt32BE(sequence, 4);
  bytes.writeInt32BE(status, 20);
  return bytes;
}
