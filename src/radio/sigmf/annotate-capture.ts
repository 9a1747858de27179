import { realpath } from 'node:fs/promises';
import { FormatError, UsageError } from '../../common/errors.ts';
import { capturePaths, isArchivePath } from './capture-paths.ts';
import { CaptureReader } from './capture-reader.ts';
import { META_LIMITS, type SigmfAnnotation } from './meta.ts';
import { writeMeta } from './meta-file.ts';

/** A mark on samples [from, to), positions in the data file. */
export interface NewAnnotation {
  readonly label: string;
  readonly comment?: string;
}

/**
 * Adds one annotation to a capture, in its place by sample, over the whole band. Only the metadata is replaced, by
 * rename; samples and hash stay.
 *
 * @param rangeOf samples that are meant, once the rate is known
 * @throws UsageError for an archive, a capture that is not closed, a range outside, a text too long
 */
export async function annotateCapture(
  path: string,
  rangeOf: (reader: CaptureReader) => { from: number; to: number },
  { label, comment }: NewAnnotation,
): Promise<SigmfAnnotation> {
  if (isArchivePath(path)) throw new UsageError(`${path} is an archive`, 'unpack it and annotate the recording');
  if (label.length === 0 || label.length > 64) throw new UsageError('--label must have 1 to 64 characters');
  if (comment !== undefined && comment.length > 1024) throw new UsageError('--comment has more than 1024 characters');
  const reader = await CaptureReader.open(path);
  try {
    const { meta, layout } = reader;
    if (!layout.complete) {
      throw new UsageError(`${path} is not closed by its writer, which may be writing still`, 'cut it into a new one');
    }
    const { from, to } = rangeOf(reader);
    if (meta.annotations.length >= META_LIMITS.annotations) {
      throw new FormatError('annotations', `are ${meta.annotations.length} already; more are not read`);
    }
    const made: SigmfAnnotation = {
      'core:sample_start': from,
      'core:sample_count': to - from,
      'core:label': label,
      'core:generator': 'sct-testbed',
    };
    if (comment !== undefined) made['core:comment'] = comment;
    const { frequencyHz = null } = layout.segments.findLast((s) => s.fileStart <= from) ?? {};
    if (frequencyHz !== null) {
      // Viewers draw a box only between two edges.
      made['core:freq_lower_edge'] = frequencyHz - layout.rateHz / 2;
      made['core:freq_upper_edge'] = frequencyHz + layout.rateHz / 2;
    }
    const annotations = [...meta.annotations, made];
    annotations.sort((a, b) => a['core:sample_start'] - b['core:sample_start']);
    await writeMeta(await realpath(capturePaths(path).meta), { ...meta, annotations });
    return made;
  } finally {
    await reader.close();
  }
}
