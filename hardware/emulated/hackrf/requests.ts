import type { ControlReply, UsbSetup } from '../usb-device.ts';
import { Chips } from './chips.ts';
import { WCID_FEATURE } from './descriptors.ts';
import type { Firmware } from './firmware.ts';
import { BUFFER_BYTES, SWEEP_BLOCK_BYTES } from './firmware.ts';
import type { RadioRegisters } from './radio-registers.ts';
import type { RadioSettings } from './settings.ts';

/** A sweep as it was set up. */
export interface SweepPlan {
  readonly blocksPerStep: number;
  readonly stepHz: number;
  readonly offsetHz: number;
  readonly interleaved: boolean;
  /** Lower and upper end of each range, MHz. */
  readonly rangesMhz: readonly (readonly [number, number])[];
}

export const TransceiverMode = { off: 0, rx: 1, tx: 2, ss: 3, cpldUpdate: 4, rxSweep: 5 } as const;

/** What requests change or ask of the board. */
export interface RequestTarget {
  readonly firmware: Firmware;
  readonly settings: RadioSettings;
  readonly chips: Chips;
  readonly registers: RadioRegisters;
  /** 32 hexadecimal digits. */
  readonly serial: string;
  /** A promise is open until the change is answered. */
  setMode(mode: number): ControlReply | Promise<ControlReply>;
  rateChanged(): void;
  tuned(): void;
  setSweep(plan: SweepPlan): void;
  m0State(): Uint8Array;
  clkinPresent(): boolean;
  /** The host knows the size of the buffers from now on and flushes by itself. */
  bufferSizeAsked(): void;
  restart(): void;
}

/** HackRF One of the time before r9, revision 8, not by Great Scott Gadgets. */
const BOARD_ID = 2;
const BOARD_REVISION = 3;
const PLATFORMS = 0x0000_0002;
const PART_ID = [0xa000cb3c, 0x00574f5b] as const;
/** Made up: there is no CPLD. */
const CPLD_CHECKSUM = 0x00c0ffee;
const MOST_SWEEP_RANGES = 10;

type Handler = (board: RequestTarget, setup: UsbSetup, data: Uint8Array) => ControlReply | Promise<ControlReply>;

const ok = (done: boolean): ControlReply => (done ? 'ok' : 'stall');
const reply = (value: number, bytes: number): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, i) => Math.floor(value / 256 ** i) & 0xff);
const long = ({ value, index }: UsbSetup) => index * 65_536 + value;
const view = (data: Uint8Array) => new DataView(data.buffer, data.byteOffset, data.byteLength);

/** Vendor requests that send data or nothing to the board, by number; the rest STALLs. */
const OUT: Readonly<Record<number, Handler>> = {
  1: (board, { value }) => {
    const known = [0, 1, 2, 4, 5].includes(value);
    return known ? board.setMode(value) : 'stall';
  },
  2: ({ chips }, { value, index }) => {
    if (index >= 32 || value >= 1024) return 'stall';
    chips.max2837[index] = value;
    return 'ok';
  },
  4: ({ chips }, { value, index }) => {
    if (index > 255 || value > 255) return 'stall';
    // Register 0 is the chip's state.
    if (index > 0) chips.si5351c[index] = value;
    return 'ok';
  },
  6: (board, _setup, data) => {
    if (data.length < 8) return 'stall';
    const done = board.settings.setRate(view(data).getUint32(0, true), view(data).getUint32(4, true));
    board.rateChanged();
    return ok(done);
  },
  7: ({ settings }, setup) => ok(settings.setFilter(long(setup))),
  8: ({ chips }, { value, index }) => {
    if (index >= 31) return 'stall';
    chips.rffc5071[index] = value;
    return 'ok';
  },
  10: ({ chips }) => {
    chips.eraseFlash();
    return 'ok';
  },
  11: ({ chips }, setup, data) => {
    const address = setup.value * 65_536 + setup.index;
    if (!inFlash(address, data.length)) return 'stall';
    chips.writeFlash(address, data);
    return 'ok';
  },
  16: (board, _setup, data) => {
    if (data.length < 8) return 'stall';
    const done = board.settings.setFrequency(view(data).getUint32(0, true), view(data).getUint32(4, true));
    board.tuned();
    return ok(done);
  },
  17: (board, { value }) => {
    const done = board.settings.setAmp(value);
    board.tuned();
    return ok(done);
  },
  23: ({ settings }, { value }) => ok(settings.setBiasTee(value)),
  24: (board, _setup, data) => {
    if (data.length < 17) return 'stall';
    const [ifHz, loHz] = [view(data).getBigUint64(0, true), view(data).getBigUint64(8, true)].map(Number);
    const done = board.settings.setFrequencyExplicit(ifHz, loHz, data[16]);
    board.tuned();
    return ok(done);
  },
  26: (board, setup, data) => {
    const plan = readSweep(long(setup), data);
    if (!plan) return 'stall';
    board.setSweep(plan);
    board.settings.setFrequency(plan.rangesMhz[0][0], plan.offsetHz);
    board.tuned();
    return 'ok';
  },
  // No Opera Cake is there: its requests are taken and change nothing.
  28: () => 'ok',
  29: ({ settings }, { value }) => {
    settings.hardwareTrigger = value !== 0;
    return 'ok';
  },
  30: (board) => {
    board.restart();
    return 'ok';
  },
  31: (_board, _setup, data) => ok(data.length >= 5 && data.length <= 8 * 5),
  32: ({ settings }, { value }) => {
    settings.clkout = value > 0;
    return 'ok';
  },
  34: () => 'ok',
  37: ({ settings }, { value }) => {
    settings.uiEnabled = value !== 0;
    return 'ok';
  },
  38: (_board, { value }) => ok((value & 0xff) < 8),
  40: (_board, _setup, data) => ok(data.length >= 5 && data.length <= 16 * 5),
  42: ({ settings }, setup) => {
    settings.txUnderrunLimit = long(setup);
    return 'ok';
  },
  43: ({ settings }, setup) => {
    settings.rxOverrunLimit = long(setup);
    return 'ok';
  },
  47: ({ settings }, { value }) => {
    settings.leds = value & 7;
    return 'ok';
  },
  48: ({ settings }, { value }) => {
    settings.setBiasOptions(value);
    return 'ok';
  },
  59: (board, { index }, data) => {
    const done = board.registers.write(index & 0xff, data);
    board.rateChanged();
    return ok(done);
  },
  // Steps of a test of the 32 kHz oscillator: 0, 1 and 3 only start and stop it.
  58: (_board, { index }) => ok(index === 0 || index === 1 || index === 3),
};

/** Vendor requests that ask for data. */
const IN: Readonly<Record<number, Handler>> = {
  3: ({ chips }, { index }) => (index < 32 ? reply(chips.max2837[index], 2) : 'stall'),
  5: ({ chips }, { index }) => (index < 256 ? reply(chips.si5351c[index], 1) : 'stall'),
  9: ({ chips }, { index }) => (index < 31 ? reply(chips.rffc5071[index], 2) : 'stall'),
  12: ({ chips }, setup) => {
    const address = setup.value * 65_536 + setup.index;
    return inFlash(address, setup.length) ? chips.readFlash(address, setup.length) : 'stall';
  },
  14: () => reply(BOARD_ID, 1),
  15: ({ firmware }) => new TextEncoder().encode(`${firmware.release}-emulated`),
  18: ({ serial }) => {
    const words = [...PART_ID, ...[0, 8, 16, 24].map((at) => Number.parseInt(serial.slice(at, at + 8), 16))];
    return Uint8Array.from(words.flatMap((word) => [...reply(word, 4)]));
  },
  19: (board, { index }) => gain(board, board.settings.setLna(board.firmware.strict ? index : index & 0xff)),
  20: (board, { index }) => gain(board, board.settings.setVga(board.firmware.strict ? index : index & 0xff)),
  21: (board, { index }) => gain(board, board.settings.setTxVga(index)),
  25: (_board, { index }) => (index === 4 ? WCID_FEATURE : 'stall'),
  27: () => new Uint8Array(8).fill(0xff),
  33: () => new Uint8Array(2),
  35: () => reply(0xffff, 2),
  36: () => reply(CPLD_CHECKSUM, 4),
  39: () => new Uint8Array(1),
  41: (board) => board.m0State(),
  44: (board) => reply(board.clkinPresent() ? 1 : 0, 1),
  45: () => reply(BOARD_REVISION, 1),
  46: () => reply(PLATFORMS, 4).reverse(),
  56: () => selfTest(),
  57: (_board, { index }) => ((index & ~0x80) > 7 ? 'stall' : reply(0, 2)),
  // Cycles of 32.768 kHz in 511 cycles of 12 MHz.
  58: (_board, { index }) => (index === 2 ? reply(Math.floor((32_768 * 511) / 12e6), 2) : 'stall'),
  60: (board, { value, index }) => {
    const register = board.registers.read(index & 0xff, value & 0xff);
    if (register === null) return 'stall';
    const bytes = new Uint8Array(8);
    view(bytes).setBigUint64(0, register, true);
    return bytes;
  },
  61: (board) => {
    board.bufferSizeAsked();
    return reply(2 * BUFFER_BYTES, 4);
  },
};

/** Answers a vendor request; requests newer than the firmware are refused. */
export function vendorRequest(
  board: RequestTarget,
  setup: UsbSetup,
  data: Uint8Array,
): ControlReply | Promise<ControlReply> {
  const isIn = (setup.requestType & 0x80) !== 0;
  if ((setup.requestType & 0x7f) !== 0x40 || setup.request > board.firmware.lastRequest) return 'stall';
  const handlers = isIn ? IN : OUT;
  if (!Object.hasOwn(handlers, setup.request)) return 'stall';
  return handlers[setup.request](board, setup, data);
}

/** Report of 512 bytes: passed or not, then text that ends with a 0. */
function selfTest(): Uint8Array {
  const report = new Uint8Array(512);
  report[0] = 1;
  report.set(new TextEncoder().encode('Emulated board: there is no chip to test.\n'), 1);
  return report;
}

function gain(board: RequestTarget, done: boolean): Uint8Array {
  board.tuned();
  return reply(done ? 1 : 0, 1);
}

function inFlash(address: number, length: number): boolean {
  return length <= Chips.flashPageBytes && address + length <= Chips.flashBytes;
}

function readSweep(bytesPerStep: number, data: Uint8Array): SweepPlan | null {
  const blocksPerStep = Math.floor(bytesPerStep / SWEEP_BLOCK_BYTES);
  const ranges = Math.floor((data.length - 9) / 4);
  if (blocksPerStep < 1 || ranges < 1 || ranges > MOST_SWEEP_RANGES) return null;
  const fields = view(data);
  const stepHz = fields.getUint32(0, true);
  if (stepHz < 1 || data[8] > 1) return null;
  const rangesMhz = Array.from(
    { length: ranges },
    (_, i) => [fields.getUint16(9 + 4 * i, true), fields.getUint16(11 + 4 * i, true)] as const,
  );
  return { blocksPerStep, stepHz, offsetHz: fields.getUint32(4, true), interleaved: data[8] === 1, rangesMhz };
}
