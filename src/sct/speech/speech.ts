import { FormatError, inRange, UsageError } from '../../common/errors.ts';

/** Rate of speech everywhere behind the reader of files, Hz. */
export const SPEECH_RATE_HZ = 16_000;
/** Most samples of one source: 65.5 s, what the side information counts. */
export const MAX_SPEECH_SAMPLES = 2 ** 20;

/** Mono speech; full scale is 1. */
export interface Speech {
  readonly samples: Float32Array; // [sample] at SPEECH_RATE_HZ
}

/** Largest magnitude of a sample, of full scale: some programs write floats on the scale of 16 bits; beyond it the model's levels end. */
const MAX_MAGNITUDE = 2 ** 15;

/** @throws UsageError for no samples, too many, or one that is no number or too large */
export function speechOf(samples: Float32Array): Speech {
  inRange('speech', samples.length, 1, MAX_SPEECH_SAMPLES, 'samples at 16 kHz');
  if (!samples.every(Number.isFinite)) throw new UsageError('speech has samples that are not finite numbers');
  const wrong = samples.find((v) => Math.abs(v) > MAX_MAGNITUDE);
  if (wrong !== undefined) {
    throw new UsageError(`speech has a sample of ${wrong} times full scale: allowed up to ${MAX_MAGNITUDE}`);
  }
  return { samples };
}

/** An offset below this share of the RMS is none. */
const LEAST_OFFSET = 1e-3;

/**
 * Takes a constant off, which nobody hears and which would take the power of what is heard (a cheap converter's direct current). What this
 * gives is given back as it is.
 */
export function withoutOffset(samples: Float32Array): Float32Array {
  let out = samples;
  // A second round takes what rounding left of a constant alone.
  for (let round = 0; round < 4; round++) {
    let [sum, energy] = [0, 0];
    for (const v of out) {
      sum += v;
      energy += v * v;
    }
    const mean = sum / out.length;
    if (!(Math.abs(mean) > LEAST_OFFSET * Math.sqrt(energy / out.length))) break;
    out = out.map((v) => v - mean);
  }
  return out;
}

/** Bytes of a file that are looked at, at most: 192 kHz, 8 channels, 24 bits for a minute would be more than is ever needed. */
const MAX_FILE_BYTES = 2 ** 28;
const MAX_CHANNELS = 8;
const MIN_RATE_HZ = 4000;
const MAX_RATE_HZ = 192_000;
const [PCM, FLOAT, EXTENSIBLE] = [1, 3, 0xfffe];

/** What a WAV file holds, its channels averaged. */
export interface WavSound {
  readonly rateHz: number;
  readonly samples: Float32Array; // [sample], full scale 1
}

/**
 * Reads RIFF/WAVE: PCM of 8, 16, 24 or 32 bits or float of 32 or 64, 1 to 8 channels. A data chunk that is longer than the file, or
 * that has no length in a file that has none (a recording that was cut off), ends with the file.
 *
 * @param maxSamples of one channel
 * @throws FormatError naming the field
 */
export function readWav(bytes: Uint8Array, maxSamples = 12 * MAX_SPEECH_SAMPLES): WavSound {
  if (bytes.length > MAX_FILE_BYTES) throw new FormatError('file', `${bytes.length} bytes, allowed up to 256 MiB`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length < 12 || tag(0) !== 'RIFF' || tag(8) !== 'WAVE')
    throw new FormatError('file', 'is no RIFF/WAVE file');
  let format: { code: number; channels: number; rateHz: number; bits: number } | null = null;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const size = view.getUint32(at + 4, true);
    const body = at + 8;
    if (tag(at) === 'fmt ') {
      if (size < 16 || body + size > bytes.length) throw new FormatError('fmt', `chunk of ${size} bytes`);
      const named = view.getUint16(body, true);
      // The extensible form says in its GUID what the plain one says here.
      const code = named === EXTENSIBLE && size >= 26 ? view.getUint16(body + 24, true) : named;
      const channels = view.getUint16(body + 2, true);
      format = { code, channels, rateHz: view.getUint32(body + 4, true), bits: view.getUint16(body + 14, true) };
      checkFormat(format);
    }
    if (tag(at) === 'data') {
      if (!format) throw new FormatError('data', 'comes before the format');
      // Who writes into a pipe leaves both lengths open: as 2^32 - 1, or as 0.
      const open = size === 0 && view.getUint32(4, true) === 0;
      const there = open ? bytes.length - body : Math.min(size, bytes.length - body);
      return { rateHz: format.rateHz, samples: mono(view, body, there, format, maxSamples) };
    }
    at = body + size + (size & 1);
  }
  throw new FormatError('data', 'there is no chunk of samples');
}

function checkFormat({
  code,
  channels,
  rateHz,
  bits,
}: {
  code: number;
  channels: number;
  rateHz: number;
  bits: number;
}) {
  if (channels < 1 || channels > MAX_CHANNELS)
    throw new FormatError('channels', `${channels}, allowed 1 to ${MAX_CHANNELS}`);
  if (rateHz < MIN_RATE_HZ || rateHz > MAX_RATE_HZ) {
    throw new FormatError('rate', `${rateHz} Hz, allowed ${MIN_RATE_HZ} to ${MAX_RATE_HZ} Hz`);
  }
  const known = (code === PCM && [8, 16, 24, 32].includes(bits)) || (code === FLOAT && [32, 64].includes(bits));
  if (!known)
    throw new FormatError('format', `code ${code} with ${bits} bits, allowed PCM of 8, 16, 24, 32 and float of 32, 64`);
}

function mono(
  view: DataView,
  from: number,
  length: number,
  { code, channels, bits }: { code: number; channels: number; bits: number },
  maxSamples: number,
): Float32Array {
  const bytes = bits / 8;
  const count = Math.floor(length / (bytes * channels));
  if (count < 1 || count > maxSamples) throw new FormatError('data', `${count} samples, allowed 1 to ${maxSamples}`);
  const read = (at: number): number => {
    if (code === FLOAT) {
      const value = bits === 64 ? view.getFloat64(at, true) : view.getFloat32(at, true);
      if (Number.isFinite(value)) return value;
      throw new FormatError('data', `the sample at byte ${at} is no finite number`);
    }
    if (bits === 8) return (view.getUint8(at) - 128) / 128; // 8 bits alone are unsigned
    if (bits === 16) return view.getInt16(at, true) / 2 ** 15;
    if (bits === 24) return (view.getUint16(at, true) + view.getInt8(at + 2) * 2 ** 16) / 2 ** 23;
    return view.getInt32(at, true) / 2 ** 31;
  };
  const out = new Float32Array(count);
  for (let i = 0, at = from; i < count; i++) {
    let sum = 0;
    for (let c = 0; c < channels; c++, at += bytes) sum += read(at);
    out[i] = sum / channels;
  }
  return out;
}

/**
 * A WAV file, mono: PCM of 16 bits, samples beyond full scale limited.
 *
 * @param exact 32-bit float, as they are
 */
export function writeWav({ rateHz, samples }: WavSound, exact = false): Uint8Array {
  const bytes = exact ? 4 : 2;
  const out = new Uint8Array(44 + bytes * samples.length);
  const view = new DataView(out.buffer);
  const text = (at: number, s: string) => {
    for (let i = 0; i < s.length; i++) out[at + i] = s.charCodeAt(i);
  };
  text(0, 'RIFF');
  view.setUint32(4, out.length - 8, true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, exact ? FLOAT : PCM, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rateHz, true);
  view.setUint32(28, bytes * rateHz, true);
  view.setUint16(32, bytes, true);
  view.setUint16(34, 8 * bytes, true);
  text(36, 'data');
  view.setUint32(40, bytes * samples.length, true);
  samples.forEach((v, i) => {
    if (exact) view.setFloat32(44 + 4 * i, v, true);
    else view.setInt16(44 + 2 * i, Math.max(-32768, Math.min(32767, Math.round(v * 32768))), true);
  });
  return out;
}
