import { DeviceError, UsageError } from '../../common/errors.ts';
import { checkFullScale, formatSpec } from '../format/sample-format.ts';
import {
  newTxCounters,
  type Radio,
  type RadioCapabilities,
  type SampleFormat,
  type StreamRequest,
  type StreamSettings,
  type TxCounters,
  type TxStream,
} from '../radio.ts';
import { describeSettings, resolveRequest } from '../settings.ts';
import { isArchivePath } from '../sigmf/capture-paths.ts';
import { CaptureWriter, type CaptureWriterOptions } from '../sigmf/capture-writer.ts';
import { formatRadioUri } from '../uri.ts';
import { BurstRecorder } from './burst-recorder.ts';
import { FileRx, type FileRxOptions } from './file-rx.ts';
import { PacedRx, type PacedRxOptions } from './paced-rx.ts';

export interface FileRadioOptions extends FileRxOptions {
  /** Received as from a board, at a pace and again and again; default as fast as it is read, once. */
  readonly play?: Pick<PacedRxOptions, 'pace' | 'loops'>;
  /** Format of a capture that is sent; default cf32_le. */
  readonly format?: SampleFormat;
  readonly fullScale?: number;
  /** Sent captures may replace an existing one. */
  readonly overwrite?: boolean;
  /** Longest silence written between two bursts, seconds; default 60. */
  readonly maxSilenceS?: number;
  /** More about a sent capture. */
  readonly capture?: Pick<
    CaptureWriterOptions,
    'hardware' | 'description' | 'author' | 'license' | 'startTime' | 'fields'
  >;
}

const CAPABILITIES: RadioCapabilities = {
  name: 'file',
  formats: ['ci8', 'ci16_le', 'cf32_le'],
  duplex: 'half',
  rx: true,
  tx: true,
  frequencyHz: { min: 0, max: 1e12, step: 0 },
  rateHz: { min: 1, max: 1e12, step: 0 },
  maxContinuousRateHz: 1e12,
  gains: [],
  realtime: false,
};

/**
 * A radio link through a SigMF recording: one process transmits into the file, another receives from it while it
 * grows. The transmitter marks the end; a transmitter that was killed is noticed by the file standing still.
 */
export class FileRadio implements Radio {
  readonly uri: string;
  readonly capabilities: RadioCapabilities;
  private readonly path: string;
  private readonly options: FileRadioOptions;
  private open: { close(): Promise<void> } | null = null;

  constructor(path: string, options: FileRadioOptions = {}) {
    this.uri = formatRadioUri({ kind: 'file', path, ...options.play });
    this.capabilities = { ...CAPABILITIES, realtime: options.play?.pace !== undefined };
    this.path = path;
    this.options = options;
  }

  async openRx(request: StreamRequest = {}): Promise<FileRx | PacedRx> {
    await this.claim();
    const { play, clock } = this.options;
    const rx = play
      ? await PacedRx.open(this.path, request, { ...play, ...(clock ? { clock } : {}) })
      : await FileRx.open(this.path, request, this.options);
    this.open = rx;
    return rx;
  }

  /** Creates the capture. The sample rate must be given: nothing else knows it. */
  async openTx(request: StreamRequest): Promise<TxStream> {
    await this.claim();
    if (this.options.play)
      throw new UsageError(`${this.uri}: pace and loop are for receiving`, 'send to file:PATH alone');
    if (isArchivePath(this.path))
      throw new UsageError('file: an archive (.sigmf) can be read, not written', 'leave out .sigmf');
    if (request.rateHz === undefined) throw new UsageError('file: sending needs a sample rate', 'give -s RATE');
    const format = this.options.format ?? 'cf32_le';
    const fullScale = checkFullScale(format, this.options.fullScale ?? formatSpec(format).defaultFullScale);
    const settings = resolveRequest(CAPABILITIES, 'tx', request, {
      frequencyHz: 0,
      rateHz: request.rateHz,
      format,
      fullScale,
    });
    const writer = await CaptureWriter.create(this.path, {
      hardware: 'sct-testbed file transmitter',
      ...this.options.capture,
      format,
      fullScale,
      rateHz: settings.rateHz,
      frequencyHz: request.frequencyHz ?? null,
      overwrite: this.options.overwrite ?? false,
    });
    const tx = new FileTx(writer, settings, (this.options.maxSilenceS ?? 60) * settings.rateHz);
    this.open = tx;
    return tx;
  }

  async close(): Promise<void> {
    await this.open?.close();
    this.open = null;
  }

  describe(): string {
    return `file link through ${this.path}`;
  }

  private async claim(): Promise<void> {
    const stream = this.open;
    if ((stream instanceof FileRx || stream instanceof PacedRx) && stream.ended) this.open = null;
    if (stream instanceof FileTx && stream.closed) this.open = null;
    if (this.open) throw new DeviceError(`${this.uri} is open already`, 'a file either sends or receives');
  }
}

class FileTx implements TxStream {
  readonly settings: StreamSettings;
  readonly counters: TxCounters = newTxCounters();
  closed = false;
  private readonly writer: CaptureWriter;
  private readonly bursts: BurstRecorder;

  constructor(writer: CaptureWriter, settings: StreamSettings, maxSilenceSamples: number) {
    this.writer = writer;
    this.settings = settings;
    this.bursts = new BurstRecorder(writer, maxSilenceSamples);
  }

  async write(reIm: Float32Array, atIndex?: number): Promise<{ index: number; samples: number }> {
    if (this.closed) throw new DeviceError('file: tx is closed');
    return this.bursts.write(reIm, atIndex, this.counters);
  }

  drain(): Promise<void> {
    return this.writer.flush();
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.writer.close({ 'sct:clipped_samples': this.counters.clippedSamples });
  }

  describe(): string {
    return `file tx ${this.writer.describe()}, ${describeSettings(this.settings)}`;
  }
}
