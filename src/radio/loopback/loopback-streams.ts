import { DeviceError, inRange } from '../../common/errors.ts';
import {
  countBlock,
  newRxCounters,
  newTxCounters,
  type RxCounters,
  type RxStream,
  type SampleBlock,
  type StreamEnd,
  type StreamSettings,
  type TxCounters,
  type TxStream,
} from '../radio.ts';
import { describeSettings } from '../settings.ts';
import type { LoopbackPath } from './loopback-path.ts';

/** Receiving end of a loopback path. */
export class LoopbackRx implements RxStream {
  readonly settings: StreamSettings;
  readonly counters: RxCounters = newRxCounters();
  private readonly path: LoopbackPath;
  private readonly blockSamples: number;
  private readonly channelName: string;
  private readonly onClose: () => void;
  private readonly adcStart: number;
  private waiting: (() => void) | null = null;
  ended: StreamEnd | null = null;
  /** Called after each block, so that a waiting transmitter may go on. */
  onConsumed: (() => void) | null = null;

  constructor(
    path: LoopbackPath,
    settings: StreamSettings,
    blockSamples: number,
    channelName: string,
    onClose: () => void,
  ) {
    this.path = path;
    this.settings = settings;
    this.blockSamples = inRange('samples a block', blockSamples, 1, 16_384);
    this.channelName = channelName;
    this.onClose = onClose;
    this.adcStart = path.adcClippedSamples;
  }

  wake(): void {
    this.waiting?.();
    this.waiting = null;
  }

  /** Blocks that simulated time has already brought, without waiting for more; for callers in one task. */
  readAvailable(): SampleBlock | null {
    if (this.ended) return null;
    const block = this.path.next(this.blockSamples);
    if (block) {
      countBlock(this.counters, block);
      this.counters.clippedSamples = this.path.adcClippedSamples - this.adcStart;
      this.onConsumed?.();
    }
    return block;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SampleBlock> {
    try {
      while (!this.ended) {
        const block = this.readAvailable();
        if (block) yield block;
        else await new Promise<void>((resolve) => (this.waiting = resolve));
      }
    } finally {
      await this.close();
    }
  }

  async close(): Promise<void> {
    if (this.ended) return;
    this.ended = 'closed';
    this.wake();
    this.onConsumed?.();
    this.onClose();
  }

  describe(): string {
    return `loopback rx after ${this.channelName}, ${describeSettings(this.settings)}`;
  }
}

/** What a transmitting end needs of its radio. */
export interface TxHooks {
  timePassed(): void;
  closed(): void;
  receiverOf(): LoopbackRx | null;
}

/** Transmitting end of a loopback path. */
export class LoopbackTx implements TxStream {
  readonly settings: StreamSettings;
  readonly counters: TxCounters = newTxCounters();
  private readonly path: LoopbackPath;
  private readonly maxPendingSamples: number;
  private readonly hooks: TxHooks;
  private readonly start: number;
  private closed = false;

  constructor(path: LoopbackPath, settings: StreamSettings, maxPendingSamples: number, hooks: TxHooks) {
    this.path = path;
    this.settings = settings;
    this.maxPendingSamples = maxPendingSamples;
    this.hooks = hooks;
    this.start = path.earliest;
  }

  async write(reIm: Float32Array, atIndex?: number): Promise<{ index: number; samples: number }> {
    if (this.closed) throw new DeviceError('loopback: tx is closed');
    while (this.path.pendingSamples > this.maxPendingSamples && this.hooks.receiverOf()) await this.consumed();
    const { index, clippedSamples, nonFinite } = this.path.queue(reIm, atIndex);
    const samples = reIm.length / 2;
    this.counters.bursts++;
    this.counters.clippedSamples += clippedSamples;
    this.counters.nonFinite += nonFinite;
    this.counters.samples = this.path.earliest - this.start;
    this.hooks.timePassed();
    return { index, samples };
  }

  /** Simulated time has passed already when write() returns. */
  async drain(): Promise<void> {}

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.hooks.closed();
  }

  describe(): string {
    return `loopback tx, ${describeSettings(this.settings)}`;
  }

  private consumed(): Promise<void> {
    return new Promise((resolve) => {
      const receiver = this.hooks.receiverOf();
      if (!receiver) return resolve();
      receiver.onConsumed = () => {
        receiver.onConsumed = null;
        resolve();
      };
    });
  }
}
