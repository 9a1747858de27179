import type { Socket } from 'node:net';
import type { ControlReply } from '../usb-device.ts';
import type { Ended, UsbLink } from '../usb-port.ts';
import { HostConnection, MAX_TRANSFER_BYTES, type TransferEnd } from './host-connection.ts';
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

/** USB_RT_PORT, SET_FEATURE, PORT_RESET: how an importer asks for a bus reset (drivers/usb/usbip/stub_rx.c). */
const PORT_RESET = { requestType: 0x23, request: 3, value: 4 } as const;

/** One client of a USB/IP server. */
export class UsbIpConnection extends HostConnection {
  private readonly boards: readonly UsbIpBoard[];
  private imported: { readonly link: UsbLink; readonly deviceId: number } | null = null;

  constructor(socket: Socket, boards: readonly UsbIpBoard[], onProblem: (text: string) => void) {
    super(socket, 'USB/IP', onProblem);
    this.boards = boards;
  }

  protected takeMessage(): boolean {
    return this.imported ? this.urb(this.imported) : this.operation();
  }

  protected gone(): void {
    this.imported?.link.detach();
    this.imported = null;
  }

  private operation(): boolean {
    if (this.input.length < OP_BYTES) return false;
    const head = this.input.peek(OP_BYTES);
    if (head.readUInt16BE(0) !== USBIP_VERSION)
      return this.refuse(`version ${head.readUInt16BE(0).toString(16)} is not 111`);
    const code = head.readUInt16BE(2);
    if (code === Op.requestDevlist) {
      this.input.take(OP_BYTES);
      this.finish(opReply(Op.replyDevlist, OpStatus.ok, deviceList(this.boards)));
      return false;
    }
    if (code !== Op.requestImport) return this.refuse(`operation ${code.toString(16)} is not known`);
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
    this.settled();
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
    if (this.isUnderWay(header.sequence)) return this.refuse(`sequence number ${header.sequence} is under way`);
    const payload = header.isIn ? 0 : header.bufferBytes;
    if (this.input.length < URB_HEADER_BYTES + payload) return false;
    // The setup packet must outlive the input's chunk.
    const whole = { ...header, setup: Buffer.from(header.setup) };
    this.input.take(URB_HEADER_BYTES);
    // The data may be kept by the model: a chunk of the socket is never written again.
    this.submit(link, whole, this.input.take(payload));
    return true;
  }

  private submit(link: UsbLink, urb: UrbHeader, data: Buffer): void {
    const { sequence, isIn, endpoint, bufferBytes } = urb;
    const transfer = (signal: AbortSignal) => {
      if (endpoint === 0) return this.control(link, urb, data, signal);
      return isIn ? link.bulkIn(endpoint | 0x80, bufferBytes, signal) : link.bulkOut(endpoint, data, signal);
    };
    if (this.start(sequence, bufferBytes, transfer, (end, paid) => this.answer(urb, end, paid))) return;
    this.socket.write(retSubmit(sequence, UrbStatus.noMemory, 0));
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

  private answer(urb: UrbHeader, reply: TransferEnd, paid: () => void): void {
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
    this.socket.write(retUnlink(sequence, this.forget(target) ? UrbStatus.unlinked : UrbStatus.ok));
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
}

const STATUS_OF: { readonly [K in 'ok' | 'stall' | 'failed' | Ended]: number } = {
  ok: UrbStatus.ok,
  stall: UrbStatus.stall,
  failed: UrbStatus.protocol,
  cancelled: UrbStatus.unlinked,
  unplugged: UrbStatus.noDevice,
};
