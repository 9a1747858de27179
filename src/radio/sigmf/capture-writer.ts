import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { DeviceError, inRange, UsageError } from '../../common/errors.ts';
import { makeFolder } from '../../common/make-folder.ts';
import { checkFullScale, formatSpec, nativeBytes } from '../format/sample-format.ts';
import { blockLength, type SampleBlock, type SampleFormat } from '../radio.ts';
import { type CapturePaths, capturePaths } from './capture-paths.ts';
import { type CaptureAnnotation, CaptureState } from './capture-state.ts';
import type { SctFields } from './meta.ts';

export interface CaptureWriterOptions {
  readonly format: SampleFormat;
  /** Default: the format's own (ci8 128, ci16_le 2048, cf32_le 1). */
  readonly fullScale?: number;
  readonly rateHz: number;
  /** Centre frequency; absent at baseband. */
  readonly frequencyHz?: number | null;
  readonly gainsDb?: Readonly<Record<string, number>>;
  /** core:hw */
  readonly hardware?: string;
  readonly description?: string;
  readonly author?: string;
  /** URL of the licence the recording is offered under. */
  readonly license?: string;
  /** Time of the first sample; null for simulated time. Default: now. */
  readonly startTime?: Date | null;
  readonly overwrite?: boolean;
  /** More fields for `global`, in the project's namespace. */
  readonly fields?: SctFields;
}

export interface CaptureSummary {
  readonly metaPath: string;
  readonly dataPath: string;
  readonly samples: number;
  readonly gaps: number;
  readonly lostMin: number;
  readonly lostMax: number;
  readonly annotationsDropped: number;
  readonly sha512: string;
}

const FLUSH_BYTES = 1024 * 1024;
const MAX_HELD_BYTES = 32 * 1024 * 1024;

/**
 * Writes a SigMF recording as it happens. At any moment, even after `kill -9`, the files on disk are a capture that
 * opens: the metadata is complete JSON, replaced by rename, and an entry for a gap is in it before the samples after
 * the gap are in the data file. The number of samples is the data file's length; `sct:complete` marks a closed capture.
 */
export class CaptureWriter {
  readonly paths: CapturePaths;
  readonly format: SampleFormat;
  readonly fullScale: number;
  private readonly handle: FileHandle;
  private readonly state: CaptureState;
  private readonly hash: Hash = createHash('sha512');
  private pending: Uint8Array[] = [];
  private pendingBytes = 0;
  private metaDirty = false;
  private annotationsDirty = false;
  private metaBytes = 0;
  private bytesSinceMeta = 0;
  private chain: Promise<void> = Promise.resolve();
  private failure: Error | null = null;
  private summary: Promise<CaptureSummary> | null = null;

  private constructor(
    paths: CapturePaths,
    handle: FileHandle,
    state: CaptureState,
    format: SampleFormat,
    fullScale: number,
  ) {
    this.paths = paths;
    this.handle = handle;
    this.state = state;
    this.format = format;
    this.fullScale = fullScale;
  }

  /** Creates both files; refuses to replace a recording unless told to. Missing folders are made. */
  static async create(path: string, options: CaptureWriterOptions): Promise<CaptureWriter> {
    const paths = capturePaths(path);
    const fullScale = checkFullScale(options.format, options.fullScale ?? formatSpec(options.format).defaultFullScale);
    inRange('sample rate', options.rateHz, 1, 1e12, 'Hz');
    const global: Record<string, unknown> = {
      'core:datatype': options.format,
      'core:sample_rate': options.rateHz,
      'core:recorder': 'sct-testbed',
    };
    if (options.hardware) global['core:hw'] = options.hardware;
    if (options.description) global['core:description'] = options.description;
    if (options.author) global['core:author'] = options.author;
    if (options.license) global['core:license'] = options.license;
    Object.assign(global, options.fields, { 'sct:full_scale': fullScale });
    const startTime = options.startTime === undefined ? new Date() : options.startTime;
    const state = new CaptureState(global as ConstructorParameters<typeof CaptureState>[0], {
      rateHz: options.rateHz,
      frequencyHz: options.frequencyHz ?? null,
      gainsDb: options.gainsDb ?? null,
      startNs: startTime ? BigInt(startTime.getTime()) * 1_000_000n : null,
    });
    const handle = await openForWriting(paths, options.overwrite ?? false);
    const writer = new CaptureWriter(paths, handle, state, options.format, fullScale);
    await writer.replaceMeta(false);
    return writer;
  }

  /** Samples accepted so far. */
  get samples(): number {
    return this.state.position;
  }

  /** The same in bytes. */
  get bytes(): number {
    return this.samples * formatSpec(this.format).bytesPerSample;
  }

  /** Samples lost before those accepted so far. */
  get lost(): { readonly min: number; readonly max: number } {
    return { min: this.state.lostMin, max: this.state.lostMax };
  }

  /** Absolute index that continues without a gap; null before the first sample. */
  get nextIndex(): number | null {
    return this.state.nextIndex;
  }

  /**
   * Appends a block; its bytes are copied. Losses and jumps of the index open a captures entry. Resolves when the
   * writer can take more; a full disk is a DeviceError here or at close().
   */
  async write(block: SampleBlock): Promise<void> {
    if (this.failure) throw this.failure;
    if (this.summary) throw new UsageError(`${this.paths.base} is closed`);
    if (block.format !== this.format || block.fullScale !== this.fullScale) {
      throw new UsageError(
        `block of ${block.format} (full scale ${block.fullScale}) in a capture of ${this.format} (full scale ${this.fullScale})`,
      );
    }
    if (this.state.append(block.index, blockLength(block), block.lostBefore, block.timestampNs)) this.metaDirty = true;
    const bytes = nativeBytes(block.data).slice();
    this.pending.push(bytes);
    this.pendingBytes += bytes.length;
    // Rewriting the metadata costs its size: hold more data back when it has grown, so that the cost stays bounded.
    const threshold = this.metaDirty
      ? Math.max(FLUSH_BYTES, Math.min(4 * this.metaBytes, MAX_HELD_BYTES))
      : FLUSH_BYTES;
    if (this.pendingBytes >= threshold) await this.flush();
  }

  /** Marks a stretch of the stream, given by absolute indices. False if there are too many marks already. */
  annotate(annotation: CaptureAnnotation): boolean {
    this.annotationsDirty = true;
    return this.state.annotate(annotation);
  }

  /** From the next block on, another frequency or gain: opens a captures entry. */
  retune(frequencyHz: number | null, gainsDb: Readonly<Record<string, number>> | null): void {
    this.state.retune(frequencyHz, gainsDb);
  }

  /** Puts everything accepted so far into the files. */
  flush(): Promise<void> {
    this.chain = this.chain.then(() => this.flushNow());
    return this.chain;
  }

  /** Finishes the recording: hash, counts, `sct:complete`. Safe to call twice. */
  close(fields: SctFields = {}): Promise<CaptureSummary> {
    this.summary ??= this.finish(fields);
    return this.summary;
  }

  private async finish(fields: SctFields): Promise<CaptureSummary> {
    try {
      await this.flush();
      const sha512 = this.hash.digest('hex');
      const { gaps, lostMin, lostMax, annotationsDropped, position } = this.state;
      await this.handle.datasync();
      await this.replaceMeta(true, {
        ...fields,
        'core:sha512': sha512,
        'sct:complete': true,
        'sct:sample_count': position,
        'sct:lost_samples': { min: lostMin, max: lostMax },
      });
      const { meta: metaPath, data: dataPath } = this.paths;
      return { metaPath, dataPath, samples: position, gaps, lostMin, lostMax, annotationsDropped, sha512 };
    } finally {
      await this.handle.close();
    }
  }

  private async flushNow(): Promise<void> {
    if (this.failure) throw this.failure;
    try {
      const chunks = this.pending;
      const bytes = this.pendingBytes;
      this.pending = [];
      this.pendingBytes = 0;
      const marksDue = this.annotationsDirty && this.bytesSinceMeta >= 4 * this.metaBytes;
      if (this.metaDirty || marksDue) await this.replaceMeta(false);
      for (const chunk of chunks) {
        this.hash.update(chunk);
        await writeAll(this.handle, chunk);
      }
      this.bytesSinceMeta += bytes;
    } catch (error) {
      this.failure =
        error instanceof DeviceError
          ? error
          : new DeviceError(
              `cannot write ${this.paths.base}: ${(error as Error).message}`,
              'what was written before is kept and can be replayed',
            );
      throw this.failure;
    }
  }

  /** Writes the metadata beside the old one and renames it into place. */
  private async replaceMeta(
    durable: boolean,
    fields: Record<string, unknown> = { 'sct:complete': false },
  ): Promise<void> {
    this.metaDirty = false;
    this.annotationsDirty = false;
    const meta = this.state.toMeta(fields);
    const indent = meta.captures.length + meta.annotations.length > 1000 ? undefined : 2;
    const text = Buffer.from(`${JSON.stringify(meta, null, indent)}\n`);
    this.metaBytes = text.length;
    this.bytesSinceMeta = 0;
    const temporary = `${this.paths.meta}.part`;
    const handle = await open(temporary, 'w');
    try {
      await writeAll(handle, text);
      if (durable) await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(temporary, this.paths.meta);
  }

  describe(): string {
    return `capture ${basename(this.paths.base)} (${this.format}, ${this.samples} samples)`;
  }
}

async function openForWriting(paths: CapturePaths, overwrite: boolean): Promise<FileHandle> {
  if (!overwrite && (await stat(paths.meta).catch(() => null))) throw exists(paths.meta);
  try {
    await makeFolder(dirname(paths.base));
    if (overwrite) await rm(paths.meta, { force: true });
  } catch (error) {
    throw new DeviceError(`cannot create ${paths.data}: ${(error as Error).message}`);
  }
  try {
    return await open(paths.data, overwrite ? 'w' : 'wx');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw exists(paths.data);
    throw new DeviceError(`cannot create ${paths.data}: ${(error as Error).message}`);
  }
}

function exists(path: string): UsageError {
  return new UsageError(`${path} exists already`, 'choose another name or remove it');
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  let done = 0;
  while (done < bytes.length) done += (await handle.write(bytes, done, bytes.length - done)).bytesWritten;
}
