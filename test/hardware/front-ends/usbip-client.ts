import { Peer } from './peer.ts';

/** Messages of a USB/IP importer, written from usbip_protocol.rst for tests of the server. */
export interface Returned {
  readonly command: number;
  readonly sequence: number;
  readonly status: number;
  readonly actual: number;
  readonly data: Buffer;
}

export const DEVICE_ID = (busId: string) => {
  const [bus, device] = busId.split('-').map(Number);
  return bus * 65_536 + device;
};

export function operation(code: number, busId?: string): Buffer {
  const bytes = Buffer.alloc(busId === undefined ? 8 : 40);
  bytes.writeUInt16BE(0x0111, 0);
  bytes.writeUInt16BE(code, 2);
  if (busId !== undefined) bytes.write(busId, 8, 'latin1');
  return bytes;
}

export interface Urb {
  readonly sequence: number;
  readonly endpoint: number;
  readonly isIn: boolean;
  readonly length: number;
  readonly deviceId?: number;
  readonly flags?: number;
  readonly packets?: number;
  /** bmRequestType, bRequest, wValue, wIndex, wLength. */
  readonly setup?: readonly [number, number, number, number, number];
  readonly data?: Uint8Array;
  readonly command?: number;
}

export function submit(urb: Urb): Buffer {
  const bytes = Buffer.alloc(48);
  const { sequence, endpoint, isIn, length, deviceId = DEVICE_ID('1-1'), flags = 0, packets = 0 } = urb;
  const fields = [urb.command ?? 1, sequence, deviceId, isIn ? 1 : 0, endpoint, flags, length, 0];
  for (const [i, field] of fields.entries()) bytes.writeUInt32BE(field, 4 * i);
  bytes.writeInt32BE(packets, 32);
  if (urb.setup) {
    const [type, request, ...words] = urb.setup;
    bytes[40] = type;
    bytes[41] = request;
    for (const [i, word] of words.entries()) bytes.writeUInt16LE(word, 42 + 2 * i);
  }
  return urb.data ? Buffer.concat([bytes, urb.data]) : bytes;
}

function unlink(sequence: number, target: number, deviceId: number): Buffer {
  const bytes = Buffer.alloc(48);
  for (const [i, field] of [2, sequence, deviceId, 0, 0, target].entries()) bytes.writeUInt32BE(field, 4 * i);
  return bytes;
}

/** An importer of one board. */
export class UsbIpClient {
  readonly peer: Peer;
  private readonly deviceId: number;
  private sequence = 0;
  private readonly sentIn = new Map<number, boolean>();

  constructor(peer: Peer, busId: string) {
    this.peer = peer;
    this.deviceId = DEVICE_ID(busId);
  }

  static async importing(address: string, busId = '1-1'): Promise<UsbIpClient> {
    const peer = await Peer.open(address);
    peer.write(operation(0x8003, busId));
    const head = await peer.read(8);
    if (head.readUInt32BE(4) !== 0) throw new Error(`import refused: ${head.readUInt32BE(4)}`);
    await peer.read(312);
    const client = new UsbIpClient(peer, busId);
    await client.control([0, 9, 1, 0, 0]); // SET_CONFIGURATION
    return client;
  }

  /** Sends an URB; its sequence number. */
  send(urb: Omit<Urb, 'sequence'>): number {
    const sequence = ++this.sequence;
    this.sentIn.set(sequence, urb.isIn);
    this.peer.write(submit({ deviceId: this.deviceId, ...urb, sequence }));
    return sequence;
  }

  unlink(target: number): number {
    const sequence = ++this.sequence;
    this.peer.write(unlink(sequence, target, this.deviceId));
    return sequence;
  }

  /** The next message of the server. */
  async next(): Promise<Returned> {
    const head = await this.peer.read(48);
    const command = head.readUInt32BE(0);
    const sequence = head.readUInt32BE(4);
    const actual = command === 3 ? head.readUInt32BE(24) : 0;
    const data = this.sentIn.get(sequence) && actual > 0 ? await this.peer.read(actual) : Buffer.alloc(0);
    return { command, sequence, status: head.readInt32BE(20), actual, data: Buffer.from(data) };
  }

  async control(setup: readonly [number, number, number, number, number], data?: Uint8Array): Promise<Returned> {
    const isIn = (setup[0] & 0x80) !== 0;
    const sequence = this.send({ endpoint: 0, isIn, length: setup[4], setup, ...(data ? { data } : {}) });
    const reply = await this.next();
    if (reply.sequence !== sequence) throw new Error(`answer to ${reply.sequence}, not to ${sequence}`);
    return reply;
  }
}
