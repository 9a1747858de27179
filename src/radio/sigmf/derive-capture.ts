import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DeviceError, UsageError } from '../../common/errors.ts';
import { makeFolder } from '../../common/make-folder.ts';
import { countAtLimit, fromFloat, toFloat } from '../format/convert.ts';
import { checkFullScale, formatSpec, nativeBytes } from '../format/sample-format.ts';
import type { SampleData, SampleFormat } from '../radio.ts';
import type { CaptureReader } from './capture-reader.ts';
import { cutMeta, type SampleRange } from './cut-meta.ts';
import { writeMeta } from './meta-file.ts';

/** Where a range of a capture goes, and in what format. */
export interface DeriveOptions extends SampleRange {
  /** Files to write; `meta` null for samples alone. */
  readonly files: { readonly meta: string | null; readonly data: string };
  /** Default: as the capture is. */
  readonly format?: SampleFormat;
  readonly fullScale?: number;
  readonly signal?: AbortSignal;
}

export interface DerivedCapture {
  readonly samples: number;
  readonly format: SampleFormat;
  readonly fullScale: number;
  readonly gaps: number;
  readonly annotations: number;
  /** Complex samples at the limit of the converter; those that this conversion limited; components that were no numbers. */
  readonly clippedSamples: number;
  readonly newlyClipped: number;
  readonly nonFinite: number;
  readonly sha512: string;
  /** All was read, and is not what the capture's own hash says: its samples were changed. */
  readonly changed: boolean;
}

const CHUNK_SAMPLES = 2 ** 18;

/**
 * Writes samples [from, to) of a capture to new files, in another format if asked, 2^18 samples at a time. The data
 * come first and the metadata last, so what is not finished is no capture; after an error nothing is left.
 *
 * @throws UsageError for a file that exists already or a range outside, DeviceError if it cannot be written
 */
export async function deriveCapture(reader: CaptureReader, options: DeriveOptions): Promise<DerivedCapture> {
  const { files, from, to, signal } = options;
  const { layout } = reader;
  if (!(from >= 0 && from < to && to <= layout.sampleCount)) {
    throw new UsageError(`samples ${from} to ${to} are not in the capture, which has ${layout.sampleCount}`);
  }
  const format = options.format ?? layout.format;
  const fullScale = checkFullScale(format, options.fullScale ?? targetFullScale(reader, format));
  const same = format === layout.format && fullScale === layout.fullScale;
  const hash = createHash('sha512');
  const all = from === 0 && to === layout.sampleCount && layout.trailingBytes === 0;
  const stated = all ? reader.meta.global['core:sha512'] : undefined;
  const readHash = stated === undefined || same ? null : createHash('sha512');
  const count = { clipped: 0, newly: 0, nonFinite: 0 };
  const convert = (native: SampleData): SampleData => {
    if (same) {
      count.clipped += countAtLimit(native, fullScale);
      return native;
    }
    const { reIm, nonFinite } = toFloat(native, layout.fullScale);
    const made = fromFloat(reIm, format, fullScale);
    count.newly += made.clippedSamples;
    count.nonFinite += nonFinite + made.nonFinite;
    // A float has no limit of its own: what was at the converter's stays counted.
    const toFloats = !formatSpec(format).isInteger;
    count.clipped += toFloats ? countAtLimit(native, layout.fullScale) : countAtLimit(made.data, fullScale);
    return made.data;
  };
  const handle = await createNew(files);
  try {
    try {
      for (let at = from; at < to; at += CHUNK_SAMPLES) {
        signal?.throwIfAborted();
        const native = await reader.readSamples(at, Math.min(CHUNK_SAMPLES, to - at));
        readHash?.update(nativeBytes(native));
        const bytes = nativeBytes(convert(native));
        hash.update(bytes);
        await writeAll(handle, bytes, files.data);
      }
    } finally {
      await handle.close();
    }
    const sha512 = hash.digest('hex');
    const written = { format, fullScale, samples: to - from, sha512, clippedSamples: count.clipped };
    const meta = cutMeta(reader.meta, layout, { from, to }, written);
    if (files.meta !== null) await writeMeta(files.meta, meta);
    const gaps = meta.captures.filter((c) => c['sct:lost_before'] && !c['sct:lost_before'].deaf).length;
    return {
      ...written,
      gaps,
      annotations: meta.annotations.length,
      newlyClipped: count.newly,
      nonFinite: count.nonFinite,
      changed: stated !== undefined && stated.toLowerCase() !== (readHash?.digest('hex') ?? sha512),
    };
  } catch (error) {
    await rm(files.data, { force: true });
    throw error;
  }
}

/** 16 bits as other programs take them, so that they show the right level; a format that stays keeps its own. */
function targetFullScale({ layout }: CaptureReader, format: SampleFormat): number {
  return format === layout.format
    ? layout.fullScale
    : format === 'ci16_le'
      ? 32768
      : formatSpec(format).defaultFullScale;
}

async function createNew({ meta, data }: DeriveOptions['files']): Promise<FileHandle> {
  for (const path of [meta, data]) {
    if (path !== null && existsSync(path)) {
      throw new UsageError(`${path} exists already`, 'choose another name or remove it');
    }
  }
  try {
    await makeFolder(dirname(data));
    return await open(data, 'wx');
  } catch (error) {
    throw new DeviceError(`cannot create ${data}: ${(error as Error).message}`);
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, path: string): Promise<void> {
  try {
    let done = 0;
    while (done < bytes.length) done += (await handle.write(bytes, done, bytes.length - done)).bytesWritten;
  } catch (error) {
    throw new DeviceError(`cannot write ${path}: ${(error as Error).message}`);
  }
}
