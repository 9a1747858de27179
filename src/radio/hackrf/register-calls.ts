import { UsageError } from '../../common/errors.ts';
import { type BoardCall, inCall, integerIn, outCall, replyView } from './board-call.ts';

/** Requests for the chips on the board and its flash memory: for diagnosis; streaming needs none of them. */

/** Chips with registers: number of registers and the bits of one. Limits of libhackrf's functions. */
const CHIPS = {
  max283x: { read: 'MAX283X_READ', write: 'MAX283X_WRITE', registers: 32, maxValue: 0x3ff, bytes: 2 },
  si5351c: { read: 'SI5351C_READ', write: 'SI5351C_WRITE', registers: 256, maxValue: 0xff, bytes: 1 },
  rffc5071: { read: 'RFFC5071_READ', write: 'RFFC5071_WRITE', registers: 31, maxValue: 0xffff, bytes: 2 },
  fpga: { read: 'FPGA_READ_REG', write: 'FPGA_WRITE_REG', registers: 256, maxValue: 0xff, bytes: 1 },
} as const;
export type Chip = keyof typeof CHIPS;

export function readRegister(chip: Chip, register: number): BoardCall {
  const { read, registers, bytes } = CHIPS[chip];
  return inCall(read, 0, integerIn(`${chip} register`, register, 0, registers - 1), bytes);
}

export function decodeRegister(chip: Chip, reply: Uint8Array): number {
  const view = replyView(readRegister(chip, 0), reply);
  return CHIPS[chip].bytes === 1 ? view.getUint8(0) : view.getUint16(0, true);
}

export function writeRegister(chip: Chip, register: number, value: number): BoardCall {
  const { write, registers, maxValue } = CHIPS[chip];
  integerIn(`${chip} register`, register, 0, registers - 1);
  return outCall(write, integerIn(`${chip} value`, value, 0, maxValue), register);
}

/** Registers of the firmware's radio configuration (API 1.11): bank in wIndex, u64 value. */
export const RADIO_BANKS = { applied: 0, active: 1, idle: 2, rx: 3, tx: 4, all: 255 } as const;
export type RadioBank = keyof typeof RADIO_BANKS;

export function readRadioRegister(bank: RadioBank, register: number): BoardCall {
  if (bank === 'all') throw new UsageError('radio registers of all banks can be written, not read');
  return inCall('RADIO_READ_REG', integerIn('radio register', register, 0, 255), RADIO_BANKS[bank], 8);
}

export function decodeRadioRegister(reply: Uint8Array): bigint {
  return replyView(readRadioRegister('applied', 0), reply).getBigUint64(0, true);
}

/** 9 bytes: register, u64 value. */
export function writeRadioRegister(bank: RadioBank, register: number, value: bigint): BoardCall {
  if (bank === 'applied') throw new UsageError('the applied radio registers can be read, not written');
  if (value < 0n || value >= 1n << 64n) throw new UsageError(`radio register value ${value} does not fit 64 bits`);
  const data = new Uint8Array(9);
  data[0] = integerIn('radio register', register, 0, 255);
  new DataView(data.buffer).setBigUint64(1, value, true);
  return outCall('RADIO_WRITE_REG', 0, RADIO_BANKS[bank], data);
}

const FLASH_BYTES = 0x40_0000;
/** An erased flash takes up to 50 s (W25Q32JV, whole chip). */
const FLASH_TIMEOUT_MS = 50_000;

/** Address high half in wValue, low half in wIndex. */
function flashAddress(address: number, length: number): [number, number] {
  integerIn('flash address', address, 0, FLASH_BYTES - 1);
  integerIn('flash length', length, 1, Math.min(0xffff, FLASH_BYTES - address), 'bytes');
  return [address >>> 16, address & 0xffff];
}

export function readFlash(address: number, length: number): BoardCall {
  const [high, low] = flashAddress(address, length);
  return inCall('SPIFLASH_READ', high, low, length);
}

/** Writes firmware: a board with wrong contents starts only by its DFU button. */
export function writeFlash(address: number, data: Uint8Array): BoardCall {
  const [high, low] = flashAddress(address, data.length);
  return outCall('SPIFLASH_WRITE', high, low, data, FLASH_TIMEOUT_MS);
}

export function eraseFlash(): BoardCall {
  return outCall('SPIFLASH_ERASE', 0, 0, new Uint8Array(0), FLASH_TIMEOUT_MS);
}

export function readFlashStatus(): BoardCall {
  return inCall('SPIFLASH_STATUS', 0, 0, 2, 1);
}

/** One or two status registers of the flash, the first in the low byte. */
export function decodeFlashStatus(reply: Uint8Array): number {
  const view = replyView(readFlashStatus(), reply);
  return view.byteLength > 1 ? view.getUint16(0, true) : view.getUint8(0);
}

export function clearFlashStatus(): BoardCall {
  return outCall('SPIFLASH_CLEAR_STATUS', 0);
}
