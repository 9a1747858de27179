import type { Attribute } from './attribute.ts';
import { IioError } from './iio-error.ts';

/** Set in an address that means the FPGA core rather than the chip behind it. */
export const CORE_REGISTER = 0x80000000;
/** DMA status of the converter cores: bits stay until a 1 is written to them. */
export const DMA_STATUS = 0x80000088;
export const STATUS_UNDERFLOW = 0x1;
export const STATUS_OVERFLOW = 0x4;

export interface Register {
  read(): number;
  write(value: number): void;
}

/** `direct_reg_access` of debugfs: "ADDRESS" selects, "ADDRESS VALUE" writes, reading shows what the selected register holds. */
export class RegisterFile {
  private readonly known: ReadonlyMap<number, Register>;
  private readonly lastAddress: number;
  private readonly plain = new Map<number, number>();
  private selected = 0;

  /** @param known registers that do something; others, up to lastAddress of the chip, remember a byte */
  constructor(known: ReadonlyMap<number, Register>, lastAddress: number) {
    this.known = known;
    this.lastAddress = lastAddress;
  }

  attribute(): Attribute {
    return {
      name: 'direct_reg_access',
      read: () => `0x${this.read(this.selected).toString(16).toUpperCase()}`,
      write: (text) => {
        const match = /^\s*(0[xX][0-9a-fA-F]{1,8}|\d{1,10})(?:\s+(0[xX][0-9a-fA-F]{1,8}|\d{1,10}))?\s*$/.exec(text);
        if (!match) throw new IioError('EINVAL');
        const address = Number(match[1]);
        this.check(address);
        this.selected = address;
        if (match[2] !== undefined) this.write(address, Number(match[2]));
      },
    };
  }

  private read(address: number): number {
    return this.known.get(address)?.read() ?? this.plain.get(address) ?? 0;
  }

  private write(address: number, value: number): void {
    if (value > 0xffffffff) throw new IioError('EINVAL');
    const register = this.known.get(address);
    if (register) register.write(value);
    else if (address < CORE_REGISTER) this.plain.set(address, value & 0xff);
  }

  private check(address: number): void {
    const core = address >= CORE_REGISTER;
    const offset = core ? address - CORE_REGISTER : address;
    if (offset > (core ? 0xffff : this.lastAddress) || (core && offset % 4 !== 0)) throw new IioError('EINVAL');
  }
}

/** Sticky bits, cleared by writing 1 to them. */
export class StatusRegister implements Register {
  private readonly beforeAccess: () => void;
  private readonly stuck: number;
  private bits = 0;

  /**
   * @param beforeAccess brings the bits up to now
   * @param stuck bits that always read 1
   */
  constructor(beforeAccess: () => void = () => {}, stuck = 0) {
    this.beforeAccess = beforeAccess;
    this.stuck = stuck;
  }

  set(bits: number): void {
    this.bits |= bits;
  }

  read(): number {
    this.beforeAccess();
    return this.bits | this.stuck;
  }

  write(value: number): void {
    this.beforeAccess();
    this.bits &= ~value;
  }
}
