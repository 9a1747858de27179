import type { AirClock } from '../air.ts';
import { IioError } from './iio-error.ts';
import { STATUS_OVERFLOW, type StatusRegister } from './registers.ts';
import type { SampleClock } from './sample-clock.ts';

/** Makes `count` received samples from sample number `index` on, [sample][I, Q], at `offset` samples into `into`. */
export type SampleSource = (index: number, count: number, into: Int16Array, offset: number) => void;

/** A stretch that the host never got, in sample numbers of the converter. */
export interface Gap {
  readonly from: number;
  readonly samples: number;
}

export interface RxBlock {
  /** Sample number of the first. */
  readonly index: number;
  /** [sample][I, Q] */
  readonly iq: Int16Array;
}

/** Largest block and largest sum of a device's blocks, bytes (industrialio-buffer-dma: max_block_size; the sum is assumed). */
const MAX_BLOCK_BYTES = 16 << 20;
const MAX_TOTAL_BYTES = 128 << 20;
const SAMPLE_BYTES = 4;
const MOST_GAPS_KEPT = 10_000;
const LONGEST_SLEEP_S = 0.1;

/** EINVAL for no samples, ENOMEM for what the board's memory does not hold. */
export function checkBlocks(blockSamples: number, blocks: number): void {
  if (!(blockSamples > 0)) throw new IioError('EINVAL');
  const bytes = blockSamples * SAMPLE_BYTES;
  if (bytes > MAX_BLOCK_BYTES || bytes * blocks > MAX_TOTAL_BYTES) throw new IioError('ENOMEM');
}

/**
 * Receive DMA: fills one block after the other while there are free ones; with none free samples are lost until the host gives one
 * back, the sticky bit says so, and the count is exact. The host holds one block at a time.
 */
export class RxDma {
  private readonly samples: SampleClock;
  private readonly clock: AirClock;
  private readonly source: SampleSource;
  private readonly status: StatusRegister;
  private blockSamples = 0;
  private free: Int16Array[] = [];
  private done: RxBlock[] = [];
  private filling: { index: number; iq: Int16Array; filled: number } | null = null;
  private held: RxBlock | null = null;
  private stalledAt: number | null = null;
  private opened = false;
  capturedSamples = 0;
  lostSamples = 0;
  overruns = 0;
  readonly gaps: Gap[] = [];

  constructor(options: { samples: SampleClock; clock: AirClock; source: SampleSource; status: StatusRegister }) {
    this.samples = options.samples;
    this.clock = options.clock;
    this.source = options.source;
    this.status = options.status;
  }

  get isOpen(): boolean {
    return this.opened;
  }

  open(blockSamples: number, blocks: number): void {
    checkBlocks(blockSamples, blocks);
    this.close();
    this.opened = true;
    this.blockSamples = blockSamples;
    this.free = Array.from({ length: blocks }, () => new Int16Array(2 * blockSamples));
    this.fillNext(this.samples.indexAt(this.clock.nowS()));
  }

  close(): void {
    if (this.opened) this.advance(this.clock.nowS());
    if (this.stalledAt !== null) this.endStall(this.samples.indexAt(this.clock.nowS()), this.stalledAt);
    this.opened = false;
    this.free = [];
    this.done = [];
    this.filling = null;
    this.held = null;
  }

  /** What the converter has made until now goes into the blocks. */
  advance(nowS: number): void {
    const now = this.samples.indexAt(nowS);
    while (this.filling) {
      const { index, iq, filled } = this.filling;
      const count = Math.min(this.blockSamples - filled, now - index - filled);
      if (count > 0) {
        this.source(index + filled, count, iq, filled);
        this.filling.filled += count;
        this.capturedSamples += count;
      }
      if (this.filling.filled < this.blockSamples) return;
      this.done.push({ index, iq });
      this.fillNext(index + this.blockSamples);
    }
  }

  /**
   * Gives back the block that the host holds and waits for the next full one. IioError: ETIMEDOUT after timeoutS (0: never), EBADF when the
   * buffer was closed meanwhile, or `signal` was aborted.
   */
  async next(timeoutS: number, signal: AbortSignal): Promise<RxBlock> {
    this.advance(this.clock.nowS());
    this.giveBack();
    const deadlineS = timeoutS > 0 ? this.clock.nowS() + timeoutS : Number.POSITIVE_INFINITY;
    for (;;) {
      if (!this.opened || signal.aborted) throw new IioError('EBADF');
      const nowS = this.clock.nowS();
      this.advance(nowS);
      const block = this.done.shift();
      if (block) {
        this.held = block;
        return block;
      }
      if (nowS >= deadlineS) throw new IioError('ETIMEDOUT');
      const fullS = this.filling ? this.samples.timeOf(this.filling.index + this.blockSamples) : nowS;
      await this.clock.at(Math.min(fullS, deadlineS, nowS + LONGEST_SLEEP_S), signal);
    }
  }

  private giveBack(): void {
    if (!this.held) return;
    this.free.push(this.held.iq);
    this.held = null;
    if (this.stalledAt === null) return;
    const now = this.samples.indexAt(this.clock.nowS());
    this.endStall(now, this.stalledAt);
    this.fillNext(now);
  }

  private fillNext(index: number): void {
    const iq = this.free.shift();
    this.filling = iq ? { index, iq, filled: 0 } : null;
    if (iq) return;
    this.stalledAt = index;
    this.overruns++;
    this.status.set(STATUS_OVERFLOW);
  }

  private endStall(now: number, from: number): void {
    this.stalledAt = null;
    this.lostSamples += now - from;
    if (now > from && this.gaps.length < MOST_GAPS_KEPT) this.gaps.push({ from, samples: now - from });
  }
}
