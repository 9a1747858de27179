import { FormatError } from '../../common/errors.ts';
import { formatSpec } from '../format/sample-format.ts';
import { exactLoss, joinLosses, type LossRecord, type SampleFormat } from '../radio.ts';
import { META_LIMITS, type SigmfMeta } from './meta.ts';
import { datatypeToFormat } from './parse-meta.ts';

/** A stretch of the data file without gap or retune. */
export interface Segment {
  /** First sample and the one after the last, as positions in the data file. */
  readonly fileStart: number;
  readonly fileEnd: number;
  /** Absolute stream index of the first sample. */
  readonly index: number;
  readonly lostBefore: LossRecord | null;
  readonly frequencyHz: number | null;
  readonly gainsDb: Readonly<Record<string, number>>;
  readonly timestampNs: bigint | null;
}

/** What metadata and data size together say about a capture. */
export interface CaptureLayout {
  readonly format: SampleFormat;
  readonly fullScale: number;
  readonly rateHz: number;
  /** Whole samples in the data file. */
  readonly sampleCount: number;
  /** Bytes of an unfinished last sample. */
  readonly trailingBytes: number;
  /** True when the writer closed the capture, or when it is not one of ours and cannot say. */
  readonly complete: boolean;
  readonly segments: readonly Segment[];
  /** Violations that leave the capture readable. */
  readonly problems: readonly string[];
  /** Worth telling, not wrong: a recording that was cut off. */
  readonly notes: readonly string[];
}

/**
 * Places every capture entry in the data file. Data may end before its metadata does (truncated file, recorder
 * killed): what is missing is left out and reported, as a problem if the writer had closed the capture, else a note.
 * The metadata itself must be consistent: a FormatError names the entry that is not.
 */
export function layoutCapture(meta: SigmfMeta, dataBytes: number): CaptureLayout {
  const global = meta.global;
  const format = datatypeToFormat(global['core:datatype']);
  const spec = formatSpec(format);
  const fullScale = global['sct:full_scale'] ?? foreignFullScale(format);
  if (fullScale > spec.maxFullScale || (spec.isInteger && !Number.isInteger(fullScale))) {
    throw new FormatError('sct:full_scale', `${fullScale} is not possible for ${format}`);
  }
  const rateHz = global['core:sample_rate'];
  if (rateHz === undefined) throw new FormatError('core:sample_rate', 'is missing');
  const complete = global['sct:complete'] ?? true;
  const problems: string[] = [];
  const notes: string[] = [];
  const shortfall = complete ? problems : notes;

  const trailingBytes = dataBytes % spec.bytesPerSample;
  const sampleCount = (dataBytes - trailingBytes) / spec.bytesPerSample;
  if (!complete) notes.push('the recording was not closed by its writer; everything that reached the file is used');
  if (trailingBytes) shortfall.push(`data ends inside a sample: the last ${trailingBytes} bytes are ignored`);
  const promised = global['sct:sample_count'];
  if (promised !== undefined && promised !== sampleCount) {
    problems.push(`data has ${sampleCount} samples, sct:sample_count says ${promised}`);
  }

  const segments = placeSegments(meta, sampleCount, rateHz, shortfall);
  meta.annotations.forEach((annotation, i) => {
    const end = annotation['core:sample_start'] + (annotation['core:sample_count'] ?? 0);
    if (end > sampleCount) shortfall.push(`annotations[${i}] ends at sample ${end}, data at ${sampleCount}`);
    else if (i > 0 && annotation['core:sample_start'] < meta.annotations[i - 1]['core:sample_start']) {
      problems.push(`annotations[${i}].core:sample_start is lower than the one before`);
    }
  });
  return { format, fullScale, rateHz, sampleCount, trailingBytes, complete, segments, problems, notes };
}

// Other programs' 16-bit recordings use the whole container; only our own metadata says otherwise.
function foreignFullScale(format: SampleFormat): number {
  return format === 'ci16_le' ? 32768 : formatSpec(format).defaultFullScale;
}

function placeSegments(meta: SigmfMeta, sampleCount: number, rateHz: number, shortfall: string[]): Segment[] {
  const entries = meta.captures.length ? meta.captures : [{ 'core:sample_start': 0 } as SigmfMeta['captures'][number]];
  if (entries[0]['core:sample_start'] !== 0) {
    throw new FormatError('captures[0].core:sample_start', 'is not 0: the first samples belong to no capture');
  }
  const segments: Segment[] = [];
  let frequencyHz: number | null = null;
  let gainsDb: Readonly<Record<string, number>> = {};
  let nextIndex = 0;
  let beyond = 0;
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i];
    const start = entry['core:sample_start'];
    const end = i + 1 < entries.length ? entries[i + 1]['core:sample_start'] : Math.max(start, sampleCount);
    frequencyHz = entry['core:frequency'] ?? frequencyHz;
    gainsDb = entry['sct:gains_db'] ?? gainsDb;
    const index = entry['core:global_index'] ?? nextIndex + (entry['sct:lost_before']?.min ?? 0);
    if (index > META_LIMITS.index) throw new FormatError(`captures[${i}].core:global_index`, 'is beyond 2^52');
    const lostBefore = lossOf(entry, i, index, nextIndex);
    nextIndex = index + (end - start);
    if (start > sampleCount) {
      beyond++;
      continue;
    }
    const fileEnd = Math.min(end, sampleCount);
    const timestampNs =
      parseTimestamp(entry['core:datetime'], i) ?? continueClock(segments.at(-1), index, lostBefore, rateHz);
    // An entry without samples hands its loss on to the one that replaces it at the same place.
    const empty = segments.at(-1)?.fileStart === start ? segments.pop() : undefined;
    const loss = empty ? joinLosses(empty.lostBefore, lostBefore) : lostBefore;
    segments.push({ fileStart: start, fileEnd, index, lostBefore: loss, frequencyHz, gainsDb, timestampNs });
  }
  if (beyond) shortfall.push(`${beyond} captures entries start after the end of the data (${sampleCount} samples)`);
  return segments;
}

/** The time of an entry without its own, from the one before; unknown after a loss of unknown length. */
function continueClock(
  before: Segment | undefined,
  index: number,
  lost: LossRecord | null,
  rateHz: number,
): bigint | null {
  if (!before || before.timestampNs === null || (lost && !lost.exact)) return null;
  return before.timestampNs + samplesToNs(index - before.index, rateHz);
}

/** The gap before an entry, checked against its place; a jump of core:global_index alone is an exact loss. */
function lossOf(entry: SigmfMeta['captures'][number], i: number, index: number, expected: number): LossRecord | null {
  const lost = entry['sct:lost_before'] ?? null;
  if (i > 0 && index < expected) {
    throw new FormatError(
      `captures[${i}].core:global_index`,
      `${index} overlaps the samples before, which end at ${expected}`,
    );
  }
  if (!lost) return i > 0 && index > expected ? exactLoss(expected, index) : null;
  if (lost.to !== index) {
    throw new FormatError(`captures[${i}].sct:lost_before.to`, `${lost.to} is not the entry's own index ${index}`);
  }
  if (i > 0 && lost.min !== index - expected) {
    throw new FormatError(
      `captures[${i}].sct:lost_before.min`,
      `${lost.min} is not the jump of the index, ${index - expected}`,
    );
  }
  return lost;
}

/** Nanoseconds that n samples take. */
export function samplesToNs(samples: number, rateHz: number): bigint {
  // Seconds and the rest apart: n / rate x 1e9 in one double would lose nanoseconds after some hours.
  const seconds = Math.floor(samples / rateHz);
  return BigInt(seconds) * 1_000_000_000n + BigInt(Math.round(((samples - seconds * rateHz) / rateHz) * 1e9));
}

function parseTimestamp(datetime: string | undefined, i: number): bigint | null {
  if (datetime === undefined) return null;
  const match = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,12}))?Z$/.exec(datetime);
  const ms = match ? Date.parse(`${match[1]}Z`) : Number.NaN;
  if (!match || Number.isNaN(ms)) {
    throw new FormatError(`captures[${i}].core:datetime`, `"${datetime.slice(0, 40)}" is not RFC 3339 with Z`);
  }
  return BigInt(ms) * 1_000_000n + BigInt((match[2] ?? '').padEnd(9, '0').slice(0, 9));
}

/** RFC 3339 text of a time in nanoseconds since 1970, as core:datetime wants it. */
export function formatTimestamp(ns: bigint): string {
  const base = new Date(Number(ns / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  return `${base}.${String(ns % 1_000_000_000n).padStart(9, '0')}Z`;
}
