import type { SampleFormat } from '../radio.ts';
import { type CaptureLayout, formatTimestamp, samplesToNs } from './layout.ts';
import { SCT_EXTENSION, type SigmfAnnotation, type SigmfCapture, type SigmfMeta } from './meta.ts';

/** Samples [from, to) of a capture, positions in its data file. */
export interface SampleRange {
  readonly from: number;
  readonly to: number;
}

/** What a written data file is like. */
export interface WrittenData {
  readonly format: SampleFormat;
  readonly fullScale: number;
  readonly samples: number;
  readonly sha512: string;
  /** Complex samples at the limit of the converter. */
  readonly clippedSamples: number;
}

/**
 * Metadata of a range of a capture: entries and annotations moved, indices in the stream and losses kept, so that the
 * range reads as that part of the original. Fields that nobody here knows stay as they are.
 */
export function cutMeta(meta: SigmfMeta, layout: CaptureLayout, range: SampleRange, written: WrittenData): SigmfMeta {
  const captures = cutCaptures(meta, layout, range);
  const lost = captures.flatMap(({ 'sct:lost_before': l }) => (l && !l.deaf ? [l] : []));
  const global: SigmfMeta['global'] = {
    ...meta.global,
    'core:sha512': written.sha512,
    'sct:full_scale': written.fullScale,
    'sct:complete': true,
    'sct:sample_count': written.samples,
    'sct:lost_samples': {
      min: lost.reduce((sum, { min }) => sum + min, 0),
      max: lost.reduce((sum, { max }) => sum + max, 0),
    },
  };
  if (written.format !== layout.format) global['core:datatype'] = written.format;
  if (range.to < layout.sampleCount) delete global['sct:lost_at_end'];
  if (written.clippedSamples > 0 || 'sct:clipped_samples' in global) {
    global['sct:clipped_samples'] = written.clippedSamples;
  }
  const extensions = global['core:extensions'] ?? [];
  if (!extensions.some(({ name }) => name === SCT_EXTENSION.name)) {
    global['core:extensions'] = [...extensions, { ...SCT_EXTENSION }];
  }
  return { global, captures, annotations: cutAnnotations(meta.annotations, range) };
}

function cutCaptures(meta: SigmfMeta, { segments, rateHz }: CaptureLayout, { from, to }: SampleRange): SigmfCapture[] {
  const inside = segments.filter((s) => s.fileStart < to && s.fileEnd > from);
  return inside.map((s) => {
    // The last entry at a place is the one that stands (an empty one before it has handed its loss on).
    const entry = meta.captures.findLast((c) => c['core:sample_start'] === s.fileStart);
    const into = Math.max(0, from - s.fileStart);
    const out: SigmfCapture = {
      ...entry,
      'core:sample_start': s.fileStart + into - from,
      'core:global_index': s.index + into,
    };
    if (s.frequencyHz !== null) out['core:frequency'] = s.frequencyHz;
    if (Object.keys(s.gainsDb).length > 0) out['sct:gains_db'] = { ...s.gainsDb };
    if (into > 0 && s.timestampNs !== null) {
      out['core:datetime'] = formatTimestamp(s.timestampNs + samplesToNs(into, rateHz));
    }
    delete out['sct:lost_before'];
    if (into === 0 && s.lostBefore) out['sct:lost_before'] = { ...s.lostBefore };
    return out;
  });
}

/** Annotations of which something lies in the range, cut to it and in order. */
function cutAnnotations(annotations: readonly SigmfAnnotation[], { from, to }: SampleRange): SigmfAnnotation[] {
  const kept: SigmfAnnotation[] = [];
  for (const annotation of annotations) {
    const start = annotation['core:sample_start'];
    const count = annotation['core:sample_count'];
    const end = start + (count ?? 0);
    if (start >= to || (start < from && end <= from)) continue;
    const moved = { ...annotation, 'core:sample_start': Math.max(start, from) - from };
    if (count !== undefined) moved['core:sample_count'] = Math.min(end, to) - Math.max(start, from);
    kept.push(moved);
  }
  return kept.sort((a, b) => a['core:sample_start'] - b['core:sample_start']);
}
