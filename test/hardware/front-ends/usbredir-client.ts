import { Peer } from './peer.ts';

/** A usbredir host, written from usbredirproto.h for tests of the server. */
export interface Packet {
  readonly type: number;
  readonly id: number;
  readonly body: Buffer;
}

/** All capabilities that QEMU 7.2 offers. */
export const QEMU_CAPABILITIES = 0xff;

export class UsbRedirClient {
  readonly peer: Peer;
  private readonly wide: boolean;
  /** Bytes of a bulk header. */
  readonly bulkHead: number;

  private constructor(peer: Peer, capabilities: number) {
    this.peer = peer;
    this.wide = (capabilities & (1 << 5)) !== 0;
    this.bulkHead = (capabilities & (1 << 6)) !== 0 ? 10 : 8;
  }

  /** Says hello both ways. */
  static async open(address: string, capabilities = QEMU_CAPABILITIES): Promise<UsbRedirClient> {
    const peer = await Peer.open(address);
    const head = await peer.read(12);
    if (head.readUInt32LE(0) !== 0) throw new Error('no hello');
    const hello = await peer.read(head.readUInt32LE(4));
    const own = Buffer.alloc(12 + 68);
    own.writeUInt32LE(68, 4);
    own.write('test', 12);
    own.writeUInt32LE(capabilities, 76);
    peer.write(own);
    return new UsbRedirClient(peer, capabilities & hello.readUInt32LE(64));
  }

  /** Hello, what the board looks like, configuration 1. */
  static async configured(address: string): Promise<UsbRedirClient> {
    const client = await UsbRedirClient.open(address);
    for (const type of [4, 5, 1]) await client.expect(type);
    client.send(6, 1, [1]);
    for (const type of [4, 5, 8]) await client.expect(type);
    return client;
  }

  send(type: number, id: number, ...parts: (Uint8Array | readonly number[])[]): void {
    const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
    const head = Buffer.alloc(this.wide ? 16 : 12);
    head.writeUInt32LE(type, 0);
    head.writeUInt32LE(body.length, 4);
    head.writeUInt32LE(id, 8);
    this.peer.write(head, body);
  }

  async next(): Promise<Packet> {
    const head = await this.peer.read(this.wide ? 16 : 12);
    const [type, length, id] = [0, 4, 8].map((at) => head.readUInt32LE(at));
    return { type, id, body: Buffer.from(await this.peer.read(length)) };
  }

  async expect(type: number): Promise<Packet> {
    const packet = await this.next();
    if (packet.type !== type) throw new Error(`packet of type ${packet.type}, not ${type}`);
    return packet;
  }

  control(id: number, [type, request, value, index, length]: readonly number[], data: Uint8Array = EMPTY): void {
    const head = Buffer.alloc(10);
    head.set([type & 0x80, request, type, 0]);
    head.writeUInt16LE(value, 4);
    head.writeUInt16LE(index, 6);
    head.writeUInt16LE(length, 8);
    this.send(100, id, head, data);
  }

  bulk(id: number, endpoint: number, length: number, data: Uint8Array = EMPTY): void {
    const head = Buffer.alloc(this.bulkHead);
    head[0] = endpoint;
    head.writeUInt16LE(length & 0xffff, 2);
    if (this.bulkHead === 10) head.writeUInt16LE(length >>> 16, 8);
    this.send(101, id, head, data);
  }

  /** The next bulk answer: id, status, length, data. */
  async answer(): Promise<[number, number, number, Buffer]> {
    const { id, body } = await this.expect(101);
    const high = this.bulkHead === 10 ? body.readUInt16LE(8) : 0;
    return [id, body[1], high * 65_536 + body.readUInt16LE(2), body.subarray(this.bulkHead)];
  }
}

const EMPTY = new Uint8Array(0);
