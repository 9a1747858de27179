import type { Socket } from 'node:net';
import type { ControlReply } from '../usb-device.ts';
import type { Ended, UsbLink } from '../usb-port.ts';
import { ByteQueue } from './byte-queue.ts';
import {
  BUS_ID_BYTES,
  busNumbers,
  Command,
  deviceList,
  deviceRecord,
  OP_BYTES,
  Op,
  OpStatus,
  opReply,
  readUrbHeader,
  retSubmit,
  retUnlink,
  URB_HEADER_BYTES,
  URB_SHORT_NOT_OK,
  type UrbHeader,
  UrbStatus,
  USBIP_VERSION,
  type UsbIpBoard,
} from './usbip-wire.ts';

/** Longest transfer. Linux splits usbfs transfers far below this. */
const MAX_TRANSFER_BYTES = 16 << 20;
/** What one importer may keep under way, replies that it has not read included. */
const MAX_BYTES_UNDER_WAY = 64 << 20;
const MAX_URBS_UNDER_WAY = 4096;
/** Replies waiting in the socket from which on nothing more is read. */
const MAX_UNSENT_BYTES = MAX_BYTES_UNDER_WAY + (8 << 20);
/** Within this an operation has to be asked for, ms. */
const OPERATION_WITHIN_MS = 30_000;

/** USB_RT_PORT, SET_FEATURE, PORT_RESET: how an importer asks for a bus reset (drivers/usb/usbip/stub_rx.c). */
const PORT_RESET = { requestType: 0x23, request: 3, value: 4 } as const;

/** One client of a USB/IP server. It may break the protocol as it likes: it loses its connection, nothing else happens. */
export class UsbIpConnection {
  private readonly socket: Socket;
  private readonly boards: readonly UsbIpBoard[];
  private readonly onProblem: (text: string) => void;
  private readonly input = new ByteQueue();
  private readonly urbs = new Map<number, AbortController>();
  private readonly operationTimer: NodeJS.Timeout;
  private imported: { readonly link: UsbLink; readonly deviceId: number } | null = null;
  private bytesUnderWay = 0;
  private isClosing = false;

  constructor(socket: Socket, boards: readonly UsbIpBoard[], onProblem: (text: string) => void) {
    this.socket = socket;
    this.boards = boards;
    this.onProblem = onProblem;
    this.operationTimer = setTimeout(() => this.refuse('no operation was asked for'), OPERATION_WITHIN_MS);
    this.operationTimer.unref();
    socket.on('data', (chunk: Buffer) => {
      if (this.isClosing) return;
      this.input.push(chunk);
      this.serve();
    });
    socket.on('drain', () => {
      if (!this.isClosing && socket.isPaused()) socket.resume();
    });
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => this.release());
  }

  /** Takes whole messages out of the input. */
  private serve(): void {
    while (!this.isClosing && (this.imported ? this.urb(this.imported) : this.operation())) {
      // the next one
    }
    if (this.socket.writableLength > MAX_UNSENT_BYTES) this.socket.pause();
  }

  private operation(): boolean {
    if (this.input.length < OP_BYTES) return false;
    const head = this.input.peek(OP_BYTES);
    if (head.readUInt16BE(0) !== USBIP_VERSION) {
      this.refuse(`version ${head.readUInt16BE(0).toString(16)} is not 111`);
      return false;
    }
    const code = head.readUInt16BE(2);
    if (code === Op.requestDevlist) {
      this.input.take(OP_BYTES);
      this.finish(opReply(Op.replyDevlist, OpStatus.ok, deviceList(this.boards)));
      return false;
    }
    if (code !== Op.requestImport) {
      this.refuse(`operation ${code.toString(16)} is not known`);
      return false;
    }
    if (this.input.length < OP_BYTES + BUS_ID_BYTES) return false;
    const busId = this.input
      .take(OP_BYTES + BUS_ID_BYTES)
      .toString('latin1', OP_BYTES)
      .replace(/\0.*$/s, '');
    return this.importBoard(busId);
  }

  private importBoard(busId: string): boolean {
    const board = this.boards.find((b) => b.busId === busId);
    if (!board?.port.plugged) {
      this.finish(opReply(Op.replyImport, OpStatus.noDevice));
      return false;
    }
    const link = board.port.attach({ onUnplug: () => this.finish(), onPlug: () => {} });
    if (link === 'busy') {
      this.finish(opReply(Op.replyImport, OpStatus.busy));
      return false;
    }
    clearTimeout(this.operationTimer);
    const { bus, device } = busNumbers(busId);
    this.imported = { link, deviceId: bus * 0x10000 + device };
    this.socket.write(opReply(Op.replyImport, OpStatus.ok, deviceRecord(busId, board.port)));
    return true;
  }

  private urb({ link, deviceId }: { readonly link: UsbLink; readonly deviceId: number }): boolean {
    if (this.input.length < URB_HEADER_BYTES) return false;
    const header = readUrbHeader(this.input.peek(URB_HEADER_BYTES));
    if (header.deviceId !== deviceId) return this.refuse(`device ${header.deviceId} was not imported here`);
    if (header.command === Command.unlink) {
      this.input.take(URB_HEADER_BYTES);
      this.unlink(header);
      return true;
    }
    if (header.command !== Command.submit) return this.refuse(`command ${header.command} is not known`);
    if (header.packets > 0) return this.refuse('isochronous transfers are not served');
    if (header.endpoint > 15) return this.refuse(`endpoint ${header.endpoint} cannot be`);
    if (header.bufferBytes > MAX_TRANSFER_BYTES) return this.refuse(`a transfer of ${header.bufferBytes} bytes`);
    if (this.urbs.has(header.sequence)) return this.refuse(`sequence number ${header.sequence} is under way`);
    const payload = header.isIn ? 0 : header.bufferBytes;
    if (this.input.length < URB_HEADER_BYTES + payload) return false;
    // The setup packet must outlive the input's chunk.
    const whole = { ...header, setup: Buffer.from(header.setup) };
    this.input.take(URB_HEADER_BYTES);
    // The data may be kept by the model: a chunk of the socket is never written again.
    void this.submit(link, whole, this.input.take(payload));
    return true;
  }

  private async submit(link: UsbLink, urb: UrbHeader, data: Buffer): Promise<void> {
    const { sequence, isIn, endpoint, bufferBytes } = urb;
    const cost = URB_HEADER_BYTES + bufferBytes;
    if (this.urbs.size >= MAX_URBS_UNDER_WAY || this.bytesUnderWay + cost > MAX_BYTES_UNDER_WAY) {
      this.socket.write(retSubmit(sequence, UrbStatus.noMemory, 0));
      return;
    }
    const cancel = new AbortController();
    this.urbs.set(sequence, cancel);
    this.bytesUnderWay += cost;
    let reply: ControlReply | Ended | 'failed';
    try {
      if (endpoint === 0) reply = await this.control(link, urb, data, cancel.signal);
      else if (isIn) reply = await link.bulkIn(endpoint | 0x80, bufferBytes, cancel.signal);
      else reply = await link.bulkOut(endpoint, data, cancel.signal);
    } catch (error) {
      reply = 'failed';
      this.onProblem(`USB/IP: endpoint ${endpoint}: ${error instanceof Error ? error.message : String(error)}`);
    }
    const paid = () => {
      this.bytesUnderWay -= cost;
    };
    if (this.urbs.get(sequence) !== cancel || this.socket.destroyed) return paid(); // unlinked, or nobody is there
    this.urbs.delete(sequence);
    this.answer(urb, reply, paid);
  }

  private control(link: UsbLink, urb: UrbHeader, data: Buffer, signal: AbortSignal): Promise<ControlReply | Ended> {
    const { setup, isIn, bufferBytes } = urb;
    const [requestType, request] = setup;
    const value = setup.readUInt16LE(2);
    const { requestType: type, request: feature, value: selector } = PORT_RESET;
    if (requestType === type && request === feature && value === selector) {
      link.reset();
      return Promise.resolve('ok');
    }
    if (((requestType & 0x80) !== 0) !== isIn && setup.readUInt16LE(6) !== 0) return Promise.resolve('stall');
    const length = Math.min(setup.readUInt16LE(6), isIn ? bufferBytes : 0xffff);
    return link.control({ requestType, request, value, index: setup.readUInt16LE(4), length }, data, signal);
  }

  private answer(urb: UrbHeader, reply: ControlReply | Ended | 'failed', paid: () => void): void {
    const { sequence, isIn, bufferBytes, flagsOrTarget } = urb;
    if (typeof reply === 'string') {
      const status = STATUS_OF[reply];
      this.socket.write(retSubmit(sequence, status, status === 0 && !isIn ? bufferBytes : 0), paid);
      return;
    }
    const data = reply.subarray(0, bufferBytes);
    const short = data.length < bufferBytes && (flagsOrTarget & URB_SHORT_NOT_OK) !== 0;
    this.socket.cork();
    const head = retSubmit(sequence, short ? UrbStatus.shortRead : UrbStatus.ok, data.length);
    this.socket.write(head, data.length === 0 ? paid : undefined);
    if (data.length > 0) this.socket.write(data, paid);
    this.socket.uncork();
  }

  private unlink({ sequence, flagsOrTarget: target }: UrbHeader): void {
    const urb = this.urbs.get(target);
    this.urbs.delete(target);
    urb?.abort();
    this.socket.write(retUnlink(sequence, urb ? UrbStatus.unlinked : UrbStatus.ok));
  }

  /** Sends what is left and ends the connection; URBs that were called off by an unplug are answered before. */
  private finish(last?: Buffer): void {
    if (this.isClosing) return;
    this.isClosing = true;
    this.input.clear();
    // The answers of transfers that have just ended are written in this turn of the event loop.
    setImmediate(() => {
      if (last) this.socket.end(last);
      else this.socket.end();
      setTimeout(() => this.socket.destroy(), 2000).unref();
    });
  }

  private refuse(why: string): false {
    if (!this.isClosing) this.onProblem(`USB/IP: a client was cut off: ${why}`);
    this.isClosing = true;
    this.socket.destroy();
    return false;
  }

  private release(): void {
    clearTimeout(this.operationTimer);
    this.isClosing = true;
    this.input.clear();
    const { imported } = this;
    this.imported = null;
    this.urbs.clear();
    imported?.link.detach();
  }
}

const STATUS_OF: { readonly [K in 'ok' | 'stall' | 'failed' | Ended]: number } = {
  ok: UrbStatus.ok,
  stall: UrbStatus.stall,
  failed: UrbStatus.protocol,
  cancelled: UrbStatus.unlinked,
  unplugged: UrbStatus.noDevice,
};
