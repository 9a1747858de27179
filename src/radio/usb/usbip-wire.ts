import { UsbError } from './usb.ts';

/**
 * Messages of USB/IP version 1.1.1 (Linux Documentation/usb/usbip_protocol.rst); all numbers big endian. First one request and
 * reply (list, import), then, on the same connection, the transfers of the imported device.
 */

const VERSION = 0x0111;
const REQUEST_LIST = 0x8005;
const REPLY_LIST = 0x0005;
const REQUEST_IMPORT = 0x8003;
const REPLY_IMPORT = 0x0003;
const BUS_ID_BYTES = 32;

export const OP_HEADER_BYTES = 8;
export const DEVICE_BYTES = 312;
export const INTERFACE_BYTES = 4;
/** Devices that one server may list. */
export const MAX_DEVICES = 512;

/** Header of every message of a transfer. */
export const TRANSFER_HEADER_BYTES = 48;
export const CMD_SUBMIT = 1;
export const CMD_UNLINK = 2;
export const RET_SUBMIT = 3;
export const RET_UNLINK = 4;
const URB_DIR_IN = 0x200;

/** A device as a server lists it. */
export interface UsbipDeviceInfo {
  readonly busId: string;
  /** Names the device in transfers: bus number and device number. */
  readonly deviceId: number;
  readonly vendorId: number;
  readonly productId: number;
  readonly bcdDevice: number;
  readonly interfaces: number;
}

export function listRequest(): Buffer {
  const bytes = Buffer.alloc(OP_HEADER_BYTES);
  bytes.writeUInt16BE(VERSION, 0);
  bytes.writeUInt16BE(REQUEST_LIST, 2);
  return bytes;
}

export function importRequest(busId: string): Buffer {
  const bytes = Buffer.alloc(OP_HEADER_BYTES + BUS_ID_BYTES);
  bytes.writeUInt16BE(VERSION, 0);
  bytes.writeUInt16BE(REQUEST_IMPORT, 2);
  if (bytes.write(busId, OP_HEADER_BYTES, BUS_ID_BYTES - 1, 'utf8') !== Buffer.byteLength(busId)) {
    throw new UsbError('io', `a USB/IP bus id of more than ${BUS_ID_BYTES - 1} bytes`);
  }
  return bytes;
}

/** Status of a reply to a list or import request; UsbError when it is none. */
export function parseOpHeader(bytes: Buffer, wanted: 'list' | 'import'): number {
  const version = bytes.readUInt16BE(0);
  if (version !== VERSION) throw broken(`version ${version.toString(16)} in place of ${VERSION.toString(16)}`);
  const code = bytes.readUInt16BE(2);
  if (code !== (wanted === 'list' ? REPLY_LIST : REPLY_IMPORT)) throw broken(`reply ${code.toString(16)}`);
  return bytes.readUInt32BE(4);
}

/** One device of a list, or the reply to an import. */
export function parseDevice(bytes: Buffer): UsbipDeviceInfo {
  const end = bytes.indexOf(0, 256);
  const busId = bytes.toString('latin1', 256, end >= 256 && end < 288 ? end : 288);
  if (!/^[\x21-\x7e]{1,31}$/.test(busId)) throw broken('a bus id that is no name');
  return {
    busId,
    deviceId: ((bytes.readUInt32BE(288) & 0xffff) << 16) | (bytes.readUInt32BE(292) & 0xffff),
    vendorId: bytes.readUInt16BE(300),
    productId: bytes.readUInt16BE(302),
    bcdDevice: bytes.readUInt16BE(304),
    interfaces: bytes[311],
  };
}

export interface Submit {
  readonly sequence: number;
  readonly deviceId: number;
  /** Number without the direction. */
  readonly endpoint: number;
  readonly isIn: boolean;
  /** Bytes wanted, or bytes in `data`. */
  readonly length: number;
  /** 8 bytes for a control transfer. */
  readonly setup: Uint8Array | null;
  readonly data: Uint8Array | null;
}

/** CMD_SUBMIT with its data; a copy, so that the caller may change `data`. */
export function submitMessage(submit: Submit): Buffer {
  const bytes = Buffer.alloc(TRANSFER_HEADER_BYTES + (submit.data?.length ?? 0));
  writeHeader(bytes, CMD_SUBMIT, submit);
  bytes.writeUInt32BE(submit.isIn ? URB_DIR_IN : 0, 20);
  bytes.writeUInt32BE(submit.length, 24);
  if (submit.setup) bytes.set(submit.setup, 40);
  if (submit.data) bytes.set(submit.data, TRANSFER_HEADER_BYTES);
  return bytes;
}

/** CMD_UNLINK of the transfer `unlink`. */
export function unlinkMessage(message: Omit<Submit, 'length' | 'setup' | 'data'>, unlink: number): Buffer {
  const bytes = Buffer.alloc(TRANSFER_HEADER_BYTES);
  writeHeader(bytes, CMD_UNLINK, message);
  bytes.writeUInt32BE(unlink, 20);
  return bytes;
}

function writeHeader(
  bytes: Buffer,
  command: number,
  message: { sequence: number; deviceId: number; endpoint: number; isIn: boolean },
): void {
  bytes.writeUInt32BE(command, 0);
  bytes.writeUInt32BE(message.sequence, 4);
  bytes.writeUInt32BE(message.deviceId >>> 0, 8);
  bytes.writeUInt32BE(message.isIn ? 1 : 0, 12);
  bytes.writeUInt32BE(message.endpoint, 16);
}

/** RET_SUBMIT or RET_UNLINK. */
export interface TransferReply {
  readonly command: typeof RET_SUBMIT | typeof RET_UNLINK;
  readonly sequence: number;
  /** 0, or a negative errno of Linux. */
  readonly status: number;
  /** Bytes done; 0 for RET_UNLINK. */
  readonly length: number;
}

export function parseReply(bytes: Buffer): TransferReply {
  const command = bytes.readUInt32BE(0);
  if (command !== RET_SUBMIT && command !== RET_UNLINK) throw broken(`message ${command}`);
  const length = command === RET_SUBMIT ? bytes.readInt32BE(24) : 0;
  if (length < 0) throw broken(`a transfer of ${length} bytes`);
  return { command, sequence: bytes.readUInt32BE(4), status: bytes.readInt32BE(20), length };
}

/**
 * Cuts what a server sends into replies and their data. `dataBytes` says how many bytes of data follow a reply (UsbError for one that
 * nobody waits for), `data` gets them piece by piece, `done` comes after the last.
 */
export class ReplyParser {
  private readonly header = Buffer.alloc(TRANSFER_HEADER_BYTES);
  private headerFill = 0;
  private reply: TransferReply | null = null;
  private dataFill = 0;
  private dataLength = 0;

  constructor(
    private readonly sink: {
      dataBytes(reply: TransferReply): number;
      data(reply: TransferReply, offset: number, bytes: Uint8Array): void;
      done(reply: TransferReply): void;
    },
  ) {}

  push(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      if (!this.reply) {
        const taken = bytes.copy(this.header, this.headerFill, at, at + TRANSFER_HEADER_BYTES - this.headerFill);
        at += taken;
        this.headerFill += taken;
        if (this.headerFill < TRANSFER_HEADER_BYTES) return;
        this.headerFill = 0;
        this.dataFill = 0;
        this.reply = parseReply(this.header);
        this.dataLength = this.sink.dataBytes(this.reply);
      } else {
        const piece = bytes.subarray(at, at + this.dataLength - this.dataFill);
        this.sink.data(this.reply, this.dataFill, piece);
        this.dataFill += piece.length;
        at += piece.length;
      }
      if (this.reply && this.dataFill === this.dataLength) {
        const reply = this.reply;
        this.reply = null;
        this.sink.done(reply);
      }
    }
  }
}

function broken(what: string): UsbError {
  return new UsbError('io', `the USB/IP server sends ${what}`);
}
