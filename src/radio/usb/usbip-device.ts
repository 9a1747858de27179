import type { Socket } from 'node:net';
import { type ControlRequest, type UsbBoard, type UsbDevice, UsbError, type UsbInterface } from './usb.ts';
import type { ImportedDevice } from './usbip-link.ts';
import { RET_SUBMIT, ReplyParser, submitMessage, type TransferReply, unlinkMessage } from './usbip-wire.ts';

/** One transfer at the server. */
interface Pending {
  readonly sequence: number;
  /** With the direction; 0 for control transfers. */
  readonly endpoint: number;
  readonly isIn: boolean;
  readonly length: number;
  /** Where data goes; null once the caller was told that the transfer is over. */
  into: Uint8Array | null;
  /** Why it is being ended early. */
  ending: 'timeout' | 'cancelled' | null;
  timer: NodeJS.Timeout | null;
  /** Null once the caller knows. */
  settle: ((result: number | UsbError) => void) | null;
}

/** How long a server may take to give up a transfer before the caller is told all the same. */
const UNLINK_MS = 80;
/** Transfers that a server never gave back; beyond this the connection is given up. */
const MAX_ABANDONED = 256;
const MAX_TRANSFER_BYTES = 2 ** 24;
const DEFAULT_CONTROL_MS = 1000;

/**
 * An imported device of a USB/IP server. Opened in two steps: `start` lets transfers run, and the bus reads the descriptors with them
 * and sets `board` and `interfaces`.
 */
export class UsbipDevice implements UsbDevice {
  board!: UsbBoard;
  interfaces: readonly UsbInterface[] = [];
  private readonly socket: Socket;
  private readonly deviceId: number;
  private readonly pending = new Map<number, Pending>();
  /** Sequence numbers of unlink messages, and what they end. */
  private readonly unlinks = new Map<number, Pending>();
  private readonly goneListeners = new Set<() => void>();
  private readonly parser = new ReplyParser({
    dataBytes: (reply) => this.dataBytes(reply),
    data: (reply, offset, bytes) => this.pending.get(reply.sequence)?.into?.set(bytes, offset),
    done: (reply) => this.replied(reply),
  });
  private sequence = 0;
  private abandoned = 0;
  private over: UsbError | null = null;
  private closing: Promise<void> | null = null;

  constructor(
    imported: ImportedDevice,
    private readonly name: string,
  ) {
    this.socket = imported.socket;
    this.deviceId = imported.info.deviceId;
    this.socket.on('data', (bytes: Buffer) => this.arrived(bytes));
    this.socket.on('error', (error) => this.lose(error.message));
    this.socket.on('end', () => this.lose('the server closed the connection'));
    this.socket.on('close', () => this.lose('the connection closed'));
    if (imported.rest.length > 0) this.arrived(imported.rest);
    if (this.socket.destroyed) this.lose('the connection closed');
    this.socket.resume();
  }

  async claim(interfaceNumber: number): Promise<void> {
    if (this.over) throw this.over;
    if (!this.interfaces.some((entry) => entry.number === interfaceNumber)) {
      throw new UsbError('io', `${this.name} has no interface ${interfaceNumber}`);
    }
  }

  async controlIn(request: ControlRequest, length: number, timeoutMs = DEFAULT_CONTROL_MS): Promise<Uint8Array> {
    const into = new Uint8Array(length);
    const count = await this.transfer(0, true, length, setupOf(request, length), null, into, timeoutMs);
    return into.subarray(0, count);
  }

  async controlOut(request: ControlRequest, data?: Uint8Array, timeoutMs = DEFAULT_CONTROL_MS): Promise<void> {
    const length = data?.length ?? 0;
    await this.transfer(0, false, length, setupOf(request, length), data ?? null, null, timeoutMs);
  }

  bulkIn(endpoint: number, into: Uint8Array, timeoutMs: number): Promise<number> {
    return this.transfer(endpoint, true, into.length, null, null, into, timeoutMs);
  }

  bulkOut(endpoint: number, data: Uint8Array, timeoutMs: number): Promise<number> {
    return this.transfer(endpoint, false, data.length, null, data, null, timeoutMs);
  }

  async cancel(endpoint: number): Promise<void> {
    const ended = [...this.pending.values()].filter((entry) => entry.endpoint === endpoint && entry.settle);
    // The last one first: none may get the bytes of one before it.
    ended.reverse();
    await Promise.all(ended.map((entry) => this.endEarly(entry, 'cancelled')));
  }

  onGone(listener: () => void): void {
    this.goneListeners.add(listener);
  }

  close(): Promise<void> {
    this.closing ??= (async () => {
      const ended = [...this.pending.values()].filter((entry) => entry.settle);
      await Promise.all(ended.map((entry) => this.endEarly(entry, 'cancelled')));
      this.goneListeners.clear();
      this.lose('it was closed');
    })();
    return this.closing;
  }

  private transfer(
    endpoint: number,
    isIn: boolean,
    length: number,
    setup: Uint8Array | null,
    data: Uint8Array | null,
    into: Uint8Array | null,
    timeoutMs: number,
  ): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.over) throw this.over;
      if (length > MAX_TRANSFER_BYTES) throw new UsbError('io', `a USB transfer of ${length} bytes is too long`);
      const sequence = this.nextSequence();
      const entry: Pending = { sequence, endpoint, isIn, length, into, ending: null, timer: null, settle: null };
      entry.settle = (result) => {
        if (entry.timer) clearTimeout(entry.timer);
        entry.settle = null;
        entry.into = null;
        if (typeof result === 'number') resolve(result);
        else reject(result);
      };
      this.pending.set(sequence, entry);
      if (timeoutMs > 0) entry.timer = setTimeout(() => void this.endEarly(entry, 'timeout'), timeoutMs);
      const message = { sequence, deviceId: this.deviceId, endpoint: endpoint & 0x7f, isIn, length, setup, data };
      this.socket.write(submitMessage(message));
    });
  }

  /** Asks the server to give a transfer up; resolves when the caller of the transfer knows. */
  private endEarly(entry: Pending, why: 'timeout' | 'cancelled'): Promise<void> {
    return new Promise((resolve) => {
      const settle = entry.settle;
      if (!settle) return resolve();
      entry.settle = (result) => {
        settle(result);
        resolve();
      };
      if (entry.ending) return undefined;
      entry.ending = why;
      if (entry.timer) clearTimeout(entry.timer);
      const sequence = this.nextSequence();
      this.unlinks.set(sequence, entry);
      const message = { sequence, deviceId: this.deviceId, endpoint: entry.endpoint & 0x7f, isIn: entry.isIn };
      this.socket.write(unlinkMessage(message, entry.sequence));
      entry.timer = setTimeout(() => {
        entry.settle?.(this.endedError(why));
        if (++this.abandoned > MAX_ABANDONED) this.lose('the server does not give transfers back');
      }, UNLINK_MS);
      return undefined;
    });
  }

  private endedError(why: 'timeout' | 'cancelled'): UsbError {
    return new UsbError(why, `${this.name}: ${why === 'timeout' ? 'no answer in time' : 'the transfer was cancelled'}`);
  }

  private nextSequence(): number {
    do {
      this.sequence = (this.sequence + 1) >>> 0;
    } while (this.sequence === 0 || this.pending.has(this.sequence) || this.unlinks.has(this.sequence));
    return this.sequence;
  }

  private arrived(bytes: Buffer): void {
    if (this.over) return;
    try {
      this.parser.push(bytes);
    } catch (error) {
      this.lose((error as Error).message);
    }
  }

  private dataBytes(reply: TransferReply): number {
    if (reply.command !== RET_SUBMIT) return 0;
    const entry = this.pending.get(reply.sequence);
    if (!entry) throw new UsbError('io', `the server answers transfer ${reply.sequence}, which nobody waits for`);
    if (reply.length > entry.length) {
      throw new UsbError('io', `the server sends ${reply.length} bytes where ${entry.length} were asked for`);
    }
    return entry.isIn ? reply.length : 0;
  }

  private replied(reply: TransferReply): void {
    if (reply.command === RET_SUBMIT) {
      const entry = this.pending.get(reply.sequence)!;
      this.pending.delete(reply.sequence);
      if (!entry.settle) this.abandoned--;
      else entry.settle(reply.status === 0 ? reply.length : this.statusError(reply.status, entry.ending));
      if (reply.status === -19 || reply.status === -108) this.lose('the board was pulled');
      return;
    }
    const entry = this.unlinks.get(reply.sequence);
    if (!entry) throw new UsbError('io', `the server answers unlink ${reply.sequence}, which nobody waits for`);
    this.unlinks.delete(reply.sequence);
    // Status 0: the transfer was done before, and its own reply has come or comes.
    if (reply.status === 0 || !this.pending.delete(entry.sequence)) return;
    if (entry.settle) entry.settle(this.endedError(entry.ending ?? 'cancelled'));
    else this.abandoned--;
  }

  /** Negative errno of Linux, as the server's kernel reports it. */
  private statusError(status: number, ending: 'timeout' | 'cancelled' | null): UsbError {
    if (status === -32) return new UsbError('stall', `${this.name} refused the request`);
    if (status === -19 || status === -108) return new UsbError('gone', `${this.name} is gone: the board was pulled`);
    if (status === -110) return new UsbError('timeout', `${this.name}: no answer in time`);
    if (status === -2 || status === -103 || status === -104) return this.endedError(ending ?? 'cancelled');
    return new UsbError('io', `${this.name}: USB transfer failed (status ${status})`);
  }

  /** The connection is over, for whatever reason: everything pending is gone. */
  private lose(reason: string): void {
    if (this.over) return;
    this.over = new UsbError('gone', `${this.name} is gone: ${reason}`);
    this.socket.destroy();
    for (const entry of this.pending.values()) entry.settle?.(this.over);
    this.pending.clear();
    this.unlinks.clear();
    for (const listener of this.goneListeners) listener();
    this.goneListeners.clear();
  }
}

function setupOf(request: ControlRequest, length: number): Uint8Array {
  const setup = Buffer.alloc(8);
  setup.writeUInt8(request.requestType, 0);
  setup.writeUInt8(request.request, 1);
  setup.writeUInt16LE(request.value, 2);
  setup.writeUInt16LE(request.index, 4);
  setup.writeUInt16LE(length, 6);
  return setup;
}
