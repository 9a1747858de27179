import type { Connector } from './byte-transport.ts';
import type { LossBounds } from './capture-clock.ts';
import { IiodClient } from './iiod-client.ts';
import { IiodError } from './iiod-error.ts';
import type { AttrRef } from './iiod-words.ts';
import { CLOCK_TOLERANCE, LossTracker } from './loss-tracker.ts';
import { OVERFLOW_BIT, StatusBit } from './status-register.ts';

/** What the loop needs to know; plain data, it crosses to a worker thread. */
export interface RxLoopConfig {
  readonly device: string;
  readonly mask: readonly number[];
  readonly registers: AttrRef | null;
  /** Samples of one buffer. */
  readonly bufferSamples: number;
  /** Buffers of the board's kernel, filled in turn. */
  readonly kernelBuffers: number;
  /** Samples in a second of the host's clock. */
  readonly rateHz: number;
  /** True: the rate cannot stream, so each buffer is opened by itself, and what passes between two is lost. */
  readonly bursts: boolean;
  readonly timeoutMs: number;
}

/** Where samples and losses go; positions are samples delivered so far. */
export interface RxSink {
  /** `lastSampleS`: host time of the last sample, s. */
  samples(bytes: Uint8Array, lastSampleS: number): void;
  /** Samples were lost somewhere between the positions; said before the first sample at `to`. False: no room, ask again later. */
  loss(bounds: LossBounds, from: number, to: number): boolean;
  /** Something that the user should know of the stream. */
  warn(text: string): void;
}

/** Consecutive reads that the board may fail to serve in time, half the time-out each, before the stream ends. */
const MAX_STALLS = 1;
const BYTES_PER_SAMPLE = 4;
/** How long a stop waits for the buffer under way. */
const STOP_MS = 500;

/**
 * Receives until `signal` is aborted, then closes the buffer. IiodError: the connection is gone, or the board delivers nothing.
 *
 * @param nowS monotonic host time, s
 */
export async function receiveLoop(
  connector: Connector,
  config: RxLoopConfig,
  sink: RxSink,
  signal: AbortSignal,
  nowS: () => number,
): Promise<void> {
  const client = new IiodClient(await connector.connect(config.timeoutMs), config.timeoutMs);
  let cut: NodeJS.Timeout | undefined;
  const stop = () => {
    cut = setTimeout(() => void client.abort(), STOP_MS);
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (!signal.aborted) await new RxLoop(client, config, sink, signal, nowS).run();
  } catch (error) {
    // Cut off on purpose.
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    clearTimeout(cut);
    await client.close();
  }
}

class RxLoop {
  private readonly client: IiodClient;
  private readonly config: RxLoopConfig;
  private readonly sink: RxSink;
  private readonly signal: AbortSignal;
  private readonly nowS: () => number;
  private readonly losses: LossTracker;
  private readonly buffer: Uint8Array;
  private status: StatusBit | null;

  constructor(client: IiodClient, config: RxLoopConfig, sink: RxSink, signal: AbortSignal, nowS: () => number) {
    this.client = client;
    this.config = config;
    this.sink = sink;
    this.signal = signal;
    this.nowS = nowS;
    this.status = config.registers ? new StatusBit(client, config.registers, OVERFLOW_BIT) : null;
    this.losses = new LossTracker(config, (bounds, from, to) => sink.loss(bounds, from, to));
    this.buffer = new Uint8Array(config.bufferSamples * BYTES_PER_SAMPLE);
  }

  async run(): Promise<void> {
    // Servers without local hardware refuse it; then their default holds, which is the number we ask for.
    await unlessRefused(this.client.setBuffersCount(this.config.device, this.config.kernelBuffers));
    if (this.config.bursts) await this.bursts();
    else await this.stream();
    for (let tries = 0; !this.losses.settled && tries < 40; tries++) {
      this.losses.end();
      if (!this.losses.settled) await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  private async stream(): Promise<void> {
    const { device, bufferSamples, mask } = this.config;
    const askedS = this.nowS();
    await this.client.open(device, bufferSamples, mask);
    this.losses.opened(askedS, this.nowS());
    await this.checkStatus(askedS);
    let stalls = 0;
    while (!this.signal.aborted) {
      const requestS = this.nowS();
      const samples = await this.read();
      const arrivedS = this.nowS();
      if (samples === null) {
        if (++stalls > MAX_STALLS) throw new IiodError('timeout', `the board delivered no buffer in ${stalls} reads`);
        await this.reopen();
        continue;
      }
      stalls = 0;
      const overflowed = await this.overflowed();
      const lastSampleS = this.losses.buffer({ samples, requestS, arrivedS, overflowed });
      this.sink.samples(this.buffer.subarray(0, samples * BYTES_PER_SAMPLE), lastSampleS);
    }
    await unlessRefused(this.client.closeBuffer(device));
  }

  /** After a read that failed the server has closed the buffer, or may have. */
  private async reopen(): Promise<void> {
    const { device, bufferSamples, mask } = this.config;
    await unlessRefused(this.client.closeBuffer(device));
    this.losses.reopened(this.nowS());
    await this.client.open(device, bufferSamples, mask);
    await this.overflowed();
  }

  private async bursts(): Promise<void> {
    const { device, bufferSamples, mask, rateHz } = this.config;
    while (!this.signal.aborted) {
      const askedS = this.nowS();
      await this.client.open(device, bufferSamples, mask);
      const repliedS = this.nowS();
      const samples = await this.read();
      const arrivedS = this.nowS();
      await unlessRefused(this.client.closeBuffer(device));
      if (samples === null) throw new IiodError('timeout', 'the board delivered no buffer');
      const lengthS = samples / rateHz;
      const lastSampleS = this.losses.burst(samples, {
        openedS: [askedS, repliedS],
        earliestS: askedS + lengthS * (1 - CLOCK_TOLERANCE),
        latestS: Math.min(arrivedS, repliedS + lengthS * (1 + CLOCK_TOLERANCE)),
      });
      this.sink.samples(this.buffer.subarray(0, samples * BYTES_PER_SAMPLE), lastSampleS);
    }
  }

  /** Whole samples read; null where the board had none in time. */
  private async read(): Promise<number | null> {
    try {
      const { bytes, mask } = await this.client.readBuffer(this.config.device, this.buffer, this.config.mask.length);
      if (bytes === 0) return null;
      if (mask.some((word, i) => word !== this.config.mask[i])) {
        throw new IiodError('protocol', 'another program receives other channels of this board at the same time');
      }
      if (bytes % BYTES_PER_SAMPLE) throw new IiodError('protocol', `${bytes} bytes are no whole number of samples`);
      return bytes / BYTES_PER_SAMPLE;
    } catch (error) {
      // 110 ETIMEDOUT, 11 EAGAIN: the board is late, the connection is fine.
      if (error instanceof IiodError && (error.errno === 110 || error.errno === 11)) return null;
      throw error;
    }
  }

  /** True: samples were lost since the last look; null: the board does not say. */
  private async overflowed(): Promise<boolean | null> {
    const set = this.status ? await this.status.takeSet() : null;
    if (set === null) this.withoutStatus('the board does not show its overflow bit');
    return set;
  }

  /**
   * Clears what stood in the register before, and looks whether the bit can be trusted: some firmware shows it set for ever
   * (analogdevicesinc/plutosdr-fw#107), and right after the start nothing can have been lost, as all buffers are free.
   */
  private async checkStatus(openedS: number): Promise<void> {
    if ((await this.overflowed()) === null || (await this.overflowed()) !== true) return;
    const freeS = ((this.config.kernelBuffers - 1) * this.config.bufferSamples) / this.config.rateHz;
    if (this.nowS() - openedS < freeS) this.withoutStatus("the board's overflow bit is stuck");
  }

  private withoutStatus(why: string): void {
    if (!this.losses.byTimingOnly)
      this.sink.warn(`${why}: losses are found only where the timing of buffers shows them`);
    this.losses.byTimingOnly = true;
    this.status = null;
  }
}

async function unlessRefused(command: Promise<unknown>): Promise<void> {
  try {
    await command;
  } catch (error) {
    if (!(error instanceof IiodError && error.kind === 'errno')) throw error;
  }
}
