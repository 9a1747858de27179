import { FormatError } from '../../common/errors.ts';
import type { UsbInterface } from '../usb/usb.ts';
import { type BoardCall, inCall, replyView } from './board-call.ts';

/** Requests that ask what the board is, and what their replies mean. */

export const USB_VENDOR_ID = 0x1d50;

/** Product ids: HackRF One and Pro, Jawbreaker, rad1o; in libhackrf's order. */
export const USB_PRODUCT_IDS = [0x6089, 0x604b, 0xcc15] as const;

/** Seconds of the board in a second of the host, at most 1: an emulated board that runs slower than time says so in the name of its interface. */
export function emulationSpeed(interfaces: readonly UsbInterface[]): number {
  const match = /^emulated, speed (\d{1,4}(?:\.\d{1,16})?)$/.exec(interfaces[0]?.name ?? '');
  const speed = match ? Number(match[1]) : 1;
  return Math.min(1, Math.max(speed, 1e-4));
}

const BOARDS: Readonly<Record<number, string>> = {
  0: 'Jellybean',
  1: 'Jawbreaker',
  2: 'HackRF One',
  3: 'rad1o',
  4: 'HackRF One r9',
  5: 'HackRF Pro',
  254: 'unrecognised',
  255: 'undetected',
};

const HACKRF_ONE_REVISIONS = ['older than r6', 'r6', 'r7', 'r8', 'r9', 'r10'];
const PRO_REVISIONS = ['r0.1', 'r0.2', 'r0.3', 'r1.0', 'r1.1', 'r1.2'];

export function readBoardId(): BoardCall {
  return inCall('BOARD_ID_READ', 0, 0, 1);
}

/** Name of the board; a number nobody knows is named as such. */
export function decodeBoardId(reply: Uint8Array): { id: number; board: string } {
  const id = replyView(readBoardId(), reply).getUint8(0);
  return { id, board: BOARDS[id] ?? `board ${id}` };
}

export function readBoardRevision(): BoardCall {
  return inCall('BOARD_REV_READ', 0, 0, 1);
}

/** Bit 7: made by Great Scott Gadgets; 0xfe unrecognised, 0xff undetected. */
export function decodeBoardRevision(reply: Uint8Array): { revision: string; byMaker: boolean | null } {
  const value = replyView(readBoardRevision(), reply).getUint8(0);
  if (value === 0xff) return { revision: 'undetected', byMaker: null };
  if (value === 0xfe) return { revision: 'unrecognised', byMaker: null };
  const number = value & 0x7f;
  const revision = [...HACKRF_ONE_REVISIONS, ...PRO_REVISIONS][number] ?? `revision ${number}`;
  return { revision, byMaker: (value & 0x80) !== 0 };
}

export function readVersion(): BoardCall {
  return inCall('VERSION_STRING_READ', 0, 0, 255, 0);
}

/** Version of the firmware, up to the first NUL; other than printable ASCII becomes '?'. */
export function decodeVersion(reply: Uint8Array): string {
  replyView(readVersion(), reply);
  const end = reply.indexOf(0);
  const text = Buffer.from(end < 0 ? reply : reply.subarray(0, end)).toString('latin1');
  return text.replace(/[^\x20-\x7e]/g, '?');
}

export function readPartIdSerial(): BoardCall {
  return inCall('BOARD_PARTID_SERIALNO_READ', 0, 0, 24);
}

/** part_id[2], serial_no[4], u32 each; as text 8 hexadecimal digits each, serial as in the descriptor (32 digits). */
export function decodePartIdSerial(reply: Uint8Array): { partId: readonly [number, number]; serial: string } {
  const view = replyView(readPartIdSerial(), reply);
  const word = (i: number): number => view.getUint32(4 * i, true);
  const serial = [2, 3, 4, 5].map((i) => word(i).toString(16).padStart(8, '0')).join('');
  return { partId: [word(0), word(1)], serial };
}

export function readSupportedPlatform(): BoardCall {
  return inCall('SUPPORTED_PLATFORM_READ', 0, 0, 4);
}

const PLATFORMS: readonly (readonly [number, string])[] = [
  [0x1, 'Jawbreaker'],
  [0x2, 'HackRF One'],
  [0x4, 'rad1o'],
  [0x8, 'HackRF One r9'],
  [0x10, 'HackRF Pro'],
];

/** Boards that the firmware was built for; the bitmap is big endian. */
export function decodeSupportedPlatform(reply: Uint8Array): readonly string[] {
  const bits = replyView(readSupportedPlatform(), reply).getUint32(0, false);
  return PLATFORMS.filter(([bit]) => bits & bit).map(([, name]) => name);
}

export function readBufferSize(): BoardCall {
  return inCall('GET_BUFFER_SIZE', 0, 0, 4);
}

/** Bytes of zeros that push everything before them out of the board's buffers. Firmware without the request: 32 768. */
export const DEFAULT_BUFFER_BYTES = 32_768;
const MAX_BUFFER_BYTES = 2 ** 20;

export function decodeBufferSize(reply: Uint8Array): number {
  const bytes = replyView(readBufferSize(), reply).getUint32(0, true);
  if (bytes < 1 || bytes > MAX_BUFFER_BYTES || bytes % 512) {
    throw new FormatError('GET_BUFFER_SIZE', `${bytes} bytes: a multiple of 512 up to ${MAX_BUFFER_BYTES} was due`);
  }
  return bytes;
}

export function getClockInStatus(): BoardCall {
  return inCall('GET_CLKIN_STATUS', 0, 0, 1);
}

/** Whether a clock is seen at CLKIN. */
export function decodeClockInStatus(reply: Uint8Array): boolean {
  return replyView(getClockInStatus(), reply).getUint8(0) !== 0;
}

export function readCpldChecksum(): BoardCall {
  return inCall('CPLD_CHECKSUM', 0, 0, 4);
}

export function decodeCpldChecksum(reply: Uint8Array): number {
  return replyView(readCpldChecksum(), reply).getUint32(0, true);
}
