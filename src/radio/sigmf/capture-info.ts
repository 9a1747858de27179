import { createHash } from 'node:crypto';
import { SctError } from '../../common/errors.ts';
import { nativeBytes } from '../format/sample-format.ts';
import type { LossRecord, SampleFormat } from '../radio.ts';
import { CaptureReader, MAX_READ_SAMPLES } from './capture-reader.ts';
import { LevelMeter } from './level-meter.ts';

export interface CaptureGap {
  /** Position in the data file and absolute index of the first sample after the gap. */
  readonly fileSample: number;
  readonly index: number;
  readonly lost: LossRecord;
}

export interface CaptureBurst {
  readonly fileSample: number;
  readonly samples: number | null;
  readonly label: string;
}

export interface CaptureInfo {
  readonly schema: 'sct.capture-info/1';
  readonly path: string;
  readonly format: SampleFormat;
  readonly fullScale: number;
  readonly rateHz: number;
  readonly samples: number;
  readonly durationS: number;
  readonly complete: boolean;
  /** Of the first stretch; null if unknown. */
  readonly frequencyHz: number | null;
  readonly startTime: string | null;
  readonly hardware: string | null;
  readonly description: string | null;
  readonly bursts: readonly CaptureBurst[];
  readonly gaps: readonly CaptureGap[];
  readonly lostSamples: { readonly min: number; readonly max: number };
  readonly rmsDbfs: number | null;
  readonly peakDbfs: number | null;
  readonly clippedSamples: number;
  readonly clippedShare: number;
  readonly nonFiniteSamples: number;
  readonly problems: readonly string[];
  readonly notes: readonly string[];
}

const CHUNK_SAMPLES = Math.min(2 ** 18, MAX_READ_SAMPLES);

/** Describes a capture, reading all its samples once for the levels; memory does not grow with its length. */
export async function captureInfo(path: string): Promise<CaptureInfo> {
  const reader = await CaptureReader.open(path);
  try {
    return (await survey(path, reader)).info;
  } finally {
    await reader.close();
  }
}

/**
 * Checks a capture: metadata structure, places of entries and annotations against the data's length, whole samples,
 * the counts its writer left, finite floats, and the SHA-512 over the data. Never throws for what is wrong with the
 * capture: `problems` says it, and `info` is null if it could not be opened. A recording that was cut off but is
 * otherwise sound is ok, with a note in `info.notes`.
 */
export async function validateCapture(
  path: string,
): Promise<{ ok: boolean; problems: string[]; info: CaptureInfo | null }> {
  let reader: CaptureReader;
  try {
    reader = await CaptureReader.open(path);
  } catch (error) {
    if (!(error instanceof SctError)) throw error;
    return { ok: false, problems: [error.message], info: null };
  }
  try {
    const { info, sha512 } = await survey(path, reader);
    const problems = [...info.problems];
    const stated = reader.meta.global['core:sha512'];
    if (stated && stated.toLowerCase() !== sha512)
      problems.push('core:sha512 does not match the data: samples were changed');
    if (info.nonFiniteSamples) problems.push(`${info.nonFiniteSamples} samples are NaN or infinite`);
    return { ok: problems.length === 0, problems, info };
  } catch (error) {
    if (!(error instanceof SctError)) throw error;
    return { ok: false, problems: [error.message], info: null };
  } finally {
    await reader.close();
  }
}

async function survey(path: string, reader: CaptureReader): Promise<{ info: CaptureInfo; sha512: string }> {
  const { layout, meta } = reader;
  const meter = new LevelMeter(layout.fullScale);
  const hash = createHash('sha512');
  for (let at = 0; at < layout.sampleCount; at += CHUNK_SAMPLES) {
    const data = await reader.readSamples(at, Math.min(CHUNK_SAMPLES, layout.sampleCount - at));
    meter.add(data);
    hash.update(nativeBytes(data));
  }
  if (layout.trailingBytes) hash.update(await reader.trailingBytes());
  const gaps = layout.segments.flatMap((s) =>
    s.lostBefore ? [{ fileSample: s.fileStart, index: s.index, lost: s.lostBefore }] : [],
  );
  const isBurst = (a: (typeof meta.annotations)[number]) => 'sct:burst_id' in a || a['core:label']?.startsWith('burst');
  const first = layout.segments[0];
  const info: CaptureInfo = {
    schema: 'sct.capture-info/1',
    path,
    format: layout.format,
    fullScale: layout.fullScale,
    rateHz: layout.rateHz,
    samples: layout.sampleCount,
    durationS: layout.sampleCount / layout.rateHz,
    complete: layout.complete,
    frequencyHz: first?.frequencyHz ?? null,
    startTime: meta.captures[0]?.['core:datetime'] ?? null,
    hardware: meta.global['core:hw'] ?? null,
    description: meta.global['core:description'] ?? null,
    bursts: meta.annotations.filter(isBurst).map((a) => ({
      fileSample: a['core:sample_start'],
      samples: a['core:sample_count'] ?? null,
      label: a['core:label'] ?? '',
    })),
    gaps,
    lostSamples: {
      min: gaps.reduce((sum, gap) => sum + gap.lost.min, 0),
      max: gaps.reduce((sum, gap) => sum + gap.lost.max, 0),
    },
    rmsDbfs: meter.rmsDbfs,
    peakDbfs: meter.peakDbfs,
    clippedSamples: meter.clippedSamples,
    clippedShare: meter.clippedShare,
    nonFiniteSamples: meter.nonFinite,
    problems: layout.problems,
    notes: layout.notes,
  };
  return { info, sha512: hash.digest('hex') };
}
