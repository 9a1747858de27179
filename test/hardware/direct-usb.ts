import type { EmulatedUsbDevice, UsbSetup } from '../../hardware/emulated/usb-device.ts';
import {
  type ControlRequest,
  type UsbBoard,
  type UsbBus,
  type UsbDevice,
  UsbError,
  type UsbInterface,
  type UsbNumbers,
} from '../../src/radio/usb/usb.ts';
import { type FaultPlan, garbage, NO_FAULTS, type UsbFault, type UsbStep } from './usb-faults.ts';

const DEFAULT_CONTROL_TIMEOUT_MS = 1000;

/** A bus of emulated boards in this thread, without sockets, that can go wrong on purpose. */
export class DirectUsbBus implements UsbBus {
  faults: FaultPlan;
  /** Steps made on all boards so far. */
  steps = 0;
  /** Boards that are open and transfers under way: none may be left when a driver is done. */
  readonly held = { boards: 0, transfers: 0 };
  private readonly boards: DirectBoard[];

  constructor(devices: readonly EmulatedUsbDevice[], faults: FaultPlan = NO_FAULTS) {
    this.faults = faults;
    this.boards = devices.map((device, i) => new DirectBoard(device, `direct:${i + 1}`, this));
  }

  async list(wanted: readonly UsbNumbers[]): Promise<UsbBoard[]> {
    return this.boards
      .filter((board) => board.plugged)
      .map((board) => board.info())
      .filter((info) => wanted.some((w) => w.vendorId === info.vendorId && w.productId === info.productId));
  }

  async open(wanted: UsbBoard): Promise<DirectUsbDevice> {
    const board = this.boards.find((b) => b.path === wanted.path && b.plugged);
    if (!board) throw new UsbError('gone', `${wanted.path} is not on the bus`);
    if (board.opened) throw new UsbError('busy', `${wanted.path} is open already`);
    return new DirectUsbDevice(board);
  }

  /** Pulls the cable of a board: pending and later calls of whoever has it open end with `gone`. */
  unplug(index = 0): void {
    this.boards[index].unplug();
  }

  plug(index = 0): void {
    this.boards[index].plug();
  }

  describe(): string {
    return `${this.boards.length} emulated boards in this thread`;
  }
}

/** One socket of the bus and the board in it. */
class DirectBoard {
  readonly device: EmulatedUsbDevice;
  readonly path: string;
  readonly bus: DirectUsbBus;
  plugged = true;
  opened: DirectUsbDevice | null = null;

  constructor(device: EmulatedUsbDevice, path: string, bus: DirectUsbBus) {
    this.device = device;
    this.path = path;
    this.bus = bus;
    device.onConnection?.((plugged) => {
      if (!plugged) this.left();
      else this.plugged = true;
    });
  }

  info(): UsbBoard {
    const view = dataView(this.device.descriptors.device);
    const text = (index: number) => (index ? (this.device.descriptors.strings[index - 1] ?? null) : null);
    return {
      vendorId: view.getUint16(8, true),
      productId: view.getUint16(10, true),
      bcdDevice: view.getUint16(12, true),
      product: text(view.getUint8(15)),
      serial: text(view.getUint8(16)),
      path: this.path,
    };
  }

  unplug(): void {
    if (!this.plugged) return;
    this.device.unplug();
    this.left();
  }

  plug(): void {
    if (this.plugged) return;
    this.plugged = true;
    this.device.plug();
  }

  private left(): void {
    if (!this.plugged) return;
    this.plugged = false;
    this.opened?.lose();
    this.opened = null;
  }
}

interface Pending {
  readonly abort: AbortController;
  readonly fail: (error: UsbError) => void;
  readonly settled: Promise<unknown>;
}

/** A board opened directly. */
export class DirectUsbDevice implements UsbDevice {
  readonly board: UsbBoard;
  readonly interfaces: readonly UsbInterface[];
  private readonly socket: DirectBoard;
  private readonly pending = new Map<number, Set<Pending>>();
  /** End of the last transfer at each endpoint, since transfers end in the order in which they were asked for. */
  private readonly tails = new Map<number, Promise<unknown>>();
  private readonly listeners: (() => void)[] = [];
  private gone = false;
  private closed = false;

  constructor(socket: DirectBoard) {
    this.socket = socket;
    this.board = socket.info();
    const { configuration, strings } = socket.device.descriptors;
    this.interfaces = readInterfaces(configuration, strings);
    socket.opened = this;
    socket.bus.held.boards++;
    socket.device.reset();
  }

  async claim(interfaceNumber: number): Promise<void> {
    await this.run({ kind: 'claim', target: interfaceNumber, length: 0, endpoint: -1, timeoutMs: 1000 }, async () => {
      if (!this.interfaces.some((i) => i.number === interfaceNumber)) {
        throw new UsbError('io', `there is no interface ${interfaceNumber}`);
      }
    });
  }

  async controlIn(request: ControlRequest, length: number, timeoutMs = DEFAULT_CONTROL_TIMEOUT_MS) {
    const setup = { ...request, requestType: request.requestType | 0x80, length };
    const kind = 'controlIn';
    const step = { kind, target: request.request, length, endpoint: 0, timeoutMs } as const;
    return this.run(step, async (fault) => {
      const reply = await this.socket.device.control(setup, new Uint8Array(0));
      if (reply === 'stall') throw stalled(setup);
      const bytes = reply === 'ok' ? new Uint8Array(0) : reply.subarray(0, length);
      return spoil(bytes, length, fault).slice();
    });
  }

  async controlOut(
    request: ControlRequest,
    data: Uint8Array = new Uint8Array(0),
    timeoutMs = DEFAULT_CONTROL_TIMEOUT_MS,
  ) {
    const setup = { ...request, requestType: request.requestType & 0x7f, length: data.length };
    const step = { kind: 'controlOut', target: request.request, length: data.length, endpoint: 0, timeoutMs } as const;
    await this.run(step, async () => {
      if ((await this.socket.device.control(setup, data.slice())) === 'stall') throw stalled(setup);
    });
  }

  async bulkIn(endpoint: number, into: Uint8Array, timeoutMs: number): Promise<number> {
    const step = { kind: 'bulkIn', target: endpoint, length: into.length, endpoint, timeoutMs } as const;
    return this.run(step, async (fault, signal) => {
      const length = fault?.kind === 'short' ? Math.min(fault.bytes, into.length) : into.length;
      const reply = await this.socket.device.bulkIn(endpoint, length, signal);
      if (reply === 'stall') throw new UsbError('stall', `endpoint ${endpoint.toString(16)} is halted`);
      const bytes = spoil(reply, into.length, fault);
      return () => {
        into.set(bytes);
        return bytes.length;
      };
    });
  }

  async bulkOut(endpoint: number, data: Uint8Array, timeoutMs: number): Promise<number> {
    const step = { kind: 'bulkOut', target: endpoint, length: data.length, endpoint, timeoutMs } as const;
    return this.run(step, async (fault, signal) => {
      const sent = data.slice(0, fault?.kind === 'short' ? fault.bytes : data.length);
      const reply = await this.socket.device.bulkOut(endpoint, sent, signal);
      if (reply === 'stall') throw new UsbError('stall', `endpoint ${endpoint} is halted`);
      return sent.length;
    });
  }

  async cancel(endpoint: number): Promise<void> {
    await this.end(endpoint, new UsbError('cancelled', 'cancelled'));
  }

  onGone(listener: () => void): void {
    this.listeners.push(listener);
  }

  async close(): Promise<void> {
    if (!this.closed) this.socket.bus.held.boards--;
    this.closed = true;
    for (const endpoint of [...this.pending.keys()]) await this.end(endpoint, new UsbError('cancelled', 'closed'));
    if (this.socket.opened === this) this.socket.opened = null;
  }

  /** The board left the bus. */
  lose(): void {
    if (this.gone) return;
    this.gone = true;
    for (const endpoint of [...this.pending.keys()]) void this.end(endpoint, new UsbError('gone', 'the board is gone'));
    for (const listener of this.listeners) listener();
  }

  private async end(endpoint: number, error: UsbError): Promise<void> {
    const all = [...(this.pending.get(endpoint) ?? [])];
    for (const { abort, fail } of all) {
      abort.abort();
      fail(error);
    }
    await Promise.allSettled(all.map((p) => p.settled));
  }

  /**
   * One step with its fault and its time-out. `work` may return a function: it is called when the transfer ends in time
   * and gives the result, so that a late answer writes nothing.
   */
  private run<T>(
    step: Omit<UsbStep, 'step'> & { readonly endpoint: number; readonly timeoutMs: number },
    work: (fault: UsbFault | null, signal: AbortSignal) => Promise<T | (() => T)>,
  ): Promise<T> {
    if (this.gone) return Promise.reject(new UsbError('gone', 'the board is gone'));
    if (this.closed) return Promise.reject(new UsbError('io', 'the board is closed'));
    const { kind, target, length, endpoint, timeoutMs } = step;
    const fault = this.socket.bus.faults({ step: this.socket.bus.steps++, kind, target, length });
    const abort = new AbortController();
    const { held } = this.socket.bus;
    held.transfers++;
    let fail: (error: UsbError) => void = () => {};
    const failed = new Promise<never>((_resolve, reject) => {
      fail = reject;
    });
    const before = this.tails.get(endpoint) ?? Promise.resolve();
    const done = this.act(fault, abort.signal, work).then(async (result) => {
      await before;
      return result;
    });
    const timer = timeoutMs > 0 ? setTimeout(() => fail(new UsbError('timeout', 'timed out')), timeoutMs) : null;
    const result = Promise.race([done, failed])
      .then((value) => (typeof value === 'function' ? (value as () => T)() : value))
      .finally(() => {
        if (timer) clearTimeout(timer);
        held.transfers--;
        abort.abort();
        this.pending.get(endpoint)?.delete(entry);
      });
    const entry: Pending = { abort, fail, settled: result };
    this.pending.set(endpoint, (this.pending.get(endpoint) ?? new Set()).add(entry));
    this.tails.set(endpoint, Promise.allSettled([before, result]));
    done.catch(() => {});
    if (fault?.kind === 'unplug' && fault.when === 'before') this.socket.unplug();
    return result;
  }

  private async act<T>(
    fault: UsbFault | null,
    signal: AbortSignal,
    work: (fault: UsbFault | null, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    if (fault?.kind === 'stall') throw new UsbError('stall', 'refused by the board (injected)');
    if (fault?.kind === 'io') throw new UsbError('io', 'the bus reports an error (injected)');
    if (fault?.kind === 'timeout' || (fault?.kind === 'unplug' && fault.when === 'before'))
      return new Promise(() => {});
    const result = await work(fault, signal);
    if (fault?.kind === 'late') await new Promise((resolve) => setTimeout(resolve, fault.ms));
    if (fault?.kind === 'unplug') {
      this.socket.unplug();
      return new Promise(() => {});
    }
    return result;
  }
}

function spoil(bytes: Uint8Array, length: number, fault: UsbFault | null): Uint8Array {
  if (fault?.kind === 'short') return bytes.subarray(0, fault.bytes);
  if (fault?.kind === 'garbage') return garbage(fault.seed, Math.min(fault.bytes ?? bytes.length, length));
  return bytes;
}

function stalled(setup: UsbSetup): UsbError {
  return new UsbError('stall', `request ${setup.request} was refused by the board`);
}

/** The interfaces of a configuration descriptor (USB 2.0 §9.6). */
function readInterfaces(configuration: Uint8Array, strings: readonly string[]): UsbInterface[] {
  type Endpoint = UsbInterface['endpoints'][number];
  const found: { number: number; name: string | null; endpoints: Endpoint[] }[] = [];
  const view = dataView(configuration);
  for (let at = 0; at + 2 <= configuration.length && configuration[at] >= 2; at += configuration[at]) {
    if (configuration[at + 1] === 4) {
      const name = configuration[at + 8] ? (strings[configuration[at + 8] - 1] ?? null) : null;
      found.push({ number: configuration[at + 2], name, endpoints: [] });
    } else if (configuration[at + 1] === 5) {
      const maxPacketBytes = view.getUint16(at + 4, true) & 0x7ff;
      found.at(-1)?.endpoints.push({ address: configuration[at + 2], maxPacketBytes });
    }
  }
  return found;
}

function dataView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
