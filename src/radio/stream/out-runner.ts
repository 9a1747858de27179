import { inRange, UsageError } from '../../common/errors.ts';
import { type UsbDevice, UsbError } from '../usb/usb.ts';
import { asUsbError, type Clock } from './in-runner.ts';
import type { OutDone, OutQueue, OutRequest } from './stream-board.ts';

interface Write {
  readonly data: Uint8Array;
  resolve(done: OutDone): void;
  reject(error: UsbError): void;
}

/** One transfer, and the write that is done with it. */
interface Piece {
  readonly bytes: number;
  readonly sent: Promise<number>;
  readonly last: Write | null;
}

export function checkOutRequest(request: OutRequest): void {
  if (request.endpoint < 0x01 || request.endpoint > 0x0f)
    throw new UsageError(`endpoint ${request.endpoint} is no OUT`);
  inRange('transferBytes', request.transferBytes, 1, 2 ** 22);
  inRange('transfers', request.transfers, 1, 64);
  inRange('stallMs', request.stallMs, 0, 1e9);
}

/** Bytes to a bulk OUT endpoint, several transfers under way, writes done in order. */
export class OutRunner implements OutQueue {
  sentBytes = 0;
  private readonly device: UsbDevice;
  private readonly request: OutRequest;
  private readonly clock: Clock;
  private readonly onSent: (bytes: number) => void;
  private readonly waiting: Write[] = [];
  /** Bytes of the first waiting write that are in `flight`. */
  private offset = 0;
  private readonly flight: Piece[] = [];
  private draining: Promise<void> | null = null;
  private over: UsbError | null = null;
  private stallTimer: NodeJS.Timeout | null = null;

  /** @param onSent hears sentBytes whenever it grew */
  constructor(device: UsbDevice, request: OutRequest, clock: Clock, onSent: (bytes: number) => void = () => {}) {
    checkOutRequest(request);
    this.device = device;
    this.request = request;
    this.clock = clock;
    this.onSent = onSent;
  }

  /** `data` is not copied here: the caller leaves it alone until this is done. */
  write(data: Uint8Array): Promise<OutDone> {
    const done = new Promise<OutDone>((resolve, reject) => {
      if (this.over) reject(this.over);
      else this.waiting.push({ data, resolve, reject });
    });
    done.catch(() => {});
    this.pump();
    return done;
  }

  async cancel(): Promise<void> {
    await this.end(new UsbError('cancelled', 'sending was cancelled'));
    await this.draining;
  }

  /** Puts as many pieces under way as may be. */
  private pump(): void {
    const { endpoint, transferBytes, transfers } = this.request;
    while (!this.over && this.waiting.length > 0 && this.flight.length < transfers) {
      const write = this.waiting[0];
      const piece = write.data.subarray(this.offset, this.offset + transferBytes);
      const isLast = this.offset + piece.length >= write.data.length;
      // Nothing to send is done when everything before is.
      const sent = piece.length > 0 ? this.device.bulkOut(endpoint, piece, 0) : Promise.resolve(0);
      sent.catch(() => {});
      this.flight.push({ bytes: piece.length, sent, last: isLast ? write : null });
      this.offset = isLast ? 0 : this.offset + piece.length;
      if (isLast) this.waiting.shift();
    }
    if (this.flight.length > 0) {
      this.draining ??= this.drain().finally(() => {
        this.draining = null;
      });
    }
  }

  private async drain(): Promise<void> {
    for (let piece = this.flight[0]; piece; piece = this.flight[0]) {
      this.watchStall();
      try {
        const sent = await piece.sent;
        if (sent !== piece.bytes) throw new UsbError('io', `the board took ${sent} of ${piece.bytes} bytes`);
        this.sentBytes += sent;
        this.onSent(this.sentBytes);
        if (!this.over) piece.last?.resolve({ sentBytes: this.sentBytes, timeNs: this.clock() });
      } catch (error) {
        await this.end(asUsbError(error));
      }
      if (this.over) piece.last?.reject(this.over);
      this.flight.shift();
      this.pump();
    }
    if (this.stallTimer) clearTimeout(this.stallTimer);
    this.stallTimer = null;
  }

  /** The first reason counts; every write that is not done ends with it. */
  private async end(why: UsbError): Promise<void> {
    if (this.over) return;
    this.over = why;
    for (const write of this.waiting.splice(0)) write.reject(why);
    await this.device.cancel(this.request.endpoint).catch(() => {});
  }

  private watchStall(): void {
    const { stallMs } = this.request;
    if (stallMs === 0) return;
    if (this.stallTimer) clearTimeout(this.stallTimer);
    const piece = this.flight[0];
    this.stallTimer = setTimeout(() => {
      // What came while this thread was held up is looked at first.
      setImmediate(() => {
        if (this.flight[0] === piece) void this.end(new UsbError('timeout', `no bytes taken for ${stallMs / 1000} s`));
      });
    }, stallMs);
  }
}
