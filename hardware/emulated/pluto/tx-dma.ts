import type { AirClock } from '../air.ts';
import { IioError } from './iio-error.ts';
import { STATUS_UNDERFLOW, type StatusRegister } from './registers.ts';
import { checkBlocks, type Gap } from './rx-dma.ts';
import type { SampleClock } from './sample-clock.ts';

/** Takes `count` samples that leave the DMA from sample number `index` on: [sample][I, Q] from `offset` samples into iq; null = none, zeros. */
export type SampleSink = (index: number, count: number, iq: Int16Array | null, offset: number) => void;

const MOST_GAPS_KEPT = 10_000;
const LONGEST_SLEEP_S = 0.1;
/** The DMA moves 8 bytes at a time: an odd sample at the end of a block is not sent. */
const SAMPLES_ALIGNED = 2;

/**
 * Transmit DMA: plays whole blocks one after the other as they are queued, or one block again and again. With none queued zeros come out,
 * the sticky bit says so, and the zeros between two blocks are counted exactly.
 */
export class TxDma {
  private readonly samples: SampleClock;
  private readonly clock: AirClock;
  private readonly sink: SampleSink;
  private readonly status: StatusRegister;
  private queue: { iq: Int16Array; samples: number; played: number }[] = [];
  private blocks = 0;
  private cyclic = false;
  private opened = false;
  /** Next sample number to leave. */
  private position = 0;
  private dryFrom: number | null = null;
  playedSamples = 0;
  /** Times that a block was missing: the end of every burst, too. */
  underruns = 0;
  /** Zeros between two blocks of one buffer. */
  gapSamples = 0;
  readonly gaps: Gap[] = [];
  /** Queued, and cut off when the buffer was closed. */
  cutSamples = 0;

  constructor(options: { samples: SampleClock; clock: AirClock; sink: SampleSink; status: StatusRegister }) {
    this.samples = options.samples;
    this.clock = options.clock;
    this.sink = options.sink;
    this.status = options.status;
    this.position = this.samples.indexAt(this.clock.nowS());
  }

  get isOpen(): boolean {
    return this.opened;
  }

  open(blockSamples: number, blocks: number, cyclic: boolean): void {
    checkBlocks(blockSamples, blocks);
    this.close();
    this.opened = true;
    this.blocks = cyclic ? 1 : blocks;
    this.cyclic = cyclic;
    this.status.write(STATUS_UNDERFLOW);
  }

  /** What was not played until now is dropped. */
  close(): void {
    this.advance(this.clock.nowS());
    if (!this.cyclic) for (const { samples, played } of this.queue) this.cutSamples += samples - played;
    this.queue = [];
    this.opened = false;
    this.dryFrom = null;
  }

  /** Queues a block of `samples` samples; iq is the DMA's from then on. */
  push(iq: Int16Array, samples: number): void {
    if (!this.opened) throw new IioError('EBADF');
    if (this.cyclic && this.queue.length) throw new IioError('EBUSY');
    const whole = samples - (samples % SAMPLES_ALIGNED);
    if (whole === 0) throw new IioError('EINVAL');
    this.advance(this.clock.nowS());
    if (this.dryFrom !== null) {
      const gap = this.position - this.dryFrom;
      this.gapSamples += gap;
      if (gap && this.gaps.length < MOST_GAPS_KEPT) this.gaps.push({ from: this.dryFrom, samples: gap });
      this.dryFrom = null;
    }
    this.queue.push({ iq, samples: whole, played: 0 });
  }

  /** Waits until a block is free. IioError as RxDma.next. */
  async room(timeoutS: number, signal: AbortSignal): Promise<void> {
    const deadlineS = timeoutS > 0 ? this.clock.nowS() + timeoutS : Number.POSITIVE_INFINITY;
    for (;;) {
      if (!this.opened || signal.aborted) throw new IioError('EBADF');
      const nowS = this.clock.nowS();
      this.advance(nowS);
      if (this.cyclic || this.queue.length < this.blocks) return;
      if (nowS >= deadlineS) throw new IioError('ETIMEDOUT');
      const { samples, played } = this.queue[0];
      const emptyS = this.samples.timeOf(this.position + samples - played);
      await this.clock.at(Math.min(emptyS, deadlineS, nowS + LONGEST_SLEEP_S), signal);
    }
  }

  /** Lets out what is due until now. */
  advance(nowS: number): void {
    const now = this.samples.indexAt(nowS);
    while (this.position < now) {
      const block = this.queue[0];
      const count = block ? Math.min(block.samples - block.played, now - this.position) : now - this.position;
      this.sink(this.position, count, block?.iq ?? null, block?.played ?? 0);
      this.position += count;
      if (!block) return;
      block.played += count;
      this.playedSamples += count;
      if (block.played < block.samples) return;
      if (this.cyclic) block.played = 0;
      else this.finish();
    }
  }

  private finish(): void {
    this.queue.shift();
    if (this.queue.length) return;
    this.dryFrom = this.position;
    this.underruns++;
    this.status.set(STATUS_UNDERFLOW);
  }
}
