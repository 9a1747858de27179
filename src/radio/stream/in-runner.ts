import { inRange, UsageError } from '../../common/errors.ts';
import { type UsbDevice, UsbError } from '../usb/usb.ts';
import type { ChunkRingWriter } from './chunk-ring.ts';
import { type InRequest, POLL_TAG, type PollRequest, PRESET_MS, type PresetRequest } from './stream-board.ts';

/** Host time, ns since 1970; never runs backwards within a thread. */
export type Clock = () => bigint;

export const hostClock: Clock = () => BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e6));

/** Something that fills a ring until it is stopped or fails. */
export interface Running {
  /** Null: it was stopped. Resolves after the ring's end is written. */
  readonly ended: Promise<UsbError | null>;
  /** Resolves when nothing of it is under way any more. */
  stop(): Promise<void>;
  pollNow(): void;
}

/** Refuses a request that cannot be run. */
export function checkInRequest(request: InRequest): void {
  if (request.endpoint < 0x81 || request.endpoint > 0x8f) throw new UsageError(`endpoint ${request.endpoint} is no IN`);
  inRange('transferBytes', request.transferBytes, 1, 2 ** 22);
  inRange('transfers', request.transfers, 1, 64);
  inRange('silenceMs', request.silenceMs ?? 0, 0, 1e9);
  const { poll } = request;
  if (!poll) return;
  inRange('poll.length', poll.length, 1, 1024);
  inRange('poll.periodMs', poll.periodMs, 1, 1e6);
}

/**
 * Transfers of a bulk IN endpoint, several under way, into a ring in the order in which they were asked for; and the polls between them.
 */
export class InRunner implements Running {
  readonly ended: Promise<UsbError | null>;
  private readonly device: UsbDevice;
  private readonly request: InRequest;
  private readonly ring: ChunkRingWriter;
  private readonly clock: Clock;
  /** Why it ends; undefined while it runs. */
  private verdict: UsbError | null | undefined;
  private progressMs = performance.now();
  private wakePoll: (() => void) | null = null;
  private pollAgain = false;

  constructor(device: UsbDevice, request: InRequest, ring: ChunkRingWriter, clock: Clock) {
    checkInRequest(request);
    this.device = device;
    this.request = request;
    this.ring = ring;
    this.clock = clock;
    this.ended = this.run();
  }

  async stop(): Promise<void> {
    await this.end(null);
    await this.ended;
  }

  pollNow(): void {
    this.pollAgain = true;
    this.wakePoll?.();
  }

  private async run(): Promise<UsbError | null> {
    const guard = this.watchSilence();
    try {
      await this.begin();
      this.progressMs = performance.now();
      await this.receive();
    } catch (error) {
      await this.end(asUsbError(error));
    } finally {
      clearInterval(guard);
      this.wakePoll?.();
      this.ring.end();
    }
    return this.verdict ?? null;
  }

  /** What is sent before the first transfer; what is sent in its place where that was not answered in time. */
  private async begin(): Promise<void> {
    const { begin = [], beginAgain } = this.request;
    try {
      await this.sendAll(begin);
    } catch (error) {
      const again = error instanceof UsbError && error.kind === 'timeout' && this.verdict === undefined;
      if (!again || !beginAgain) throw error;
      await this.sendAll(beginAgain);
    }
  }

  private async sendAll(requests: readonly PresetRequest[]): Promise<void> {
    for (const { data, timeoutMs = PRESET_MS, ...setup } of requests) {
      if (this.verdict === undefined) await this.device.controlOut(setup, data, timeoutMs);
    }
  }

  private async receive(): Promise<void> {
    const { endpoint, transferBytes, transfers, poll } = this.request;
    const flight: { buffer: Uint8Array; count: Promise<number> }[] = [];
    const submit = (buffer: Uint8Array) => {
      const count = this.device.bulkIn(endpoint, buffer, 0);
      count.catch(() => {}); // looked at when its turn comes
      flight.push({ buffer, count });
    };
    for (let i = 0; i < transfers && this.verdict === undefined; i++) submit(new Uint8Array(transferBytes));
    if (poll) void this.poll(poll);
    let whole = true;
    for (let next = flight.shift(); next; next = flight.shift()) {
      try {
        const count = await next.count;
        // Behind a transfer that failed or was cancelled nothing is in its place any more.
        if (whole) this.arrived(next.buffer.subarray(0, count));
        if (this.verdict === undefined) submit(next.buffer);
      } catch (error) {
        whole = false;
        await this.end(asUsbError(error));
      }
    }
  }

  private arrived(bytes: Uint8Array): void {
    this.progressMs = performance.now();
    if (bytes.length > 0) this.ring.push(bytes, this.clock());
  }

  /** The first reason counts. Transfers under way come back at once. */
  private async end(why: UsbError | null): Promise<void> {
    if (this.verdict !== undefined) return;
    this.verdict = why;
    await this.device.cancel(this.request.endpoint).catch(() => {});
  }

  private watchSilence(): NodeJS.Timeout | undefined {
    const { silenceMs = 0 } = this.request;
    if (silenceMs === 0) return undefined;
    const isSilent = () => performance.now() - this.progressMs > silenceMs;
    return setInterval(
      () => {
        // What came while this thread was held up is looked at first.
        if (isSilent()) setImmediate(() => isSilent() && void this.end(silence(silenceMs)));
      },
      Math.max(silenceMs / 8, 1),
    );
  }

  private async poll({ request, length, periodMs, timeoutMs = 1000 }: PollRequest): Promise<void> {
    while (this.verdict === undefined) {
      this.pollAgain = false;
      const startMs = performance.now();
      const fromIndex = this.ring.endIndex;
      const askedNs = this.clock();
      let data: Uint8Array | null = null;
      try {
        data = await this.device.controlIn(request, length, timeoutMs);
      } catch (error) {
        if (error instanceof UsbError && error.kind === 'gone') return; // the transfers say so, too
      }
      const timeNs = this.clock();
      // Transfers that came before the reply are in the ring after this turn of the loop.
      await new Promise((resolve) => setImmediate(resolve));
      if (this.verdict !== undefined) return;
      this.ring.pushSide({ tag: POLL_TAG, data, fromIndex, toIndex: this.ring.endIndex, askedNs, timeNs });
      await this.pause(periodMs - (performance.now() - startMs));
    }
  }

  private pause(ms: number): Promise<void> {
    if (ms <= 0 || this.pollAgain || this.verdict !== undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.wakePoll = null;
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.wakePoll = wake;
    });
  }
}

function silence(ms: number): UsbError {
  return new UsbError('timeout', `no samples for ${ms / 1000} s`);
}

/** Any error as one that a stream can end with. */
export function asUsbError(error: unknown): UsbError {
  if (error instanceof UsbError) return error;
  const { message, hint } = error as { message?: string; hint?: string };
  return new UsbError('io', message ?? String(error), hint);
}
