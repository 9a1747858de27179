import { UsageError } from '../../common/errors.ts';
import { systemClock, type WaitClock } from '../../common/wait-clock.ts';
import { countAtLimit } from '../format/convert.ts';
import {
  blockLength,
  countBlock,
  exactLoss,
  joinLosses,
  type LossRecord,
  newRxCounters,
  type RxCounters,
  type RxStream,
  type SampleBlock,
  type StreamEnd,
  type StreamRequest,
  type StreamSettings,
} from '../radio.ts';
import { CaptureReader } from '../sigmf/capture-reader.ts';

export interface PacedRxOptions {
  /** Capture time that passes in a second, 1 = as recorded; absent: as fast as it is read. */
  readonly pace?: number;
  /** How often it is played; default 1. */
  readonly loops?: number;
  readonly blockSamples?: number;
  /** What waits for a slow reader at most, s of the stream; what is older is lost, as with a board. Default 1. */
  readonly bufferS?: number;
  readonly clock?: WaitClock;
}

/** Longest single sleep, so that close() is seen. */
const MAX_SLEEP_MS = 50;

/**
 * A finished capture played as if a board delivered it: at its sample rate (times `pace`), again and again, with sample indices that go on. Whoever
 * reads too slowly loses whole blocks, counted and located exactly. Gaps of the capture stay gaps and take their time.
 */
export class PacedRx implements RxStream {
  readonly settings: StreamSettings;
  readonly counters: RxCounters = newRxCounters();
  ended: StreamEnd | null = null;
  readonly warning: string | null = null;
  private readonly reader: CaptureReader;
  private readonly pace: number | undefined;
  private readonly loops: number;
  private readonly blockSamples: number;
  private readonly bufferS: number;
  private readonly clock: WaitClock;
  private readonly hasLimit: boolean;
  private iterating = false;
  private closing: Promise<void> | null = null;

  private constructor(reader: CaptureReader, options: PacedRxOptions) {
    const { format, fullScale, rateHz, segments } = reader.layout;
    this.reader = reader;
    this.pace = options.pace;
    this.loops = options.loops ?? 1;
    this.blockSamples = options.blockSamples ?? 32_768;
    this.bufferS = options.bufferS ?? 1;
    this.clock = options.clock ?? systemClock;
    this.hasLimit = format !== 'cf32_le' || reader.meta.global['sct:full_scale'] !== undefined;
    const { frequencyHz = 0, gainsDb = {} } = segments[0] ?? {};
    this.settings = { frequencyHz: frequencyHz ?? 0, rateHz, bandwidthHz: null, gainsDb, format, fullScale };
  }

  /** Opens the capture. UsageError for one that is empty or still written, and for a rate other than its own. */
  static async open(path: string, request: StreamRequest, options: PacedRxOptions): Promise<PacedRx> {
    const reader = await CaptureReader.open(path);
    const { rateHz, complete } = reader.layout;
    const problem = !complete
      ? 'is still being written: only a finished capture has a pace and can be played again'
      : reader.sampleCount === 0
        ? 'has no samples'
        : request.rateHz !== undefined && request.rateHz !== rateHz
          ? `has ${rateHz} samples a second, not ${request.rateHz}`
          : null;
    if (problem) {
      await reader.close();
      throw new UsageError(`file: ${path} ${problem}`);
    }
    return new PacedRx(reader, options);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SampleBlock> {
    const { reader } = this;
    const { start, end } = reader.span;
    const startMs = this.clock.nowMs();
    this.iterating = true;
    let lost: LossRecord | null = null;
    try {
      for (let loop = 0; loop < this.loops && !this.ended; loop++) {
        const offset = loop * (end - start);
        for (let position = 0; position < reader.sampleCount && !this.ended; ) {
          const read = await reader.blockAt(position, Math.min(this.blockSamples, reader.sampleCount - position));
          const samples = blockLength(read);
          position += samples;
          const before: LossRecord | null = joinLosses(lost, moved(read.lostBefore, offset));
          const index = read.index + offset;
          const lateS = await this.wait(startMs, index + samples - start);
          if (lateS > this.bufferS) {
            lost = joinLosses(before, exactLoss(index, index + samples));
            continue;
          }
          const block = { ...read, index, lostBefore: before && { ...before, to: index } };
          lost = null;
          if (this.ended) break;
          countBlock(this.counters, block);
          if (this.hasLimit) this.counters.clippedSamples += countAtLimit(block.data, block.fullScale);
          yield block;
        }
      }
      this.ended ??= 'source-ended';
    } finally {
      this.ended ??= 'closed';
      if (lost) this.countLost(lost);
      await this.closeReader();
    }
  }

  /** Until the stream has come to so many samples; how late it is for them, s of the stream. */
  private async wait(startMs: number, samples: number): Promise<number> {
    const { pace, clock } = this;
    if (pace === undefined) return 0;
    const streamS = samples / this.settings.rateHz;
    for (;;) {
      const lateS = ((clock.nowMs() - startMs) / 1e3) * pace - streamS;
      if (lateS >= 0 || this.ended) return lateS;
      await clock.sleep(Math.min(MAX_SLEEP_MS, Math.max(1, (-1e3 * lateS) / pace)));
    }
  }

  /** At the end: what no block carries the loss of. */
  private countLost({ min, max }: LossRecord): void {
    this.counters.lostMin += min;
    this.counters.lostMax += max;
    this.counters.gaps++;
  }

  async close(): Promise<void> {
    this.ended ??= 'closed';
    // A running iteration may be in the middle of a read: it sees the flag and closes the files itself.
    if (!this.iterating) await this.closeReader();
  }

  private closeReader(): Promise<void> {
    this.closing ??= this.reader.close();
    return this.closing;
  }

  describe(): string {
    const pace = this.pace === undefined ? 'as fast as it is read' : `at ${this.pace} times its rate`;
    return `file rx ${this.reader.describe()}, played ${this.loops} times ${pace}`;
  }
}

function moved(loss: LossRecord | null, by: number): LossRecord | null {
  return loss && { ...loss, from: loss.from + by, to: loss.to + by };
}
