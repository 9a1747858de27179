import type {
  ControlReply,
  EmulatedUsbDevice,
  UsbDescriptors,
  UsbSetup,
} from '../../../hardware/emulated/usb-device.ts';

/** Vendor requests of the test device. */
export const TestRequest = { keep: 1, give: 2, never: 3, throws: 4, restart: 5 } as const;

export const BULK_IN = 0x81;
export const BULK_OUT = 0x02;

interface Waiting {
  readonly run: () => void;
}

/**
 * A device for tests of front ends: bulk IN gives a counter while `isGiving`, bulk OUT is kept while `isTaking`; otherwise both
 * answer NAK. Transfers at an endpoint are served in order.
 */
export class TestDevice implements EmulatedUsbDevice {
  readonly descriptors: UsbDescriptors;
  isGiving = true;
  isTaking = true;
  stallsNext = false;
  /** Longest answer of an IN transfer. */
  longestAnswer = Number.POSITIVE_INFINITY;
  readonly log: string[] = [];
  readonly kept: Uint8Array[] = [];
  /** Bytes of the counter that were given. */
  given = 0;
  private waiting: Waiting[] = [];
  private readonly listeners: ((plugged: boolean) => void)[] = [];

  constructor(serial = 'serial-1') {
    this.descriptors = {
      device: Uint8Array.of(18, 1, 0, 2, 0, 0, 0, 64, 0x09, 0x12, 0x01, 0x00, 0x07, 0x01, 1, 2, 4, 1),
      // biome-ignore format: one descriptor a line
      configuration: Uint8Array.of(
        9, 2, 64, 0, 2, 1, 3, 0x80, 250,
        9, 4, 0, 0, 2, 0xff, 0xff, 0xff, 0,
        7, 5, BULK_IN, 2, 0, 2, 0,
        7, 5, BULK_OUT, 2, 0, 2, 0,
        9, 4, 1, 0, 0, 0xfe, 1, 2, 0,
        9, 4, 1, 1, 1, 0xfe, 1, 2, 0,
        7, 5, 0x83, 2, 0, 2, 0,
        7, 0x21, 1, 2, 3, 4, 5,
      ),
      strings: ['Maker', 'Board', 'Interface', serial],
    };
  }

  control(setup: UsbSetup, data: Uint8Array): ControlReply | Promise<ControlReply> {
    this.log.push(`control ${setup.requestType.toString(16)} ${setup.request} ${setup.value} ${setup.index}`);
    switch (setup.request) {
      case TestRequest.keep:
        this.kept.push(data.slice());
        return 'ok';
      case TestRequest.give:
        return Uint8Array.from({ length: setup.value }, (_, i) => i);
      case TestRequest.never:
        return new Promise(() => {});
      case TestRequest.throws:
        throw new Error('the model is wrong here');
      case TestRequest.restart:
        for (const listener of this.listeners) listener(false);
        return 'ok';
      default:
        return 'stall';
    }
  }

  bulkIn(endpoint: number, length: number, signal: AbortSignal): Promise<Uint8Array | 'stall'> {
    return this.whenServed(
      signal,
      () => endpoint !== BULK_IN || this.isGiving,
      () => {
        if (this.stalls()) return 'stall' as const;
        const bytes = Math.min(length, this.longestAnswer);
        const answer = counter(this.given, bytes);
        this.given += bytes;
        return answer;
      },
    );
  }

  bulkOut(_endpoint: number, data: Uint8Array, signal: AbortSignal): Promise<'ok' | 'stall'> {
    return this.whenServed(
      signal,
      () => this.isTaking,
      () => {
        if (this.stalls()) return 'stall' as const;
        this.kept.push(data.slice());
        return 'ok' as const;
      },
    );
  }

  /** After a change of `isGiving` or `isTaking`. */
  serve(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const { run } of waiting) run();
  }

  reset(): void {
    this.log.push('reset');
  }

  unplug(): void {
    this.log.push('unplug');
    for (const listener of this.listeners) listener(false);
  }

  plug(): void {
    this.log.push('plug');
    for (const listener of this.listeners) listener(true);
  }

  onConnection(listener: (plugged: boolean) => void): () => void {
    this.listeners.push(listener);
    return () => void this.listeners.splice(this.listeners.indexOf(listener), 1);
  }

  private stalls(): boolean {
    const stalls = this.stallsNext;
    this.stallsNext = false;
    return stalls;
  }

  private whenServed<T>(signal: AbortSignal, isReady: () => boolean, answer: () => T): Promise<T | 'stall'> {
    return new Promise((resolve) => {
      const run = () => {
        if (signal.aborted) resolve('stall');
        else if (isReady()) resolve(answer());
        else this.waiting.push({ run });
      };
      run();
    });
  }
}

/** Bytes `from`, `from` + 1, ... of the counter that bulk IN gives. */
export function counter(from: number, bytes: number): Uint8Array {
  const out = new Uint8Array(bytes);
  for (let i = 0; i < bytes; i++) out[i] = from + i;
  return out;
}
