import { SctError, UsageError } from '../../common/errors.ts';
import { exactLoss, joinLosses, type LossRecord } from '../radio.ts';
import { formatTimestamp, samplesToNs } from './layout.ts';
import {
  META_LIMITS,
  SCT_EXTENSION,
  type SctFields,
  SIGMF_VERSION,
  type SigmfAnnotation,
  type SigmfCapture,
  type SigmfMeta,
} from './meta.ts';

/** A stretch of signal to be marked; indices are absolute, as in the stream. */
export interface CaptureAnnotation {
  readonly index: number;
  readonly count: number;
  /** At most 20 characters show in viewers. */
  readonly label: string;
  readonly comment?: string;
  /** Both or neither, absolute Hz. */
  readonly freqLowerEdgeHz?: number;
  readonly freqUpperEdgeHz?: number;
  readonly fields?: SctFields;
}

interface Entry {
  readonly fileStart: number;
  readonly index: number;
  readonly lostBefore: LossRecord | null;
  readonly frequencyHz: number | null;
  readonly gainsDb: Readonly<Record<string, number>> | null;
  readonly timestampNs: bigint | null;
}

// Bytes of annotations kept; with the captures entries the metadata stays under META_LIMITS.bytes.
const MAX_ANNOTATION_BYTES = 16 * 1024 * 1024;

/** The metadata of a capture while it grows: where each stretch begins, what was lost, what was marked. */
export class CaptureState {
  private readonly global: SigmfMeta['global'];
  private readonly rateHz: number;
  private readonly entries: Entry[] = [];
  private readonly annotations: { annotation: CaptureAnnotation; bytes: number }[] = [];
  private annotationBytes = 0;
  private frequencyHz: number | null;
  private gainsDb: Readonly<Record<string, number>> | null;
  private retuned = false;
  private readonly startNs: bigint | null;
  /** Samples accepted so far = position of the next one in the data file. */
  position = 0;
  annotationsDropped = 0;
  lostMin = 0;
  lostMax = 0;

  constructor(
    global: SigmfMeta['global'],
    start: {
      rateHz: number;
      frequencyHz: number | null;
      gainsDb: Readonly<Record<string, number>> | null;
      startNs: bigint | null;
    },
  ) {
    this.global = { ...global, 'core:version': SIGMF_VERSION, 'core:extensions': [{ ...SCT_EXTENSION }] };
    this.rateHz = start.rateHz;
    this.frequencyHz = start.frequencyHz;
    this.gainsDb = start.gainsDb;
    this.startNs = start.startNs;
  }

  /** Absolute index that continues the capture without a gap; null before the first sample. */
  get nextIndex(): number | null {
    const last = this.entries.at(-1);
    return last ? last.index + (this.position - last.fileStart) : null;
  }

  get gaps(): number {
    return this.entries.filter(({ lostBefore }) => lostBefore !== null && !lostBefore.deaf).length;
  }

  /** From the next sample on, another frequency or gain. */
  retune(frequencyHz: number | null, gainsDb: Readonly<Record<string, number>> | null): void {
    this.frequencyHz = frequencyHz;
    this.gainsDb = gainsDb;
    this.retuned = this.entries.length > 0;
  }

  /**
   * Takes note of a block that will be appended; returns true if it opened a captures entry, which must reach the
   * metadata before the samples reach the data file.
   */
  append(index: number, samples: number, lost: LossRecord | null, timestampNs: bigint | null): boolean {
    if (!Number.isSafeInteger(index) || index < 0 || index + samples > META_LIMITS.index) {
      throw new UsageError(`sample index ${index} is out of range: allowed 0 to 2^52`);
    }
    const expected = this.nextIndex;
    let loss = lost;
    if (expected !== null) {
      const jump = index - expected;
      if (jump < 0)
        throw new UsageError(`block at index ${index} overlaps the samples before, which end at ${expected}`);
      // A jump without a record is still a gap: samples are never joined silently.
      if (!loss && jump > 0) loss = exactLoss(expected, index);
      else if (loss && loss.min !== jump) loss = { ...loss, min: jump, max: Math.max(jump, loss.max), exact: false };
    }
    if (loss) loss = { ...loss, from: Math.min(loss.from, index), to: index };
    const opens = expected === null || loss !== null || this.retuned;
    if (opens) this.open(index, loss, timestampNs);
    this.position += samples;
    return opens;
  }

  private open(index: number, loss: LossRecord | null, timestampNs: bigint | null): void {
    if (loss && !loss.deaf) {
      this.lostMin += loss.min;
      this.lostMax += loss.max;
    }
    let lostBefore = loss;
    // An entry without samples is replaced, so that sample_start always ascends.
    const last = this.entries.at(-1);
    if (last && last.fileStart === this.position) {
      this.entries.pop();
      lostBefore = joinLosses(last.lostBefore, loss);
    }
    if (this.entries.length >= META_LIMITS.captures) {
      throw new SctError(`the capture has more than ${META_LIMITS.captures} gaps or retunes`, 6);
    }
    const first = this.entries[0]?.index ?? index;
    const byClock = this.startNs === null ? null : this.startNs + samplesToNs(index - first, this.rateHz);
    this.entries.push({
      fileStart: this.position,
      index,
      lostBefore,
      frequencyHz: this.frequencyHz,
      gainsDb: this.gainsDb,
      timestampNs: timestampNs ?? byClock,
    });
    this.retuned = false;
  }

  /** Marks a stretch; false if the capture already holds as many marks as a reader accepts. */
  annotate(annotation: CaptureAnnotation): boolean {
    const bytes = JSON.stringify(annotation).length + 100;
    if (this.annotations.length >= META_LIMITS.annotations || this.annotationBytes + bytes > MAX_ANNOTATION_BYTES) {
      this.annotationsDropped++;
      return false;
    }
    this.annotationBytes += bytes;
    this.annotations.push({ annotation, bytes });
    return true;
  }

  /** The metadata as it stands, for the first `position` samples. */
  toMeta(extraGlobal: Record<string, unknown>): SigmfMeta {
    const captures = this.entries.map((entry): SigmfCapture => {
      const capture: SigmfCapture = { 'core:sample_start': entry.fileStart, 'core:global_index': entry.index };
      if (entry.frequencyHz !== null) capture['core:frequency'] = entry.frequencyHz;
      if (entry.timestampNs !== null) capture['core:datetime'] = formatTimestamp(entry.timestampNs);
      if (entry.gainsDb && Object.keys(entry.gainsDb).length) capture['sct:gains_db'] = { ...entry.gainsDb };
      if (entry.lostBefore) capture['sct:lost_before'] = { ...entry.lostBefore };
      return capture;
    });
    // Viewers take the centre frequency from a captures entry, so even an empty recording has one.
    if (captures.length === 0) {
      const capture: SigmfCapture = { 'core:sample_start': 0 };
      if (this.frequencyHz !== null) capture['core:frequency'] = this.frequencyHz;
      captures.push(capture);
    }
    const annotations = this.annotations
      .map(({ annotation }) => this.place(annotation))
      .filter((annotation) => annotation !== null)
      .sort((a, b) => a['core:sample_start'] - b['core:sample_start']);
    return { global: { ...this.global, ...extraGlobal }, captures, annotations };
  }

  /** An annotation at its place in the data file, cut to the samples there are; null if none of them is there. */
  private place(a: CaptureAnnotation): SigmfAnnotation | null {
    const start = this.filePosition(a.index);
    const end = this.filePosition(a.index + a.count);
    if (start >= this.position || end < start) return null;
    const out: SigmfAnnotation = {
      'core:sample_start': start,
      'core:sample_count': end - start,
      'core:label': a.label.slice(0, 64),
      'core:generator': 'sct-testbed',
    };
    if (a.freqLowerEdgeHz !== undefined && a.freqUpperEdgeHz !== undefined) {
      out['core:freq_lower_edge'] = a.freqLowerEdgeHz;
      out['core:freq_upper_edge'] = a.freqUpperEdgeHz;
    }
    if (a.comment !== undefined) out['core:comment'] = a.comment.slice(0, 1024);
    return Object.assign(out, a.fields);
  }

  /** File position of an absolute index; of lost samples, the position after the gap. */
  private filePosition(index: number): number {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (this.entries[mid].index <= index) low = mid + 1;
      else high = mid;
    }
    if (low === 0) return 0;
    const entry = this.entries[low - 1];
    const end = low < this.entries.length ? this.entries[low].fileStart : this.position;
    return Math.min(entry.fileStart + (index - entry.index), end);
  }
}
