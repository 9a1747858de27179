import { DeviceError, UsageError } from '../../common/errors.ts';
import { fromFloat } from '../format/convert.ts';
import { newTxCounters, type StreamSettings, type TxCounters, type TxStream } from '../radio.ts';
import { describeSettings } from '../settings.ts';
import type { TxClock, TxDevice } from './tx-device.ts';

/** Zeros around a burst: the path settles before it, and the buffer's last samples are not cut with it. */
const LEAD_S = 0.001;
const TAIL_S = 0.001;
/** Largest buffer of the board's DMA, in samples (industrialio-buffer-dma: 16 MiB). */
const MAX_BUFFER_SAMPLES = 1 << 22;
/** The DMA moves 8 bytes at a time: buffers are whole multiples of so many samples. */
const ALIGN_SAMPLES = 16;

export interface PlutoTxParts {
  readonly device: TxDevice;
  readonly settings: StreamSettings;
  readonly clock: TxClock;
  /** False where nobody could end a repetition after the host is gone: over USB. */
  readonly mayRepeat: boolean;
  setGains(gainsDb: Readonly<Record<string, number>>): Promise<Readonly<Record<string, number>>>;
  /** Makes the board silent, whatever state it is in; tries again on a new connection where need be. */
  silence(): Promise<void>;
  closed(): void;
}

/**
 * A transmitting stream of a Pluto. A burst is one DMA buffer, so nothing can run out inside it; after it the buffer is closed, and the board
 * sends zeros. Index 0 is the moment the stream was opened; the board has no clock for samples, so indices are the host's estimate.
 */
export class PlutoTx implements TxStream {
  readonly settings: StreamSettings;
  readonly counters: TxCounters = newTxCounters();
  private readonly parts: PlutoTxParts;
  private readonly openedS: number;
  private queue: Promise<void> = Promise.resolve();
  private failure: Error | null = null;
  private repeating = false;
  private closing: Promise<void> | null = null;
  private stopped = false;

  constructor(parts: PlutoTxParts) {
    this.parts = parts;
    this.settings = parts.settings;
    this.openedS = parts.clock.nowS();
  }

  async write(reIm: Float32Array, atIndex?: number): Promise<{ index: number; samples: number }> {
    this.refuseUnusable();
    if (this.repeating) throw new DeviceError('pluto: tx repeats a buffer', 'end it with endRepeat() first');
    if (atIndex !== undefined && !(Number.isSafeInteger(atIndex) && atIndex >= this.index())) throw this.late(atIndex);
    const { iq, lead, samples } = this.buffer(reIm, LEAD_S, TAIL_S);
    if (samples === 0) return { index: Math.max(this.index(), this.counters.samples), samples };
    return new Promise((resolve, reject) => {
      this.enqueue(async () => {
        if (atIndex !== undefined) await this.waitFor(atIndex - lead);
        const { underrun } = await this.parts.device.play(iq, (startedS) => {
          const index = Math.max(this.index(startedS) + lead, this.counters.samples);
          this.counters.bursts++;
          this.counters.samples = index - lead + iq.length / 2;
          resolve({ index, samples });
        });
        if (underrun) this.counters.underruns++;
      }).catch(reject);
    });
  }

  get warning(): string | null {
    return this.parts.device.warning;
  }

  /** Sets gains behind what is queued, at once while a buffer is repeated; returns all as they are. */
  setGains(gainsDb: Readonly<Record<string, number>>): Promise<Readonly<Record<string, number>>> {
    const turn = this.queue.then(() => {
      this.refuseUnusable();
      return this.parts.setGains(gainsDb);
    });
    this.queue = turn.then(
      () => undefined,
      () => undefined,
    );
    return turn;
  }

  /** Repeats a buffer without a gap until endRepeat() or close(): an even number of samples, with no zeros around them. */
  async repeat(reIm: Float32Array): Promise<void> {
    this.refuseUnusable();
    if (this.repeating) throw new DeviceError('pluto: tx repeats a buffer already');
    if (!this.parts.mayRepeat) {
      throw new DeviceError(
        'pluto: over USB nothing would end a repeated buffer if this program were killed',
        'use pluto:ip:HOST, where the board notices, or send bursts',
      );
    }
    if (reIm.length === 0 || reIm.length % 4)
      throw new UsageError(`${reIm.length / 2} samples cannot be repeated: an even number can`);
    const { iq } = this.buffer(reIm, 0, 0);
    this.repeating = true;
    await this.enqueue(() => this.parts.device.repeat(iq));
    this.counters.bursts++;
  }

  async endRepeat(): Promise<void> {
    if (!this.repeating) return;
    await this.enqueue(async () => {
      const { underrun } = await this.parts.device.halt();
      if (underrun) this.counters.underruns++;
      this.counters.samples = this.index();
    });
    this.repeating = false;
  }

  async drain(): Promise<void> {
    await this.queue;
    if (this.failure) throw this.failure;
  }

  close(): Promise<void> {
    this.closing ??= (async () => {
      try {
        if (this.repeating && !this.failure) await this.endRepeat().catch(() => undefined);
        await this.queue;
      } finally {
        await this.stop();
      }
    })();
    return this.closing;
  }

  /** Ends what is in the air at once, and closes. */
  async cut(): Promise<void> {
    this.failure ??= new DeviceError('pluto: tx was cut off');
    await this.parts.device.abort();
    this.closing ??= this.stop();
    await this.closing;
  }

  describe(): string {
    return `pluto tx, ${describeSettings(this.settings)}`;
  }

  private async stop(): Promise<void> {
    if (this.stopped) return;
    this.stopped = true;
    try {
      await this.parts.device.close();
      await this.parts.silence();
    } finally {
      this.parts.closed();
    }
  }

  /** Runs one transmission after those before it. One that fails leaves the board silent and ends the stream. */
  private enqueue(transmission: () => Promise<void>): Promise<void> {
    const turn = this.queue.then(async () => {
      if (this.failure) throw this.failure;
      try {
        await transmission();
      } catch (error) {
        this.failure ??= error instanceof Error ? error : new DeviceError(String(error));
        await this.parts.device.abort();
        await this.parts.silence().catch(() => undefined);
        throw this.failure;
      }
    });
    this.queue = turn.catch(() => undefined);
    return turn;
  }

  /** The samples in the converter's format, with zeros around them. */
  private buffer(reIm: Float32Array, leadS: number, tailS: number): { iq: Int16Array; lead: number; samples: number } {
    const { rateHz, fullScale, format } = this.settings;
    if (reIm.length % 2) throw new UsageError(`${reIm.length} components are not a whole number of complex samples`);
    const samples = reIm.length / 2;
    const lead = Math.ceil(leadS * rateHz);
    const align = leadS > 0 ? ALIGN_SAMPLES : 1;
    const total = Math.ceil((lead + samples + Math.ceil(tailS * rateHz)) / align) * align;
    if (total > MAX_BUFFER_SAMPLES) {
      const most = MAX_BUFFER_SAMPLES - (total - samples);
      throw new UsageError(`a burst of ${samples} samples does not fit into one buffer of the board: at most ${most}`);
    }
    const iq = new Int16Array(2 * total);
    const { clippedSamples, nonFinite } = fromFloat(reIm, format, fullScale, iq.subarray(2 * lead));
    this.counters.clippedSamples += clippedSamples;
    this.counters.nonFinite += nonFinite;
    return { iq, lead, samples };
  }

  private index(atS = this.parts.clock.nowS()): number {
    return Math.max(0, Math.floor((atS - this.openedS) * this.settings.rateHz * this.parts.clock.speed));
  }

  private async waitFor(index: number): Promise<void> {
    const { clock } = this.parts;
    const waitS = (index - this.index()) / (this.settings.rateHz * clock.speed);
    if (waitS > 0) await clock.sleepS(waitS);
  }

  private late(index: number): DeviceError {
    return new DeviceError(`pluto: a burst at index ${index} is too late: it is ${this.index()} now`);
  }

  private refuseUnusable(): void {
    if (this.failure) throw this.failure;
    if (this.closing || this.stopped) throw new DeviceError('pluto: tx is closed');
  }
}
