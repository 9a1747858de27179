import { DeviceError } from '../../common/errors.ts';
import { type UsbDevice, UsbError, type UsbInterface } from '../usb/usb.ts';
import type { ByteTransport, Connector } from './byte-transport.ts';
import { IiodError, within } from './iiod-error.ts';

/** Vendor and product of a Pluto in normal operation (Analog Devices). */
export const PLUTO_USB = { vendorId: 0x0456, productId: 0xb673 } as const;

/** Requests of IIOD over USB, to the interface (libiio usb.c). */
const RESET_PIPES = 0;
const OPEN_PIPE = 1;
const CLOSE_PIPE = 2;
const VENDOR_TO_INTERFACE = 0x41;
/** libiio waits 1 s. The server only starts or stops a thread; what is asked after a stall adds up. */
const CONTROL_TIMEOUT_MS = 250;
/** CLEAR_FEATURE(ENDPOINT_HALT), to an endpoint. */
const CLEAR_HALT = { requestType: 0x02, request: 1, value: 0 } as const;

/** Most bytes in one transfer, as libiio: larger ones need contiguous memory in some kernels. */
const MAX_TRANSFER_BYTES = 1 << 20;

interface Couple {
  readonly inAddress: number;
  readonly outAddress: number;
  readonly packetBytes: number;
  /** The pipe that has it; and while that is being closed, the end of that. */
  inUse: boolean;
  closing: Promise<void> | null;
  /** An endpoint was halted and answers STALL until that is cleared (USB 2.0 §9.4.5). */
  halted: boolean;
}

/** The interface named "IIO" of an open board; a DeviceError names what is there instead. */
export function findIioInterface(device: UsbDevice): UsbInterface {
  const found = device.interfaces.find((candidate) => candidate.name === 'IIO');
  if (found) return found;
  const names = device.interfaces.map((candidate) => candidate.name ?? 'unnamed').join(', ') || 'none';
  throw new DeviceError(
    `${device.board.path}: no interface named IIO (there are: ${names})`,
    'is the board in DFU or mass-storage-only mode? Unplug it and plug it in again',
  );
}

/**
 * Couples of an IN and an OUT endpoint, in descriptor order; a DeviceError where they do not come in couples.
 */
export function endpointCouples(iio: UsbInterface): { inAddress: number; outAddress: number; packetBytes: number }[] {
  const { endpoints } = iio;
  if (endpoints.length < 2 || endpoints.length % 2 || endpoints.length > 30) {
    throw new DeviceError(`IIO interface has ${endpoints.length} endpoints; needed: 2 to 30, in couples`);
  }
  const couples = [];
  for (let i = 0; i < endpoints.length; i += 2) {
    const [first, second] = [endpoints[i], endpoints[i + 1]];
    const packetBytes = first.maxPacketBytes;
    if (!(first.address & 0x80) || second.address & 0x80 || !(packetBytes >= 8 && packetBytes <= 1024)) {
      throw new DeviceError(`IIO interface: endpoints ${i} and ${i + 1} are no couple of IN and OUT`);
    }
    couples.push({ inAddress: first.address, outAddress: second.address, packetBytes });
  }
  return couples;
}

/** The request that closes all pipes, and with them all buffers: what a dying host leaves behind. */
export function resetPipesRequest(interfaceNumber: number) {
  return { requestType: VENDOR_TO_INTERFACE, request: RESET_PIPES, value: 0, index: interfaceNumber } as const;
}

/**
 * Connections to the IIOD server of a board on USB: pipe n over endpoint couple n (facts: pipes are opened and closed by control
 * requests). `pipes` says which couples this connector may use, so that two threads can share a board.
 */
export class UsbConnector implements Connector {
  private readonly device: UsbDevice;
  private readonly interfaceNumber: number;
  private readonly couples: Couple[];
  private readonly usable: readonly number[];

  private constructor(device: UsbDevice, iio: UsbInterface, pipes: readonly number[] | null) {
    this.device = device;
    this.interfaceNumber = iio.number;
    this.couples = endpointCouples(iio).map((couple) => ({ ...couple, inUse: false, closing: null, halted: false }));
    this.usable = (pipes ?? [...this.couples.keys()]).filter((pipe) => pipe < this.couples.length);
  }

  /** Claims the interface and closes whatever pipes an earlier program left open. */
  static async open(device: UsbDevice, pipes: readonly number[] | null = null): Promise<UsbConnector> {
    const connector = new UsbConnector(device, findIioInterface(device), pipes);
    await translated(device.claim(connector.interfaceNumber));
    await connector.control(RESET_PIPES, 0);
    return connector;
  }

  /** For a thread beside the one that opened the board: claims and resets nothing. */
  static share(device: UsbDevice, pipes: readonly number[]): UsbConnector {
    return new UsbConnector(device, findIioInterface(device), pipes);
  }

  get pipeCount(): number {
    return this.couples.length;
  }

  async connect(_timeoutMs: number): Promise<ByteTransport> {
    const free = () => this.usable.find((candidate) => !this.couples[candidate].inUse);
    let pipe = free();
    if (pipe === undefined) {
      const closing = this.usable.flatMap((candidate) => this.couples[candidate].closing ?? []);
      if (closing.length > 0) await Promise.race(closing);
      pipe = free();
    }
    if (pipe === undefined) {
      throw new DeviceError(
        `${this.describe()}: all ${this.couples.length} pipes are in use`,
        'close a stream, or use pluto:ip: instead',
      );
    }
    const couple = this.couples[pipe];
    couple.inUse = true;
    try {
      if (couple.halted) await this.clearHalt(couple);
      await this.control(OPEN_PIPE, pipe);
    } catch (error) {
      couple.inUse = false;
      throw error;
    }
    return new UsbPipe(this.device, couple, `${this.describe()} pipe ${pipe}`, () =>
      this.control(CLOSE_PIPE, pipe).catch(() => undefined),
    );
  }

  async close(): Promise<void> {
    await this.control(RESET_PIPES, 0).catch(() => undefined);
  }

  describe(): string {
    return `usb ${this.device.board.path}`;
  }

  private async clearHalt(couple: Couple): Promise<void> {
    for (const index of [couple.inAddress, couple.outAddress]) {
      // Where that is refused, the next transfer tells whether it was needed.
      await this.device.controlOut({ ...CLEAR_HALT, index }, undefined, CONTROL_TIMEOUT_MS).catch(() => undefined);
    }
    couple.halted = false;
  }

  private control(request: number, value: number): Promise<void> {
    const setup = { requestType: VENDOR_TO_INTERFACE, request, value, index: this.interfaceNumber };
    return translated(this.device.controlOut(setup, undefined, CONTROL_TIMEOUT_MS));
  }
}

/** One couple of endpoints as a stream of bytes. */
class UsbPipe implements ByteTransport {
  private readonly device: UsbDevice;
  private readonly couple: Couple;
  private readonly name: string;
  private readonly onClose: () => Promise<void>;
  private readonly packet: Uint8Array;
  /** What came beyond what was asked for. */
  private rest: Uint8Array = new Uint8Array(0);
  private closing: Promise<void> | null = null;

  constructor(device: UsbDevice, couple: Couple, name: string, onClose: () => Promise<void>) {
    this.device = device;
    this.couple = couple;
    this.name = name;
    this.onClose = onClose;
    this.packet = new Uint8Array(couple.packetBytes);
  }

  async send(data: Uint8Array, timeoutMs: number): Promise<void> {
    for (let at = 0; at < data.length; ) {
      this.refuseClosed();
      const part = data.subarray(at, at + MAX_TRANSFER_BYTES);
      const sent = await within(
        this.noted(this.device.bulkOut(this.couple.outAddress, part, timeoutMs)),
        timeoutMs + 200,
        `${this.name} did not take ${part.length} bytes`,
      );
      if (!(sent > 0 && sent <= part.length)) throw new IiodError('gone', `${this.name}: a transfer of ${sent} bytes`);
      at += sent;
    }
  }

  /**
   * Asks for whole packets and for no more than `into` holds, so that a transfer ends either full or with a short packet: the server
   * sends no empty packet after a multiple of the packet size. Less than a packet is read into one of our own.
   */
  async receive(into: Uint8Array, timeoutMs: number): Promise<number> {
    this.refuseClosed();
    if (this.rest.length === 0) {
      const whole = Math.min(into.length, MAX_TRANSFER_BYTES);
      const direct = whole - (whole % this.couple.packetBytes);
      const target = direct > 0 ? into.subarray(0, direct) : this.packet;
      const count = await this.transfer(target, timeoutMs);
      if (direct > 0) return count;
      this.rest = this.packet.subarray(0, count);
    }
    const count = Math.min(this.rest.length, into.length);
    into.set(this.rest.subarray(0, count));
    this.rest = this.rest.subarray(count);
    return count;
  }

  sendNow(): boolean {
    return false;
  }

  close(): Promise<void> {
    if (this.closing) return this.closing;
    const { couple, device } = this;
    this.closing = (async () => {
      const endpoints = [couple.inAddress, couple.outAddress];
      await Promise.all(endpoints.map((endpoint) => device.cancel(endpoint).catch(() => undefined)));
      await this.onClose();
      couple.inUse = false;
      couple.closing = null;
    })();
    couple.closing = this.closing;
    return this.closing;
  }

  describe(): string {
    return this.name;
  }

  /** One transfer with at least one byte: empty ones say nothing and are asked again. */
  private async transfer(target: Uint8Array, timeoutMs: number): Promise<number> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const left = Math.max(1, deadline - performance.now());
      const count = await within(
        this.noted(this.device.bulkIn(this.couple.inAddress, target, Math.ceil(left))),
        left + 200,
        `${this.name} did not answer`,
      );
      if (count > 0 && count <= target.length) return count;
      if (count !== 0)
        throw new IiodError('protocol', `${this.name}: a transfer of ${count} bytes into ${target.length}`);
      this.refuseClosed();
      if (performance.now() >= deadline) throw new IiodError('timeout', `${this.name} sent only empty packets`);
    }
  }

  /** A transfer; remembers that the endpoint is halted. */
  private noted(transfer: Promise<number>): Promise<number> {
    transfer.catch((error) => {
      if (error instanceof UsbError && error.kind === 'stall') this.couple.halted = true;
    });
    return translated(transfer);
  }

  private refuseClosed(): void {
    if (this.closing) throw new IiodError('gone', `${this.name}: closed`);
  }
}

/** Errors of the bus as errors of a connection. */
async function translated<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    if (!(error instanceof UsbError)) throw error;
    if (error.kind === 'busy' || error.kind === 'permission' || error.kind === 'no-library') throw error;
    throw new IiodError(error.kind === 'timeout' ? 'timeout' : 'gone', error.message, null, error.hint);
  }
}
