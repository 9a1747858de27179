import { endianness } from 'node:os';
import { DeviceError, UsageError } from '../../common/errors.ts';
import type { SampleData, SampleFormat } from '../radio.ts';

/**
 * The native sample formats. Integers are little-endian two's complement; the full scale is the value that stands
 * for amplitude 1.0, and the representable range is [-fullScale, fullScale - 1].
 */
export interface FormatSpec {
  readonly format: SampleFormat;
  readonly bytesPerSample: number;
  /** Full scale where the device does not say otherwise. */
  readonly defaultFullScale: number;
  readonly isInteger: boolean;
  /** Largest full scale the container holds. */
  readonly maxFullScale: number;
}

const SPECS: Readonly<Record<SampleFormat, FormatSpec>> = {
  ci8: { format: 'ci8', bytesPerSample: 2, defaultFullScale: 128, isInteger: true, maxFullScale: 128 },
  // Converters of 12 bits in 16: the Pluto delivers sign-extended integers within +-2048.
  ci16_le: { format: 'ci16_le', bytesPerSample: 4, defaultFullScale: 2048, isInteger: true, maxFullScale: 32768 },
  cf32_le: { format: 'cf32_le', bytesPerSample: 8, defaultFullScale: 1, isInteger: false, maxFullScale: 3e38 },
};

export const SAMPLE_FORMATS: readonly SampleFormat[] = ['ci8', 'ci16_le', 'cf32_le'];

/** The properties of a format; a UsageError lists the known ones for any other word. */
export function formatSpec(format: string): FormatSpec {
  if (!Object.hasOwn(SPECS, format)) {
    throw new UsageError(`sample format "${format}" is not supported; supported: ${SAMPLE_FORMATS.join(', ')}`);
  }
  return SPECS[format as SampleFormat];
}

/** Checks a full scale against its format (integers: a positive integer that fits) and returns it. */
export function checkFullScale(format: SampleFormat, fullScale: number): number {
  const spec = SPECS[format];
  const fits = fullScale > 0 && fullScale <= spec.maxFullScale && (!spec.isInteger || Number.isInteger(fullScale));
  if (!fits)
    throw new UsageError(`full scale ${fullScale} is out of range for ${format}: allowed up to ${spec.maxFullScale}`);
  return fullScale;
}

/** A new zeroed native array of `samples` complex samples. */
export function allocateNative(format: SampleFormat, samples: number): SampleData {
  if (format === 'ci8') return new Int8Array(2 * samples);
  return format === 'ci16_le' ? new Int16Array(2 * samples) : new Float32Array(2 * samples);
}

/** The bytes of a native array, shared, as they stand in a file. */
export function nativeBytes(data: SampleData): Uint8Array {
  requireLittleEndian();
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Native samples of the first whole samples in `bytes`; shared where the alignment allows, else copied. */
export function nativeView(format: SampleFormat, bytes: Uint8Array): SampleData {
  requireLittleEndian();
  const spec = SPECS[format];
  const usable = bytes.length - (bytes.length % spec.bytesPerSample);
  const elementBytes = spec.bytesPerSample / 2;
  const aligned = bytes.byteOffset % elementBytes === 0 ? bytes : bytes.slice(0, usable);
  if (format === 'ci8') return new Int8Array(aligned.buffer, aligned.byteOffset, usable);
  if (format === 'ci16_le') return new Int16Array(aligned.buffer, aligned.byteOffset, usable / 2);
  return new Float32Array(aligned.buffer, aligned.byteOffset, usable / 4);
}

// Typed arrays have the host's byte order; swapping would cost a pass over every sample for hosts nobody has.
function requireLittleEndian(): void {
  if (endianness() !== 'LE') throw new DeviceError('captures are little-endian and this host is big-endian');
}
