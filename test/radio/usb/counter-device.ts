import type {
  ControlReply,
  EmulatedUsbDevice,
  UsbDescriptors,
  UsbSetup,
} from '../../../hardware/emulated/usb-device.ts';

/** A device for tests: bulk IN 0x81 counts, bulk OUT 0x02 is kept, control requests answer, stall, or never answer. */

export const COUNTER_NUMBERS = { vendorId: 0x1d50, productId: 0x6089 } as const;

/** Vendor requests. ECHO IN gives value and index, OUT keeps the data; KEPT gives what was kept. */
export const ECHO = 1;
export const STALL = 2;
export const NAK = 3;
export const KEPT = 4;

const utf16 = (text: string) => text.length * 2 + 2;

export function counterDescriptors(serial: string): UsbDescriptors {
  const { vendorId, productId } = COUNTER_NUMBERS;
  const device = Buffer.from([18, 1, 0, 2, 0, 0, 0, 64, 0, 0, 0, 0, 0x12, 0x01, 1, 2, 3, 1]);
  device.writeUInt16LE(vendorId, 8);
  device.writeUInt16LE(productId, 10);
  const configuration = Buffer.from([
    ...[9, 2, 32, 0, 1, 1, 0, 0xc0, 250],
    ...[9, 4, 0, 0, 2, 0xff, 0xff, 0xff, 4],
    ...[7, 5, 0x81, 2, 0, 2, 0],
    ...[7, 5, 0x02, 2, 0, 2, 0],
  ]);
  if (utf16(serial) > 255) throw new Error('serial too long');
  return { device, configuration, strings: ['Tests', 'Counter', serial, 'Counting'] };
}

/** Bytes from index `from` on: a 32-bit counter of words, little endian. */
export function counterBytes(from: number, length: number): Uint8Array {
  const first = Math.floor(from / 4);
  const words = new Uint32Array(Math.ceil((from + length) / 4) - first);
  for (let i = 0; i < words.length; i++) words[i] = first + i;
  return new Uint8Array(words.buffer).subarray(from - 4 * first, from - 4 * first + length);
}

export class CounterDevice implements EmulatedUsbDevice {
  readonly descriptors: UsbDescriptors;
  /** Bytes that may be taken from 0x81; each transfer waits until it can be filled. */
  available = 0;
  /** Bytes taken so far. */
  taken = 0;
  readonly kept: Uint8Array[] = [];
  /** Bytes that 0x02 takes before it has no more room. */
  room = Number.POSITIVE_INFINITY;
  stallBulk = false;
  resets = 0;
  readonly controls: UsbSetup[] = [];
  private lastEcho: Uint8Array = new Uint8Array(0);
  private waiters: (() => void)[] = [];

  constructor(serial = '0123456789abcdef') {
    this.descriptors = counterDescriptors(serial);
  }

  /** Lets more bytes out, or gives more room. */
  allow(bytes: number, room = 0): void {
    this.available += bytes;
    this.room += room;
    this.wake();
  }

  /** From now on every bulk transfer is refused, those that wait, too. */
  stall(): void {
    this.stallBulk = true;
    this.wake();
  }

  control(setup: UsbSetup, data: Uint8Array): ControlReply | Promise<ControlReply> {
    this.controls.push(setup);
    const isIn = (setup.requestType & 0x80) !== 0;
    if (setup.request === NAK) return new Promise(() => {});
    if (setup.request === KEPT) return this.lastEcho;
    if (setup.request !== ECHO) return 'stall';
    if (!isIn) {
      this.lastEcho = data.slice();
      return 'ok';
    }
    return Uint8Array.of(setup.value & 0xff, setup.value >> 8, setup.index & 0xff, setup.index >> 8);
  }

  async bulkIn(_endpoint: number, length: number, signal: AbortSignal): Promise<Uint8Array | 'stall'> {
    while (this.available < length && !this.stallBulk) {
      if (signal.aborted) return new Uint8Array(0);
      await this.change(signal);
    }
    if (signal.aborted) return new Uint8Array(0);
    if (this.stallBulk) return 'stall';
    const bytes = counterBytes(this.taken, length);
    this.taken += length;
    this.available -= length;
    return bytes;
  }

  async bulkOut(_endpoint: number, data: Uint8Array, signal: AbortSignal): Promise<'ok' | 'stall'> {
    while (this.room < data.length && !this.stallBulk) {
      if (signal.aborted) return 'ok';
      await this.change(signal);
    }
    if (signal.aborted) return 'ok';
    if (this.stallBulk) return 'stall';
    this.room -= data.length;
    this.kept.push(data.slice());
    return 'ok';
  }

  reset(): void {
    this.resets++;
    this.wake();
  }

  unplug(): void {
    this.wake();
  }

  plug(): void {}

  wake(): void {
    const waiting = this.waiters;
    this.waiters = [];
    for (const wake of waiting) wake();
  }

  private change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.waiters.push(resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}
