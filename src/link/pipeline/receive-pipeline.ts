import type { Worker } from 'node:worker_threads';
import { ExitCode, SctError, UsageError } from '../../common/errors.ts';
import { createRecordRing, RecordRingReader, RecordRingWriter } from '../../common/record-ring.ts';
import type { EstimatorName } from '../../phy/channel-est/estimator.ts';
import { numerology } from '../../phy/numerology.ts';
import { formatSpec } from '../../radio/format/sample-format.ts';
import {
  blockLength,
  exactLoss,
  joinLosses,
  type LossRecord,
  type SampleBlock,
  type SampleFormat,
} from '../../radio/radio.ts';
import { besideModule, startWorker } from '../../radio/stream/start-worker.ts';
import type { FrontRecord } from '../front-record.ts';
import type { PipelineQueues } from '../telemetry.ts';
import type { DemodulateMessage } from './demodulate-worker.ts';
import type { DemodulatorSetup } from './demodulator.ts';
import { RecordStream } from './record-stream.ts';
import { longestRecordBytes } from './record-wire.ts';
import { LOST, pieceSamples, SAMPLE_HEADER_BYTES, SAMPLES, writeLoss, writeSamples } from './sample-wire.ts';

/** How the stream is received; the numerology by its subbands. */
export interface PipelineOptions {
  readonly subbands: number;
  readonly estimator: EstimatorName;
  /** Occupied bandwidth of the signal. */
  readonly occupiedHz: number;
  /** Of the device. */
  readonly rateHz: number;
  readonly loOffsetHz: number;
  readonly format: SampleFormat;
  readonly fullScale: number;
  /** The source does not wait: what cannot be handled in time is dropped and counted. False: `push` waits. */
  readonly live: boolean;
  /** BurstReceiver.keptSymbols; default none. */
  readonly keptSymbols?: readonly number[];
  /** True: a record's payload and payloadSnr are valid only until the next record is asked for, which saves the memory of each burst. */
  readonly passing?: boolean;
  /** Time that the ring of samples holds, s; default 1 (less where that is more than 96 MiB). */
  readonly bufferS?: number;
  /** Room for bursts that wait to be decoded; default and least: four of the longest. */
  readonly burstBytes?: number;
}

const MAX_SAMPLE_BYTES = 96 * 2 ** 20;
const MIN_SAMPLE_BYTES = 2 ** 20;
/** How long close() waits for the thread before it is stopped by force. */
const EXIT_MS = 2000;

/**
 * A receiver in two threads. Samples go through a ring to a thread that demodulates; its records come through another ring to whoever iterates,
 * in order, and there to `RxBack.take`. Both rings are bounded; what happens where one is full is said by `live`.
 */
export class ReceivePipeline implements AsyncIterable<FrontRecord> {
  private readonly options: PipelineOptions;
  private readonly samples: RecordRingWriter;
  private readonly records: RecordRingReader;
  private readonly dropped: Int32Array;
  private readonly worker: Worker;
  private readonly exited: Promise<void>;
  private readonly piece: number;
  private failure: SctError | null = null;
  private ready: (() => void) | null = null;
  /** Dropped since the last samples that found room. */
  private loss: LossRecord | null = null;
  private droppedSamples = 0;

  private constructor(options: PipelineOptions) {
    const setup = setupOf(options);
    this.options = options;
    this.samples = new RecordRingWriter(setup.samples);
    this.records = new RecordRingReader(setup.records);
    this.dropped = new Int32Array(setup.dropped);
    this.piece = pieceSamples(this.samples, options.format);
    this.worker = startWorker(besideModule('demodulate-worker', import.meta.url), setup);
    this.worker.on('message', (message: DemodulateMessage) => this.heard(message));
    this.worker.on('error', (error) => this.fail(error.message));
    this.exited = new Promise((resolve) => {
      this.worker.on('exit', (code) => {
        if (!this.records.ended && !this.records.closed) this.fail(`it ended (${code})`);
        resolve();
      });
    });
  }

  /** Starts the thread. UsageError where the options contradict each other. */
  static async start(options: PipelineOptions): Promise<ReceivePipeline> {
    const pipeline = new ReceivePipeline(options);
    await new Promise<void>((resolve) => {
      pipeline.ready = resolve;
    });
    if (pipeline.failure) {
      await pipeline.close();
      throw pipeline.failure;
    }
    return pipeline;
  }

  /**
   * Takes the next block of the stream. Of a live source it never waits: where there is no room, the block (a long one in parts) is dropped, and the
   * next says so, exactly. Else it waits for room.
   */
  async push(block: SampleBlock): Promise<void> {
    const { format, fullScale, live } = this.options;
    if (block.format !== format || block.fullScale !== fullScale)
      throw new UsageError(`a block of ${block.format} (${block.fullScale}) in a stream of ${format} (${fullScale})`);
    const length = blockLength(block);
    let { lostBefore } = block;
    for (let at = 0; at < length; at += this.piece) {
      const data = block.data.subarray(2 * at, 2 * Math.min(length, at + this.piece));
      const index = block.index + at;
      const bytes = SAMPLE_HEADER_BYTES + data.byteLength;
      const room = live ? this.samples.reserve(bytes) : await this.samples.reserveSoon(bytes);
      if (this.failure) throw this.failure;
      const before = joinLosses(this.loss, lostBefore);
      lostBefore = null;
      if (room) {
        writeSamples(room, data, index, before && { ...before, to: index });
        this.samples.commit(SAMPLES, data.length >> 1);
        this.loss = null;
      } else {
        this.loss = joinLosses(before, exactLoss(index, index + (data.length >> 1)));
        this.droppedSamples += data.length >> 1;
      }
    }
  }

  /** No more samples come: the iteration ends once everything is through. */
  async flush(): Promise<void> {
    if (this.loss) {
      const room = await this.samples.reserveSoon(SAMPLE_HEADER_BYTES);
      if (room) {
        writeLoss(room, this.loss);
        this.samples.commit(LOST);
      }
      this.loss = null;
    }
    this.samples.end();
    if (this.failure) throw this.failure;
  }

  /** Everything that the front half tells, in order. Once. Throws where its thread fails. */
  async *[Symbol.asyncIterator](): AsyncGenerator<FrontRecord> {
    yield* new RecordStream(this.records, this.options.passing ?? false);
    if (this.failure) throw this.failure;
  }

  /** Memory of the ring of records, for a `RecordStream` in another thread instead of an iteration here. */
  get recordRing(): SharedArrayBuffer {
    return this.records.shared;
  }

  /** Until all records are told, where another thread reads them. Throws where the thread that tells them fails. */
  async finished(): Promise<void> {
    await this.exited;
    if (this.failure) throw this.failure;
  }

  /** What waits, and what was dropped so far. */
  depths(): PipelineQueues {
    return {
      samplesMs: (1e3 * this.samples.weight) / this.options.rateHz,
      samplesShare: this.samples.used / this.samples.capacity,
      bursts: this.records.weight,
      droppedBursts: Atomics.load(this.dropped, 0),
      droppedSamples: this.droppedSamples,
    };
  }

  /** Stops at once; what waits is lost. Safe to call twice, and after the end. */
  async close(): Promise<void> {
    this.samples.close();
    this.records.close();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => void this.worker.terminate().then(() => resolve()), EXIT_MS);
    });
    await Promise.race([this.exited, late]);
    clearTimeout(timer);
  }

  private heard(message: DemodulateMessage): void {
    if (message.kind === 'failed') this.fail(message.message, message.exitCode);
    else this.ready?.();
  }

  private fail(reason: string, exitCode: ExitCode = ExitCode.internal): void {
    this.failure ??= new SctError(`the thread that demodulates failed: ${reason}`, exitCode);
    this.samples.close();
    this.records.close();
    this.ready?.();
  }
}

function setupOf(options: PipelineOptions): DemodulatorSetup {
  const { subbands, bufferS = 1, burstBytes = 0, keptSymbols = [], passing: _, rateHz, format, ...rest } = options;
  if (!(bufferS > 0 && bufferS <= 60))
    throw new UsageError(`a ring of samples of ${bufferS} s: allowed above 0, up to 60`);
  // A tenth on top for the headers of short blocks.
  const sampleBytes = Math.ceil(1.1 * bufferS * rateHz * formatSpec(format).bytesPerSample);
  const longest = longestRecordBytes(numerology(subbands), keptSymbols.length);
  return {
    ...rest,
    subbands,
    rateHz,
    format,
    keptSymbols,
    samples: createRecordRing(Math.min(MAX_SAMPLE_BYTES, Math.max(MIN_SAMPLE_BYTES, sampleBytes))),
    records: createRecordRing(Math.max(4 * longest, burstBytes)),
    dropped: new SharedArrayBuffer(4),
  };
}
