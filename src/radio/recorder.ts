import { UsageError } from '../common/errors.ts';
import { BurstRecorder } from './file/burst-recorder.ts';
import {
  blockLength,
  exactLoss,
  joinLosses,
  type LossRecord,
  newTxCounters,
  type RxCounters,
  type RxStream,
  type SampleBlock,
  type SampleData,
  type TxCounters,
  type TxStream,
} from './radio.ts';
import type { CaptureSummary, CaptureWriter } from './sigmf/capture-writer.ts';
import type { SctFields } from './sigmf/meta.ts';

/** Longest silence between two bursts that is written out, s. */
const MAX_SILENCE_S = 60;

export interface RecordOptions {
  /** Stop after this many samples. */
  readonly maxSamples?: number;
  /** Aborting stops the recording and keeps it. */
  readonly signal?: AbortSignal;
  /**
   * True: the source does not wait, so blocks that the disk cannot take in time are dropped and recorded as a gap.
   * False: a slow disk slows the source down and nothing is lost.
   */
  readonly realtime: boolean;
  /** Bytes held in memory at most while the disk is slow. */
  readonly bufferBytes?: number;
  /** Told how many blocks wait for the disk. */
  readonly queued?: (blocks: number) => void;
}

export interface RecordResult {
  readonly reason: 'source-ended' | 'source-silent' | 'max-samples' | 'interrupted' | 'error';
  /** What stopped the recording where reason is error; the capture holds what came before. */
  readonly error: Error | null;
  readonly summary: CaptureSummary;
  /** Samples that arrived but found no room; each drop stands as a gap in the capture, or as sct:lost_at_end. */
  readonly droppedSamples: number;
}

/**
 * Copies a stream into a capture until it ends, the limit is reached or the signal aborts; closes both. Whatever
 * happens, what was received up to then is a valid, closed capture.
 */
export async function record(rx: RxStream, writer: CaptureWriter, options: RecordOptions): Promise<RecordResult> {
  const { maxSamples = Number.POSITIVE_INFINITY, signal, realtime, bufferBytes = 64 * 1024 * 1024 } = options;
  if (!(maxSamples > 0)) throw new UsageError(`record: ${maxSamples} samples is out of range: allowed 1 upwards`);
  const queue = new WriteQueue(writer, realtime ? bufferBytes : 0);
  const stop = () => void rx.close();
  if (signal?.aborted) stop();
  signal?.addEventListener('abort', stop, { once: true });
  let error: Error | null = null;
  let taken = 0;
  const carried = { min: 0, max: 0 };
  try {
    for await (const block of rx) {
      carried.min += block.lostBefore?.min ?? 0;
      carried.max += block.lostBefore?.max ?? 0;
      const room = maxSamples - taken;
      const part = blockLength(block) <= room ? block : { ...block, data: block.data.slice(0, 2 * room) as SampleData };
      taken += blockLength(part);
      await queue.put(part);
      options.queued?.(queue.waiting);
      if (taken >= maxSamples) break;
    }
    await queue.finish();
  } catch (caught) {
    error = caught as Error;
  } finally {
    signal?.removeEventListener('abort', stop);
    await rx.close();
  }
  // A failed writer fails here as well; then there is no summary to give and the error is the caller's.
  const atEnd = lostAtEnd(rx.counters, carried, queue.loss);
  const summary = await writer.close({ ...atEnd, 'sct:clipped_samples': rx.counters.clippedSamples });
  const reached = taken >= maxSamples ? 'max-samples' : null;
  const ended = rx.ended === 'source-silent' ? 'source-silent' : 'source-ended';
  const reason = error ? 'error' : (reached ?? (signal?.aborted ? 'interrupted' : ended));
  return { reason, error, summary, droppedSamples: queue.droppedSamples };
}

/**
 * What a capture says of samples that no block carries the loss of: those that a board tells of only once its stream is over, and those that
 * found no room behind the last block kept.
 *
 * @param counters of the stream, after it was closed
 * @param carried losses that stood before its blocks
 */
export function lostAtEnd(
  { lostMin, lostMax }: Pick<RxCounters, 'lostMin' | 'lostMax'>,
  carried: { readonly min: number; readonly max: number },
  dropped: Pick<LossRecord, 'min' | 'max'> | null = null,
): SctFields {
  const min = Math.max(0, lostMin - carried.min) + (dropped?.min ?? 0);
  const max = Math.max(min, lostMax - carried.max + (dropped?.max ?? 0));
  return max > 0 ? { 'sct:lost_at_end': { min, max } } : {};
}

/** Blocks on their way to the disk; with a limit it never makes the source wait, but drops and remembers. */
class WriteQueue {
  private readonly writer: CaptureWriter;
  private readonly limitBytes: number;
  private readonly blocks: SampleBlock[] = [];
  private bytes = 0;
  /** Dropped since the last block that was kept. */
  loss: LossRecord | null = null;
  private worker: Promise<void> | null = null;
  private failure: Error | null = null;
  droppedSamples = 0;

  constructor(writer: CaptureWriter, limitBytes: number) {
    this.writer = writer;
    this.limitBytes = limitBytes;
  }

  get waiting(): number {
    return this.blocks.length;
  }

  async put(block: SampleBlock): Promise<void> {
    if (this.limitBytes === 0) return this.writer.write(block);
    if (this.failure) throw this.failure;
    const before = joinLosses(this.loss, block.lostBefore);
    if (this.bytes + block.data.byteLength > this.limitBytes) {
      const end = block.index + blockLength(block);
      this.loss = joinLosses(before, exactLoss(block.index, end));
      this.droppedSamples += blockLength(block);
      return;
    }
    this.loss = null;
    this.blocks.push({ ...block, lostBefore: before && { ...before, to: block.index } });
    this.bytes += block.data.byteLength;
    this.worker ??= this.drain();
  }

  async finish(): Promise<void> {
    await this.worker;
    if (this.failure) throw this.failure;
  }

  private async drain(): Promise<void> {
    try {
      for (let block = this.blocks.shift(); block; block = this.blocks.shift()) {
        await this.writer.write(block);
        this.bytes -= block.data.byteLength;
      }
    } catch (error) {
      this.failure = error as Error;
    } finally {
      this.worker = null;
    }
  }
}

/**
 * The same stream, every block of which is also written to a capture before the reader gets it; a gain that is set through it stands in
 * the capture from the next block on.
 */
export function tapRx(rx: RxStream, writer: CaptureWriter): RxStream {
  return {
    get settings() {
      return rx.settings;
    },
    ...gainTap(rx, writer),
    counters: rx.counters,
    get ended() {
      return rx.ended;
    },
    get warning() {
      return rx.warning ?? null;
    },
    close: () => rx.close(),
    describe: () => `${rx.describe()}, recorded to ${writer.describe()}`,
    async *[Symbol.asyncIterator]() {
      for await (const block of rx) {
        await writer.write(block);
        yield block;
      }
    },
  };
}

/** Setting gains of a stream that is recorded; nothing where it cannot. */
function gainTap<S extends RxStream | TxStream>(stream: S, writer: CaptureWriter): Pick<S, 'setGains'> {
  if (!stream.setGains) return {};
  return {
    setGains: async (gainsDb) => {
      const set = await stream.setGains!(gainsDb);
      writer.retune(stream.settings.frequencyHz || null, set);
      return set;
    },
  };
}

/**
 * The same transmitter, every burst of which is also written to a capture, in place, with silence between; a gain that is set through it
 * stands in the capture from the next burst on.
 *
 * @param marked false where somebody who knows more of the bursts marks them
 */
export function tapTx(tx: TxStream, writer: CaptureWriter, marked = true): TxStream {
  const bursts = new BurstRecorder(writer, MAX_SILENCE_S * tx.settings.rateHz, marked);
  const counters = newTxCounters();
  return {
    get settings() {
      return tx.settings;
    },
    ...gainTap(tx, writer),
    counters: tx.counters,
    write: async (reIm, atIndex) => {
      const placed = await tx.write(reIm, atIndex);
      await bursts.write(reIm, placed.index, counters);
      return placed;
    },
    drain: () => tx.drain(),
    close: () => tx.close(),
    describe: () => `${tx.describe()}, recorded to ${writer.describe()}`,
  };
}

/**
 * As tapTx for a transmitter that is opened again and again: what all of its streams sent stands in one capture without the time between, each with
 * the gains that it was opened with, and unmarked. The index that write() returns is the capture's.
 */
export function tapTurns(writer: CaptureWriter): { tap(tx: TxStream): TxStream; readonly counters: TxCounters } {
  const bursts = new BurstRecorder(writer, 0, false);
  const counters = newTxCounters();
  let gains = '';
  const tap = (tx: TxStream): TxStream => ({
    settings: tx.settings,
    counters: tx.counters,
    write: async (reIm, atIndex) => {
      const { samples } = await tx.write(reIm, atIndex);
      const { frequencyHz, gainsDb } = tx.settings;
      if (gains !== JSON.stringify(gainsDb)) writer.retune(frequencyHz || null, gainsDb);
      gains = JSON.stringify(gainsDb);
      const { index } = await bursts.write(reIm, undefined, counters);
      return { index, samples };
    },
    drain: () => tx.drain(),
    close: () => tx.close(),
    describe: () => `${tx.describe()}, recorded to ${writer.describe()}`,
  });
  return { tap, counters };
}
