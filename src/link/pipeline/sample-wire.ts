import { FormatError } from '../../common/errors.ts';
import type { RecordRingWriter } from '../../common/record-ring.ts';
import { formatSpec } from '../../radio/format/sample-format.ts';
import type { LossRecord, SampleBlock, SampleData, SampleFormat } from '../../radio/radio.ts';

/** Records of the ring of samples: a run of samples; a loss with no samples behind it. */
export const SAMPLES = 1;
export const LOST = 2;

/** Before the samples, f64: index, whether there is a loss, its min, max, exact, from, to, deaf. */
const FIELDS = 8;
export const SAMPLE_HEADER_BYTES = 8 * FIELDS;

/** Fills a record with native samples and what is known of them. */
export function writeSamples(bytes: Uint8Array, data: SampleData, index: number, loss: LossRecord | null): void {
  writeHeader(bytes, index, loss);
  const native = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  bytes.set(native, SAMPLE_HEADER_BYTES);
}

/** Fills a record with a loss alone. */
export function writeLoss(bytes: Uint8Array, loss: LossRecord): void {
  writeHeader(bytes, loss.to, loss);
}

function writeHeader(bytes: Uint8Array, index: number, loss: LossRecord | null): void {
  const { min, max, exact, from, to, deaf } = loss ?? { min: 0, max: 0, exact: true, from: 0, to: 0 };
  const fields = new Float64Array(bytes.buffer, bytes.byteOffset, FIELDS);
  fields.set([index, Number(loss !== null), min, max, Number(exact), from, to, Number(deaf === true)]);
}

/** Native samples in place, valid as long as the record; FormatError for a record too short to be one. */
export function readSamples(bytes: Uint8Array, format: SampleFormat, fullScale: number): SampleBlock {
  const loss = readLoss(bytes);
  const { index } = loss;
  const length = bytes.length - SAMPLE_HEADER_BYTES;
  if (length % formatSpec(format).bytesPerSample !== 0)
    throw new FormatError('sample record', `holds ${length} bytes, no whole number of ${format} samples`);
  const at = bytes.byteOffset + SAMPLE_HEADER_BYTES;
  const data = viewOf(format, bytes.buffer, at, length);
  return { data, format, fullScale, index, lostBefore: loss.loss, timestampNs: null };
}

/** The loss of a record, and the index at which the stream goes on. */
export function readLoss(bytes: Uint8Array): { index: number; loss: LossRecord | null } {
  if (bytes.length < SAMPLE_HEADER_BYTES)
    throw new FormatError('sample record', `has ${bytes.length} bytes; its header alone has ${SAMPLE_HEADER_BYTES}`);
  const [index, has, min, max, exact, from, to, deaf] = new Float64Array(bytes.buffer, bytes.byteOffset, FIELDS);
  if (has !== 1) return { index, loss: null };
  return { index, loss: { ...(deaf === 1 ? { deaf: true } : {}), min, max, exact: exact === 1, from, to } };
}

function viewOf(format: SampleFormat, buffer: ArrayBufferLike, at: number, bytes: number): SampleData {
  if (format === 'ci8') return new Int8Array(buffer, at, bytes);
  if (format === 'ci16_le') return new Int16Array(buffer, at, bytes / 2);
  return new Float32Array(buffer, at, bytes / 4);
}

/** Samples that one record holds at most: a longer block is cut. */
export function pieceSamples(ring: RecordRingWriter, format: SampleFormat): number {
  const { bytesPerSample } = formatSpec(format);
  return Math.min(1 << 16, Math.floor((ring.maxRecordBytes - SAMPLE_HEADER_BYTES) / bytesPerSample));
}
