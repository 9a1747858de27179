import type { Socket } from 'node:net';
import { StandardRequest } from '../standard-requests.ts';
import type { UsbLink, UsbPort } from '../usb-port.ts';
import { HostConnection, MAX_TRANSFER_BYTES, type TransferEnd } from './host-connection.ts';
import {
  type Abilities,
  abilitiesOf,
  bulkHead,
  Capability,
  deviceConnect,
  endpointInfo,
  interfaceInfo,
  isHelloLength,
  NO_ABILITIES,
  ownHello,
  type PacketHead,
  PacketType,
  packetHead,
  readBulkHead,
  readHead,
  Status,
} from './usbredir-wire.ts';

/** Longest packet beside bulk: a control packet with its data. */
const MAX_SMALL_PACKET_BYTES = 10 + 0xffff;
const CONTROL_HEAD_BYTES = 10;
const EMPTY = new Uint8Array(0);

type Answer = (status: number, data: Uint8Array) => void;

/** One connection of a usbredir host. */
export class UsbRedirConnection extends HostConnection {
  private readonly port: UsbPort;
  private readonly link: UsbLink | null;
  /** Null before the other end's hello. */
  private abilities: Abilities | null = null;
  private isAnnounced = false;
  /** The host has still to acknowledge that the board is gone; what it asks before that was meant for the board it had. */
  private awaitsAck = false;

  constructor(socket: Socket, port: UsbPort, onProblem: (text: string) => void) {
    super(socket, 'usbredir', onProblem);
    this.port = port;
    const link = port.attach({ onUnplug: () => this.disconnect(), onPlug: () => this.announce() });
    this.link = link === 'busy' ? null : link;
    if (this.link) this.send(PacketType.hello, 0n, ownHello());
    else this.refuse('the board has another host');
  }

  protected takeMessage(): boolean {
    const abilities = this.abilities ?? NO_ABILITIES;
    if (!this.link || this.input.length < abilities.headerBytes) return false;
    const head = readHead(this.input.peek(abilities.headerBytes), abilities);
    const problem = this.wrongLength(head, abilities);
    if (problem) return this.refuse(problem);
    if (this.input.length < abilities.headerBytes + head.length) return false;
    this.input.take(abilities.headerBytes);
    this.packet(this.link, head, this.input.take(head.length));
    return true;
  }

  protected gone(): void {
    this.link?.detach();
  }

  /** What is wrong with a packet's length, before anything of it is kept; null when nothing is. */
  private wrongLength({ type, length }: PacketHead, abilities: Abilities): string | null {
    if (!this.abilities) {
      return type === PacketType.hello && isHelloLength(length) ? null : 'it does not begin with a hello';
    }
    const [min, max] =
      type === PacketType.bulk
        ? [abilities.bulkHeaderBytes, abilities.bulkHeaderBytes + MAX_TRANSFER_BYTES]
        : [MIN_BYTES.get(type) ?? 0, MAX_SMALL_PACKET_BYTES];
    return length >= min && length <= max ? null : `a packet of type ${type} with ${length} bytes`;
  }

  private packet(link: UsbLink, head: PacketHead, body: Buffer): void {
    const { type, id } = head;
    if (!this.abilities) {
      this.settled();
      this.abilities = abilitiesOf(body);
      this.announce();
    } else if (type === PacketType.hello) {
      this.refuse('a second hello');
    } else if (type === PacketType.disconnectAck) {
      this.awaitsAck = false;
      this.announce();
    } else if (this.isAnnounced) {
      this.request(link, type, id, body); // else it was meant for a board that was pulled
    }
  }

  private request(link: UsbLink, type: number, id: bigint, body: Buffer): void {
    switch (type) {
      case PacketType.reset:
        link.reset();
        break;
      case PacketType.cancel:
        this.cancel(id);
        break;
      case PacketType.setConfiguration:
        this.configure(link, id, StandardRequest.setConfiguration, body[0]);
        break;
      case PacketType.getConfiguration:
        this.send(PacketType.configurationStatus, id, Uint8Array.of(Status.success, link.configuration));
        break;
      case PacketType.setAlternate:
        this.configure(link, id, StandardRequest.setInterface, body[1], body[0]);
        break;
      case PacketType.getAlternate: {
        const alternate = link.alternateOf(body[0]);
        const status = alternate === null ? Status.stall : Status.success;
        this.send(PacketType.alternateStatus, id, Uint8Array.of(status, body[0], alternate ?? 0));
        break;
      }
      case PacketType.control:
        this.control(link, id, body);
        break;
      case PacketType.bulk:
        this.bulk(link, id, body);
        break;
      case PacketType.interrupt: // an interrupt OUT endpoint, which no board has
        this.send(type, id, Uint8Array.of(body[0], Status.stall, 0, 0));
        break;
      case PacketType.startInterrupt: // accepted; such an endpoint only ever answers NAK
      case PacketType.stopInterrupt:
        this.send(PacketType.interruptStatus, id, Uint8Array.of(Status.success, body[0]));
        break;
      case PacketType.startIso:
        this.send(PacketType.isoStatus, id, Uint8Array.of(Status.stall, body[0]));
        break;
      default: // filters, and what later versions add, need no answer
        break;
    }
  }

  /** SET_CONFIGURATION or SET_INTERFACE: endpoints are told again before the status. */
  private configure(link: UsbLink, id: bigint, request: number, value: number, index = 0): void {
    const isInterface = request === StandardRequest.setInterface;
    const setup = { requestType: isInterface ? 1 : 0, request, value, index, length: 0 };
    this.track(
      id,
      0,
      (signal) => link.control(setup, EMPTY, signal),
      (status) => {
        if (status === Status.success) this.tellEndpoints(link);
        if (isInterface) this.send(PacketType.alternateStatus, id, Uint8Array.of(status, index, value));
        else this.send(PacketType.configurationStatus, id, Uint8Array.of(status, link.configuration));
      },
    );
  }

  private control(link: UsbLink, id: bigint, body: Buffer): void {
    const [, request, requestType] = body;
    const [value, index, length] = [body.readUInt16LE(4), body.readUInt16LE(6), body.readUInt16LE(8)];
    const data = body.subarray(CONTROL_HEAD_BYTES);
    const answer: Answer = (status, reply) => {
      const head = Buffer.from(body.subarray(0, CONTROL_HEAD_BYTES));
      head[3] = status;
      const isIn = (requestType & 0x80) !== 0;
      head.writeUInt16LE(status !== Status.success ? 0 : isIn ? reply.length : length, 8);
      this.send(PacketType.control, id, head, reply);
    };
    const setup = { requestType, request, value, index, length };
    if (data.length !== ((requestType & 0x80) !== 0 ? 0 : length)) answer(Status.invalid, EMPTY);
    else this.track(id, length, (signal) => link.control(setup, data, signal), answer);
  }

  private bulk(link: UsbLink, id: bigint, body: Buffer): void {
    const abilities = this.abilities ?? NO_ABILITIES;
    const head = readBulkHead(body, abilities);
    const { endpoint, length } = head;
    const data = body.subarray(abilities.bulkHeaderBytes);
    const isIn = (endpoint & 0x80) !== 0;
    const answer: Answer = (status, reply) => {
      const actual = status !== Status.success ? 0 : isIn ? reply.length : length;
      this.send(PacketType.bulk, id, bulkHead(head, status, actual, abilities), reply);
    };
    const transfer = (signal: AbortSignal) =>
      isIn ? link.bulkIn(endpoint, length, signal) : link.bulkOut(endpoint, data, signal);
    if (data.length !== (isIn ? 0 : length) || length > MAX_TRANSFER_BYTES) answer(Status.invalid, EMPTY);
    else this.track(id, length, transfer, answer);
  }

  /** Keeps a transfer by its id until it ends, and answers it then. */
  private track(
    id: bigint,
    bytes: number,
    transfer: (signal: AbortSignal) => Promise<TransferEnd>,
    answer: Answer,
  ): void {
    if (this.isUnderWay(id)) {
      this.refuse(`packet id ${id} is under way`);
      return;
    }
    const started = this.start(id, bytes, transfer, (end, paid) => {
      if (end !== 'unplugged') {
        if (typeof end === 'string') answer(STATUS_OF[end], EMPTY);
        else answer(Status.success, end);
      }
      // When the socket has taken all that was written up to now.
      this.socket.write(EMPTY, paid);
    });
    if (!started) answer(Status.ioError, EMPTY);
  }

  /** Shows the board to a host that has said hello and has let go of the one before. */
  private announce(): void {
    if (!this.abilities || !this.link || !this.port.plugged || this.isAnnounced || this.awaitsAck) return;
    this.isAnnounced = true;
    this.tellEndpoints(this.link);
    this.send(PacketType.deviceConnect, 0n, deviceConnect(this.port, this.abilities));
  }

  private tellEndpoints(link: UsbLink): void {
    const alternateOf = (interfaceNumber: number) => link.alternateOf(interfaceNumber);
    this.send(PacketType.interfaceInfo, 0n, interfaceInfo(this.port, alternateOf));
    this.send(PacketType.endpointInfo, 0n, endpointInfo(this.port, this.abilities ?? NO_ABILITIES, alternateOf));
  }

  private disconnect(): void {
    if (!this.isAnnounced) return;
    this.isAnnounced = false;
    this.awaitsAck = this.abilities?.has(Capability.disconnectAck) ?? false;
    this.send(PacketType.deviceDisconnect, 0n);
  }

  private send(type: number, id: bigint, ...parts: Uint8Array[]): void {
    if (this.socket.destroyed) return;
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    this.socket.cork();
    this.socket.write(packetHead(this.abilities ?? NO_ABILITIES, type, length, id));
    for (const part of parts) if (part.length > 0) this.socket.write(part);
    this.socket.uncork();
  }
}

/** Least bytes of the packets whose bytes are read. */
const MIN_BYTES: ReadonlyMap<number, number> = new Map([
  [PacketType.setConfiguration, 1],
  [PacketType.setAlternate, 2],
  [PacketType.getAlternate, 1],
  [PacketType.startIso, 3],
  [PacketType.startInterrupt, 1],
  [PacketType.stopInterrupt, 1],
  [PacketType.control, CONTROL_HEAD_BYTES],
  [PacketType.interrupt, 4],
]);

const STATUS_OF: { readonly [K in 'ok' | 'stall' | 'failed' | 'cancelled']: number } = {
  ok: Status.success,
  stall: Status.stall,
  failed: Status.ioError,
  cancelled: Status.cancelled,
};
