import { type LibusbDevice, type LibusbLibrary, type LibusbTransfer, libusbError } from './libusb-types.ts';
import { type ControlRequest, UsbError } from './usb.ts';

const CONTROL = 0;
const BULK = 2;
const SETUP_BYTES = 8;
/** How long a cancelled transfer may take to come back before its caller is told all the same. */
const CANCEL_MS = 80;
const MAX_TRANSFER_BYTES = 2 ** 24;
/** Transfers kept for reuse at one endpoint. */
const MAX_IDLE = 64;

/** One transfer object of the library with its buffer. */
interface Slot {
  readonly endpoint: number;
  readonly transfer: LibusbTransfer;
  buffer: Buffer;
  /** Null while idle. */
  run: Run | null;
}

interface Run {
  ending: 'timeout' | 'cancelled' | null;
  timer: NodeJS.Timeout | null;
  /** Null once the caller knows. */
  settle: ((error: UsbError | null, actual: number) => void) | null;
  /** Called when the slot is back. */
  readonly waiting: (() => void)[];
}

/**
 * Transfers of one open device: several under way at an endpoint, slots recycled, time-outs by our own timers (the library's fire up to a
 * minute late). Data crosses a buffer of the slot, so the library never writes into memory that a caller has back.
 */
export class LibusbTransfers {
  private readonly idle = new Map<number, Slot[]>();
  private readonly active = new Set<Slot>();
  private over: UsbError | null = null;

  constructor(
    private readonly libusb: LibusbLibrary,
    private readonly device: LibusbDevice,
    private readonly name: string,
    private readonly onGone: () => void,
  ) {}

  get busy(): boolean {
    return this.active.size > 0;
  }

  get isGone(): boolean {
    return this.over !== null;
  }

  /** Throws when the device is gone or closed. */
  check(): void {
    if (this.over) throw this.over;
  }

  async controlIn(request: ControlRequest, length: number, timeoutMs: number): Promise<Uint8Array> {
    const into = new Uint8Array(length);
    const actual = await this.run(0, SETUP_BYTES + length, timeoutMs, {
      before: (buffer) => writeSetup(buffer, request, length),
      after: (buffer, count) => into.set(buffer.subarray(SETUP_BYTES, SETUP_BYTES + count)),
    });
    return into.subarray(0, actual);
  }

  async controlOut(request: ControlRequest, data: Uint8Array, timeoutMs: number): Promise<void> {
    await this.run(0, SETUP_BYTES + data.length, timeoutMs, {
      before: (buffer) => {
        writeSetup(buffer, request, data.length);
        buffer.set(data, SETUP_BYTES);
      },
    });
  }

  /** The direction is in the endpoint's address. */
  bulk(endpoint: number, data: Uint8Array, timeoutMs: number): Promise<number> {
    const isIn = endpoint >= 0x80;
    return this.run(endpoint, data.length, timeoutMs, {
      before: isIn ? undefined : (buffer) => buffer.set(data),
      after: isIn ? (buffer, count) => data.set(buffer.subarray(0, count)) : undefined,
    });
  }

  async cancel(endpoint: number): Promise<void> {
    const slots = [...this.active].filter((slot) => slot.endpoint === endpoint);
    // The last one first: none may get the bytes of one before it.
    slots.reverse();
    await Promise.all(slots.map((slot) => this.endEarly(slot, 'cancelled')));
  }

  /** Cancels everything; true when nothing is under way any more within so long. */
  async close(withinMs: number): Promise<boolean> {
    this.over ??= new UsbError('gone', `${this.name} was closed`);
    const slots = [...this.active];
    const back = Promise.all(slots.map((slot) => new Promise<void>((resolve) => slot.run?.waiting.push(resolve))));
    for (const slot of slots) void this.endEarly(slot, 'cancelled');
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([back, new Promise((resolve) => (timer = setTimeout(resolve, withinMs)))]);
    clearTimeout(timer);
    this.idle.clear();
    return this.active.size === 0;
  }

  private async run(
    endpoint: number,
    length: number,
    timeoutMs: number,
    data: { before?(buffer: Buffer): void; after?(buffer: Buffer, count: number): void },
  ): Promise<number> {
    this.check();
    if (length > MAX_TRANSFER_BYTES) throw new UsbError('io', `a USB transfer of ${length} bytes is too long`);
    const slot = this.idle.get(endpoint)?.pop() ?? this.newSlot(endpoint);
    if (slot.buffer.length < length) slot.buffer = Buffer.alloc(length);
    const buffer = slot.buffer.subarray(0, length);
    data.before?.(buffer);
    return new Promise((resolve, reject) => {
      const run: Run = { ending: null, timer: null, settle: null, waiting: [] };
      run.settle = (error, actual) => {
        run.settle = null;
        if (run.timer) clearTimeout(run.timer);
        // What came before a time-out is a short transfer: bytes are never dropped.
        const whole = !error || (error.kind === 'timeout' && endpoint >= 0x80 && actual > 0);
        if (!whole) return reject(error);
        const count = Math.min(actual, length);
        data.after?.(buffer, count);
        resolve(count);
      };
      try {
        slot.transfer.submit(buffer);
      } catch (error) {
        // The slot is dropped: the library takes its transfer for active from here on.
        const why = libusbError(error, this.name);
        if (why.kind === 'gone') this.lose(why);
        return reject(why);
      }
      slot.run = run;
      this.active.add(slot);
      if (timeoutMs > 0) run.timer = setTimeout(() => void this.endEarly(slot, 'timeout'), timeoutMs);
    });
  }

  private newSlot(endpoint: number): Slot {
    const type = endpoint === 0 ? CONTROL : BULK;
    const transfer = new this.libusb.Transfer(this.device, endpoint, type, 0, (error, _buffer, actual) =>
      this.completed(slot, error, actual),
    );
    const slot: Slot = { endpoint, transfer, buffer: Buffer.alloc(0), run: null };
    return slot;
  }

  private completed(slot: Slot, error: Error | undefined, actual: number): void {
    const run = slot.run;
    if (!run) return;
    slot.run = null;
    this.active.delete(slot);
    let why = error ? libusbError(error, this.name) : null;
    if (why?.kind === 'cancelled' && run.ending) why = this.endedError(run.ending);
    if (why?.kind === 'gone') this.lose(why);
    run.settle?.(why, actual);
    for (const done of run.waiting) done();
    if (this.over) return;
    const idle = this.idle.get(slot.endpoint) ?? [];
    this.idle.set(slot.endpoint, idle);
    if (idle.length < MAX_IDLE) idle.push(slot);
  }

  /** Cancels one transfer; resolves when its caller knows. */
  private endEarly(slot: Slot, why: 'timeout' | 'cancelled'): Promise<void> {
    const run = slot.run;
    const settle = run?.settle;
    if (!run || !settle) return Promise.resolve();
    return new Promise((resolve) => {
      run.settle = (error, actual) => {
        settle(error, actual);
        resolve();
      };
      if (run.ending) return;
      run.ending = why;
      if (run.timer) clearTimeout(run.timer);
      run.timer = setTimeout(() => run.settle?.(this.endedError(why), 0), CANCEL_MS);
      try {
        slot.transfer.cancel();
      } catch (error) {
        const failed = libusbError(error, this.name);
        if (failed.kind === 'gone') this.lose(failed);
      }
    });
  }

  private endedError(why: 'timeout' | 'cancelled'): UsbError {
    return new UsbError(why, `${this.name}: ${why === 'timeout' ? 'no answer in time' : 'the transfer was cancelled'}`);
  }

  /** The board was pulled: callers know at once, the library gives the transfers back in its own time. */
  private lose(why: UsbError): void {
    if (this.over) return;
    this.over = why;
    for (const slot of [...this.active]) slot.run?.settle?.(why, 0);
    this.onGone();
  }
}

function writeSetup(buffer: Buffer, request: ControlRequest, length: number): void {
  buffer.writeUInt8(request.requestType, 0);
  buffer.writeUInt8(request.request, 1);
  buffer.writeUInt16LE(request.value, 2);
  buffer.writeUInt16LE(request.index, 4);
  buffer.writeUInt16LE(length, 6);
}
