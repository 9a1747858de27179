import type { IiodClient } from './iiod-client.ts';
import { IiodError } from './iiod-error.ts';
import type { AttrRef } from './iiod-words.ts';
import { parseRegister } from './values.ts';

/**
 * Status of the converter core's DMA interface, at 0x88 of the core; the driver reads the core's own registers where the upper bit is
 * set (libiio, utils/iio_adi_xflow_check.c). Bits stay set until 1 is written to them.
 */
const STATUS_ADDRESS = '0x80000088';
export const UNDERFLOW_BIT = 0x1;
export const OVERFLOW_BIT = 0x4;

/** The overflow or underflow bit of one core. */
export class StatusBit {
  private readonly client: IiodClient;
  private readonly ref: AttrRef;
  private readonly bit: number;

  constructor(client: IiodClient, ref: AttrRef, bit: number) {
    this.client = client;
    this.ref = ref;
    this.bit = bit;
  }

  /**
   * Whether the bit was set since it was read last; clears it. Null where the board refuses register access (firmware without debugfs):
   * then it has to be told from timing.
   */
  async takeSet(): Promise<boolean | null> {
    try {
      await this.client.writeAttr(this.ref, STATUS_ADDRESS);
      const set = (parseRegister(this.ref.name, await this.client.readAttr(this.ref)) & this.bit) !== 0;
      if (set) await this.clear();
      return set;
    } catch (error) {
      if (error instanceof IiodError && error.kind === 'errno') return null;
      throw error;
    }
  }

  private async clear(): Promise<void> {
    await this.client.writeAttr(this.ref, `${STATUS_ADDRESS} 0x${this.bit.toString(16)}`);
  }
}
