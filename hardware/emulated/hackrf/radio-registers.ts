import type { RadioSettings } from './settings.ts';

/** Banks: 0 what is applied, 1 what is active, 2 to 4 what becomes active on entry to off, RX, TX. */
const BANKS = 5;
const ALL_BANKS = 255;
const REGISTERS = 23;
export const RADIO_REGISTER_BYTES = 9;
const UNSET = 0xffff_ffff_ffff_ffffn;

/** Numbers of the registers that this model follows. */
const Register = {
  frequency: 1,
  sampleRate: 6,
  txAmp: 9,
  txVga: 10,
  rxAmp: 11,
  lna: 12,
  vga: 13,
  bandwidthTx: 14,
  bandwidthRx: 15,
  biasTee: 20,
  trigger: 21,
} as const;

/** Radio registers of newer firmware (requests 59 and 60): what is written to the active bank is applied at once. */
export class RadioRegisters {
  private readonly banks = Array.from({ length: BANKS }, () => new BigUint64Array(REGISTERS).fill(UNSET));
  private readonly settings: RadioSettings;

  constructor(settings: RadioSettings) {
    this.settings = settings;
  }

  /** Null: there is no such register. */
  read(bank: number, register: number): bigint | null {
    return this.banks[bank]?.[register] ?? null;
  }

  /** Registers of 9 bytes each: number, value as u64. False: refused, what came before the wrong one is written. */
  write(bank: number, data: Uint8Array): boolean {
    const count = Math.floor(data.length / RADIO_REGISTER_BYTES);
    if (count === 0 || count > REGISTERS || (bank >= BANKS && bank !== ALL_BANKS)) return false;
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    for (let i = 0; i < count; i++) {
      const register = data[i * RADIO_REGISTER_BYTES];
      // Bank 0 is what is applied; only the board writes it.
      if (register >= REGISTERS || bank === 0) return false;
      const value = view.getBigUint64(i * RADIO_REGISTER_BYTES + 1, true);
      for (let b = 1; b < BANKS; b++) if (b === bank || bank === ALL_BANKS) this.banks[b][register] = value;
      if (bank === 1 || bank === ALL_BANKS) this.apply(register, value);
    }
    return true;
  }

  private apply(register: number, value: bigint): void {
    if (value === UNSET) return;
    const { settings } = this;
    const number = Number(value);
    if (register === Register.frequency) settings.setFrequency(0, number / 2 ** 24);
    else if (register === Register.sampleRate) settings.setRate(number / 2 ** 36, 1);
    else if (register === Register.txAmp || register === Register.rxAmp) settings.setAmp(number);
    else if (register === Register.txVga) settings.setTxVga(number);
    else if (register === Register.lna) settings.setLna(number);
    else if (register === Register.vga) settings.setVga(number);
    else if (register === Register.bandwidthTx || register === Register.bandwidthRx) settings.setFilter(number);
    else if (register === Register.biasTee) settings.setBiasTee(number);
    else if (register === Register.trigger) settings.hardwareTrigger = number !== 0;
    this.banks[0][register] = value;
  }
}
