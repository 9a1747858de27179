import type { UsbPort } from '../usb-port.ts';

/** Packets of the usbredir protocol 0.7, little endian: docs/usb-redirection-protocol.md of spice/usbredir. */

export const PacketType = {
  hello: 0,
  deviceConnect: 1,
  deviceDisconnect: 2,
  reset: 3,
  interfaceInfo: 4,
  endpointInfo: 5,
  setConfiguration: 6,
  getConfiguration: 7,
  configurationStatus: 8,
  setAlternate: 9,
  getAlternate: 10,
  alternateStatus: 11,
  startIso: 12,
  isoStatus: 14,
  startInterrupt: 15,
  stopInterrupt: 16,
  interruptStatus: 17,
  cancel: 21,
  disconnectAck: 24,
  control: 100,
  bulk: 101,
  interrupt: 103,
} as const;

export const Status = { success: 0, cancelled: 1, invalid: 2, ioError: 3, stall: 4 } as const;

/** Bits of the capabilities that count here. */
export const Capability = {
  deviceVersion: 1,
  disconnectAck: 3,
  maxPacketSize: 4,
  ids64: 5,
  bulkLength32: 6,
} as const;

/** All of them: what this end can do. */
const OWN_CAPABILITIES = Object.values(Capability).reduce((bits, bit) => bits | (1 << bit), 0);
const VERSION_BYTES = 64;
/** Versions of the protocol may add words of capabilities; more than this is no hello. */
const MAX_HELLO_BYTES = VERSION_BYTES + 4 * 16;
const SPEED_HIGH = 2;
const NO_ENDPOINT = 255;

/** What both ends can do. */
export class Abilities {
  private readonly bits: number;

  constructor(bits: number) {
    this.bits = bits;
  }

  has(capability: (typeof Capability)[keyof typeof Capability]): boolean {
    return (this.bits & (1 << capability)) !== 0;
  }

  /** Bytes of a packet's header: type, length, id. */
  get headerBytes(): number {
    return this.has(Capability.ids64) ? 16 : 12;
  }

  get bulkHeaderBytes(): number {
    return this.has(Capability.bulkLength32) ? 10 : 8;
  }
}

export const NO_ABILITIES = new Abilities(0);

export interface PacketHead {
  readonly type: number;
  readonly length: number;
  readonly id: bigint;
}

export function readHead(bytes: Buffer, abilities: Abilities): PacketHead {
  const id = abilities.has(Capability.ids64) ? bytes.readBigUInt64LE(8) : BigInt(bytes.readUInt32LE(8));
  return { type: bytes.readUInt32LE(0), length: bytes.readUInt32LE(4), id };
}

export function packetHead(abilities: Abilities, type: number, length: number, id: bigint): Buffer {
  const bytes = Buffer.alloc(abilities.headerBytes);
  bytes.writeUInt32LE(type, 0);
  bytes.writeUInt32LE(length, 4);
  if (abilities.has(Capability.ids64)) bytes.writeBigUInt64LE(id, 8);
  else bytes.writeUInt32LE(Number(id & 0xffff_ffffn), 8);
  return bytes;
}

export function ownHello(): Buffer {
  const bytes = Buffer.alloc(VERSION_BYTES + 4);
  bytes.write('sct emulated board', 0, 'latin1');
  bytes.writeUInt32LE(OWN_CAPABILITIES, VERSION_BYTES);
  return bytes;
}

/** What both ends can do, from the other's hello; null when it is none. */
export function abilitiesOf(hello: Buffer): Abilities | null {
  if (!isHelloLength(hello.length)) return null;
  return new Abilities(hello.length > VERSION_BYTES ? hello.readUInt32LE(VERSION_BYTES) & OWN_CAPABILITIES : 0);
}

export function isHelloLength(length: number): boolean {
  return length >= VERSION_BYTES && length <= MAX_HELLO_BYTES && length % 4 === 0;
}

export function deviceConnect({ info }: UsbPort, abilities: Abilities): Buffer {
  const bytes = Buffer.alloc(abilities.has(Capability.deviceVersion) ? 10 : 8);
  bytes.set([SPEED_HIGH, info.classCode, info.subClass, info.protocol]);
  bytes.writeUInt16LE(info.vendorId, 4);
  bytes.writeUInt16LE(info.productId, 6);
  if (bytes.length > 8) bytes.writeUInt16LE(info.bcdDevice, 8);
  return bytes;
}

/** Active setting of each interface, at most 32 of them. */
function settings({ configuration }: UsbPort, alternateOf: (interfaceNumber: number) => number | null) {
  return configuration.interfaces.filter((i) => i.alternate === (alternateOf(i.number) ?? 0)).slice(0, 32);
}

export function interfaceInfo(port: UsbPort, alternateOf: (interfaceNumber: number) => number | null): Buffer {
  const bytes = Buffer.alloc(4 + 4 * 32);
  const active = settings(port, alternateOf);
  bytes.writeUInt32LE(active.length, 0);
  active.forEach((setting, i) => {
    const { number, classCode, subClass, protocol } = setting;
    for (const [field, value] of [number, classCode, subClass, protocol].entries()) bytes[4 + 32 * field + i] = value;
  });
  return bytes;
}

/** Type, interval, interface and packet size of each of the 32 endpoints: OUT first, IN from 16 on. */
export function endpointInfo(
  port: UsbPort,
  abilities: Abilities,
  alternateOf: (interfaceNumber: number) => number | null,
): Buffer {
  const sizes = abilities.has(Capability.maxPacketSize);
  const bytes = Buffer.alloc(sizes ? 160 : 96);
  bytes.fill(NO_ENDPOINT, 0, 32);
  const set = (index: number, type: number, interval: number, interfaceNumber: number, packetBytes: number) => {
    bytes[index] = type;
    bytes[32 + index] = interval;
    bytes[64 + index] = interfaceNumber;
    if (sizes) bytes.writeUInt16LE(packetBytes, 96 + 2 * index);
  };
  for (const index of [0, 16]) set(index, 0, 0, 0, port.info.maxPacketBytes0);
  for (const { number, endpoints } of settings(port, alternateOf)) {
    for (const { address, transferType, interval, maxPacketBytes } of endpoints) {
      set(((address & 0x80) >> 3) | (address & 0xf), transferType, interval, number, maxPacketBytes);
    }
  }
  return bytes;
}

/** usb_redir_bulk_packet_header. */
export interface BulkHead {
  readonly endpoint: number;
  readonly length: number;
  readonly stream: number;
}

export function readBulkHead(bytes: Buffer, abilities: Abilities): BulkHead {
  const high = abilities.has(Capability.bulkLength32) ? bytes.readUInt16LE(8) : 0;
  return { endpoint: bytes[0], length: high * 0x10000 + bytes.readUInt16LE(2), stream: bytes.readUInt32LE(4) };
}

export function bulkHead({ endpoint, stream }: BulkHead, status: number, length: number, abilities: Abilities): Buffer {
  const bytes = Buffer.alloc(abilities.bulkHeaderBytes);
  bytes[0] = endpoint;
  bytes[1] = status;
  bytes.writeUInt16LE(length & 0xffff, 2);
  bytes.writeUInt32LE(stream, 4);
  if (bytes.length > 8) bytes.writeUInt16LE(length >>> 16, 8);
  return bytes;
}
