import type { FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { DeviceError, FormatError, inRange } from '../../common/errors.ts';
import { systemWords } from '../../common/system-words.ts';
import { allocateNative, formatSpec, nativeBytes } from '../format/sample-format.ts';
import type { SampleBlock, SampleData } from '../radio.ts';
import { type ByteSource, memorySource, openFileSource, openRegular, sliceSource } from './byte-source.ts';
import { capturePaths, isArchivePath } from './capture-paths.ts';
import { type CaptureLayout, layoutCapture, samplesToNs } from './layout.ts';
import { META_LIMITS, type SigmfMeta } from './meta.ts';
import { parseMeta } from './parse-meta.ts';
import { listTar } from './tar.ts';

/** Most complex samples one read allocates: 32 MiB as cf32_le. */
export const MAX_READ_SAMPLES = 2 ** 22;

/**
 * A capture opened for reading. Samples are read on demand from any position, so the size of the data file does not
 * matter; memory is bounded by META_LIMITS for the metadata and MAX_READ_SAMPLES a read.
 */
export class CaptureReader {
  readonly name: string;
  private readonly data: ByteSource;
  private readonly loadMeta: (() => Promise<Uint8Array | null>) | null;
  private currentMeta: SigmfMeta;
  private currentLayout: CaptureLayout;

  private constructor(
    name: string,
    data: ByteSource,
    meta: SigmfMeta,
    layout: CaptureLayout,
    loadMeta: (() => Promise<Uint8Array | null>) | null,
  ) {
    this.name = name;
    this.data = data;
    this.currentMeta = meta;
    this.currentLayout = layout;
    this.loadMeta = loadMeta;
  }

  /**
   * Opens `PATH`, `PATH.sigmf-meta`, `PATH.sigmf-data` or an archive `PATH.sigmf` holding one recording.
   * DeviceError if a file is missing, FormatError if its contents are not a capture.
   */
  static async open(path: string): Promise<CaptureReader> {
    if (isArchivePath(path)) return openArchive(path);
    const paths = capturePaths(path);
    const loadMeta = metaLoader(paths.meta);
    const first = await loadMeta();
    if (!first) throw new DeviceError(`cannot open ${paths.meta}`);
    const data = await openFileSource(paths.data);
    return CaptureReader.fromSources(paths.base, first, data, loadMeta);
  }

  /** A capture from metadata bytes and a source of sample data; closes the source if they do not fit. */
  static async fromSources(
    name: string,
    metaBytes: Uint8Array,
    data: ByteSource,
    loadMeta: (() => Promise<Uint8Array | null>) | null = null,
  ): Promise<CaptureReader> {
    try {
      const meta = parseMeta(metaBytes);
      return new CaptureReader(name, data, meta, layoutCapture(meta, await data.size()), loadMeta);
    } catch (error) {
      await data.close();
      throw error;
    }
  }

  get meta(): SigmfMeta {
    return this.currentMeta;
  }

  get layout(): CaptureLayout {
    return this.currentLayout;
  }

  get sampleCount(): number {
    return this.currentLayout.sampleCount;
  }

  /** Index in the stream of the first sample, and the one behind the last. */
  get span(): { readonly start: number; readonly end: number } {
    const { segments } = this.currentLayout;
    const last = segments.at(-1);
    return { start: segments[0]?.index ?? 0, end: last ? last.index + last.fileEnd - last.fileStart : 0 };
  }

  /** Looks again at a capture that is still being written: more samples, new entries, the mark that it is complete. */
  async refresh(): Promise<void> {
    // Size before metadata: the writer puts a gap's entry into the metadata before the samples after the gap.
    const bytes = await this.data.size();
    const metaBytes = this.loadMeta ? await this.loadMeta() : null;
    if (metaBytes) this.currentMeta = parseMeta(metaBytes);
    const closedNow = this.currentMeta.global['sct:complete'] ?? true;
    // A writer that closed between the two looks may have appended after the first.
    this.currentLayout = layoutCapture(this.currentMeta, closedNow ? await this.data.size() : bytes);
  }

  /**
   * Native samples [start, start + count), positions in the data file. UsageError if the range leaves the capture.
   * @param out filled from its beginning and returned cut to length; allocated when absent
   */
  async readSamples(start: number, count: number, out?: SampleData): Promise<SampleData> {
    const { format, sampleCount } = this.currentLayout;
    inRange('first sample', start, 0, sampleCount, 'samples');
    inRange('number of samples', count, 0, Math.min(MAX_READ_SAMPLES, sampleCount - start), 'samples');
    const spec = formatSpec(format);
    const target = (out ?? allocateNative(format, count)).subarray(0, 2 * count) as SampleData;
    const got = await this.data.read(start * spec.bytesPerSample, nativeBytes(target));
    if (got < count * spec.bytesPerSample) {
      throw new FormatError('sigmf-data', `${this.name} became shorter while it was read (sample ${start})`);
    }
    return target;
  }

  /**
   * Blocks of samples from file position `from` to `to` (default: all), cut at gaps and retunes so that every gap
   * stands in `lostBefore` of the block after it.
   */
  async *blocks(range: { from?: number; to?: number; blockSamples?: number } = {}): AsyncGenerator<SampleBlock> {
    const { from = 0, to = this.sampleCount, blockSamples = 65_536 } = range;
    inRange('samples a block', blockSamples, 1, MAX_READ_SAMPLES);
    inRange('first sample', from, 0, this.sampleCount, 'samples');
    inRange('last sample', to, from, this.sampleCount, 'samples');
    let position = from;
    while (position < to) {
      const block = await this.blockAt(position, Math.min(blockSamples, to - position));
      position += block.data.length / 2;
      yield block;
    }
  }

  /** The block at a file position: at most `samples` long, not reaching over a gap or retune. */
  async blockAt(position: number, samples: number): Promise<SampleBlock> {
    const { format, fullScale, rateHz } = this.currentLayout;
    const s = this.segmentAt(position);
    const count = Math.min(samples, s.fileEnd - position);
    const data = await this.readSamples(position, count);
    const into = position - s.fileStart;
    const timestampNs = s.timestampNs === null ? null : s.timestampNs + samplesToNs(into, rateHz);
    return {
      data,
      format,
      fullScale,
      index: s.index + into,
      lostBefore: into === 0 ? s.lostBefore : null,
      timestampNs,
    };
  }

  /** File position of the sample with an index; in a gap of the first one behind it. At most the end. */
  positionOf(index: number): number {
    const { segments, sampleCount } = this.currentLayout;
    let low = 0;
    let high = segments.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      const s = segments[mid];
      if (s.index + (s.fileEnd - s.fileStart) > index) high = mid;
      else low = mid + 1;
    }
    const behind = segments[low];
    return behind ? behind.fileStart + Math.max(0, index - behind.index) : sampleCount;
  }

  /** Index in the stream of the sample at a file position; behind the last one at the end. */
  indexOf(position: number): number {
    const s = this.segmentAt(position);
    return s.index + (position - s.fileStart);
  }

  /** The segment that holds a file position: the last one starting at or before it that is not empty. */
  private segmentAt(position: number) {
    const { segments } = this.currentLayout;
    let low = 0;
    let high = segments.length - 1;
    while (low < high) {
      const mid = (low + high + 1) >> 1;
      if (segments[mid].fileStart <= position) low = mid;
      else high = mid - 1;
    }
    return segments[low];
  }

  /** The bytes of an unfinished last sample (fewer than one sample). */
  async trailingBytes(): Promise<Uint8Array> {
    const { format, sampleCount, trailingBytes } = this.currentLayout;
    const out = new Uint8Array(trailingBytes);
    await this.data.read(sampleCount * formatSpec(format).bytesPerSample, out);
    return out;
  }

  async close(): Promise<void> {
    await this.data.close();
  }

  /** One line: "x: 1.25 s, 9.6 M samples ci8, 7.68 Msps, 2 segments". */
  describe(): string {
    const { format, rateHz, sampleCount, segments } = this.currentLayout;
    return `${basename(this.name)}: ${(sampleCount / rateHz).toFixed(3)} s, ${sampleCount} samples ${format}, ${rateHz / 1e6} Msps, ${segments.length} segment(s)`;
  }
}

/** Reads a metadata file when it changed since the last call (null if not), refusing absurd sizes before reading. */
function metaLoader(path: string): () => Promise<Uint8Array | null> {
  let seen = '';
  return async () => {
    let handle: FileHandle | null = null;
    try {
      handle = await openRegular(path);
      if (!handle) throw new Error('not a regular file');
      const info = await handle.stat({ bigint: true });
      const state = `${info.ino}/${info.size}/${info.mtimeNs}`;
      if (state === seen) return null;
      if (info.size > BigInt(META_LIMITS.bytes)) {
        throw new FormatError(
          'sigmf-meta',
          `${path} is ${info.size} bytes long; at most ${META_LIMITS.bytes} are read`,
        );
      }
      const bytes = await handle.readFile();
      seen = state;
      return bytes;
    } catch (error) {
      if (error instanceof FormatError) throw error;
      throw new DeviceError(`cannot read ${path}: ${systemWords(error)}`);
    } finally {
      await handle?.close();
    }
  };
}

async function openArchive(path: string): Promise<CaptureReader> {
  const source = await openFileSource(path);
  try {
    return await readerFromArchive(path, source);
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** The only recording in an archive, read in place; with several, a FormatError lists them. */
export async function readerFromArchive(name: string, source: ByteSource): Promise<CaptureReader> {
  const members = await listTar(source);
  const metas = members.filter((member) => member.name.endsWith('.sigmf-meta'));
  if (metas.length !== 1) {
    const found = metas.slice(0, 8).map((member) => member.name.slice(0, 80));
    throw new FormatError(
      'sigmf archive',
      `holds ${metas.length} recordings (${found.join(', ')}); unpack it and name one`,
    );
  }
  const [meta] = metas;
  const dataName = meta.name.replace(/-meta$/, '-data');
  const data = members.find((member) => member.name === dataName);
  if (!data) throw new FormatError('sigmf archive', `has no ${dataName.slice(0, 80)}`);
  if (meta.size > META_LIMITS.bytes) throw new FormatError('sigmf-meta', `is ${meta.size} bytes long`);
  const metaBytes = new Uint8Array(meta.size);
  await source.read(meta.offset, metaBytes);
  return CaptureReader.fromSources(name, metaBytes, sliceSource(source, data.offset, data.size, dataName));
}

/** A capture wholly in memory (tests, fuzzing). */
export function readerFromBytes(meta: Uint8Array, data: Uint8Array): Promise<CaptureReader> {
  return CaptureReader.fromSources('memory', meta, memorySource(data));
}
