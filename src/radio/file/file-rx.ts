import { createHash, type Hash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { DeviceError, UsageError } from '../../common/errors.ts';
import { systemClock, type WaitClock } from '../../common/wait-clock.ts';
import { countAtLimit } from '../format/convert.ts';
import { nativeBytes } from '../format/sample-format.ts';
import {
  countBlock,
  newRxCounters,
  type RxCounters,
  type RxStream,
  type SampleBlock,
  type StreamEnd,
  type StreamRequest,
  type StreamSettings,
} from '../radio.ts';
import { capturePaths, isArchivePath } from '../sigmf/capture-paths.ts';
import { CaptureReader } from '../sigmf/capture-reader.ts';

export interface FileRxOptions {
  /** How long a file may stand still, or not be there, before its writer counts as gone. Default 10 s. */
  readonly idleTimeoutMs?: number;
  readonly pollMs?: number;
  readonly blockSamples?: number;
  /** Index of the first sample that is wanted; default the first that there is. */
  readonly fromIndex?: number;
  readonly clock?: WaitClock;
}

/** Receives from a capture, finished or still growing. */
export class FileRx implements RxStream {
  readonly settings: StreamSettings;
  readonly counters: RxCounters = newRxCounters();
  ended: StreamEnd | null = null;
  private readonly reader: CaptureReader;
  private readonly idleTimeoutMs: number;
  private readonly pollMs: number;
  private readonly blockSamples: number;
  private readonly clock: WaitClock;
  /** False for a file nobody has written to for longer than the time-out: no use waiting for more. */
  private readonly mayGrow: boolean;
  private position: number;
  private iterating = false;
  private closing: Promise<void> | null = null;
  /** Of every byte of the data file read so far, in order: a check of core:sha512 costs no second pass. null without one. */
  private readonly hash: Hash | null;
  /** Floats have a full scale, and so a limit, only where their writer says so. */
  private readonly hasLimit: boolean;
  warning: string | null = null;

  private constructor(reader: CaptureReader, mayGrow: boolean, options: FileRxOptions) {
    const { format, fullScale, rateHz, segments } = reader.layout;
    this.reader = reader;
    this.mayGrow = mayGrow;
    this.idleTimeoutMs = options.idleTimeoutMs ?? 10_000;
    this.pollMs = options.pollMs ?? 20;
    this.blockSamples = options.blockSamples ?? 16_384;
    this.clock = options.clock ?? systemClock;
    const { complete } = reader.layout;
    this.position = options.fromIndex === undefined ? 0 : reader.positionOf(options.fromIndex);
    this.hash = this.position > 0 || (complete && !reader.meta.global['core:sha512']) ? null : createHash('sha512');
    this.hasLimit = format !== 'cf32_le' || reader.meta.global['sct:full_scale'] !== undefined;
    const { frequencyHz = 0, gainsDb = {} } = segments[0] ?? {};
    this.settings = { frequencyHz: frequencyHz ?? 0, rateHz, bandwidthHz: null, gainsDb, format, fullScale };
  }

  /** Opens the capture, waiting for it to appear. A rate other than the capture's is a UsageError. */
  static async open(path: string, request: StreamRequest, options: FileRxOptions = {}): Promise<FileRx> {
    const clock = options.clock ?? systemClock;
    const idleTimeoutMs = options.idleTimeoutMs ?? 10_000;
    const reader = await waitForCapture(path, idleTimeoutMs, options.pollMs ?? 20, clock);
    const { rateHz, complete } = reader.layout;
    if (request.rateHz !== undefined && request.rateHz !== rateHz) {
      await reader.close();
      throw new UsageError(`file: the capture has ${rateHz} samples a second, not ${request.rateHz}`);
    }
    const mayGrow = !complete && !isArchivePath(path) && (await ageMs(capturePaths(path).data)) < idleTimeoutMs;
    return new FileRx(reader, mayGrow, options);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SampleBlock> {
    let idleSince = this.clock.nowMs();
    this.iterating = true;
    try {
      while (!this.ended) {
        if (this.position < this.reader.sampleCount) {
          yield await this.nextBlock();
          idleSince = this.clock.nowMs();
        } else if (this.reader.layout.complete) {
          this.warning = await this.changed();
          this.ended ??= 'source-ended';
        } else if (!this.mayGrow || this.clock.nowMs() - idleSince >= this.idleTimeoutMs) this.ended = 'source-silent';
        else {
          await this.clock.sleep(this.pollMs);
          if (!this.ended) await this.reader.refresh();
        }
      }
    } finally {
      this.ended ??= 'closed';
      await this.closeReader();
    }
  }

  private async nextBlock(): Promise<SampleBlock> {
    const block = await this.reader.blockAt(
      this.position,
      Math.min(this.blockSamples, this.reader.sampleCount - this.position),
    );
    this.position += block.data.length / 2;
    countBlock(this.counters, block);
    this.hash?.update(nativeBytes(block.data));
    if (this.hasLimit) this.counters.clippedSamples += countAtLimit(block.data, block.fullScale);
    return block;
  }

  /** At the end of a complete capture: whether its data are those that its metadata were written for. */
  private async changed(): Promise<string | null> {
    const stated = this.reader.meta.global['core:sha512'];
    const { hash } = this;
    if (!stated || !hash) return null;
    if (this.reader.layout.trailingBytes) hash.update(await this.reader.trailingBytes());
    return stated.toLowerCase() === hash.digest('hex')
      ? null
      : 'core:sha512 does not match the data: the samples were changed after they were recorded';
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
    return `file rx ${this.reader.describe()}`;
  }
}

async function waitForCapture(
  path: string,
  timeoutMs: number,
  pollMs: number,
  clock: WaitClock,
): Promise<CaptureReader> {
  const start = clock.nowMs();
  for (;;) {
    try {
      return await CaptureReader.open(path);
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      if (clock.nowMs() - start >= timeoutMs) {
        throw new DeviceError(
          error.message,
          `no capture appeared within ${timeoutMs / 1000} s; is the sender running?`,
        );
      }
    }
    await clock.sleep(pollMs);
  }
}

async function ageMs(path: string): Promise<number> {
  const info = await stat(path).catch(() => null);
  return info ? Date.now() - info.mtimeMs : Number.POSITIVE_INFINITY;
}
