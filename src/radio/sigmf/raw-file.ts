import type { SampleFormat } from '../radio.ts';
import { openFileSource } from './byte-source.ts';
import { CaptureReader } from './capture-reader.ts';
import { SIGMF_VERSION, type SigmfMeta } from './meta.ts';

/**
 * A file of bare samples (`.cs8`, `.cs16`, `.cf32` of other programs) as a capture of one stretch, in the full scale that other
 * programs mean: 128, 32768, 1.
 */
export async function openRawFile(
  path: string,
  { format, rateHz, frequencyHz }: { format: SampleFormat; rateHz: number; frequencyHz: number | null },
): Promise<CaptureReader> {
  const capture = { 'core:sample_start': 0, ...(frequencyHz === null ? {} : { 'core:frequency': frequencyHz }) };
  const meta: SigmfMeta = {
    global: {
      'core:datatype': format,
      'core:version': SIGMF_VERSION,
      'core:sample_rate': rateHz,
      'core:recorder': 'sct-testbed',
    },
    captures: [capture],
    annotations: [],
  };
  return CaptureReader.fromSources(path, Buffer.from(JSON.stringify(meta)), await openFileSource(path));
}
