import { BitReader, BitWriter } from '../../common/bits.ts';
import { FormatError, inRange } from '../../common/errors.ts';
import { MAX_SIDE_PX } from '../image/rgb-image.ts';

/** File formats of the classical codec, in the order of their code on the air. */
export const CLASSICAL_FORMATS = ['avif', 'webp', 'jpeg'] as const;
export type ClassicalFormat = (typeof CLASSICAL_FORMATS)[number];

/** Sizes at which a picture may be coded, as fractions of its own, in the order of their code on the air. */
export const SCALES: readonly (readonly [numerator: number, denominator: number])[] = [
  [1, 1],
  [3, 4],
  [1, 2],
  [3, 8],
  [1, 4],
  [3, 16],
  [1, 8],
  [1, 16],
];

/** Length of the header in bytes. */
export const CLASSICAL_HEADER_BYTES = 7;

/** Largest body: what 24 bits count. */
export const MAX_BODY_BYTES = 2 ** 24 - 1;

/** First bytes of a classical stream: all that its receiver knows beforehand. */
export interface ClassicalHeader {
  readonly format: ClassicalFormat;
  /** Index into SCALES. */
  readonly scale: number;
  /** Size of the picture shown, 1..8192 each. */
  readonly width: number;
  readonly height: number;
  /** Bytes that follow; anything after them is padding. */
  readonly bodyBytes: number;
}

/**
 * Writes the header, most significant bit first: format 3 bits, scale 3, width - 1 13, height - 1 13, body bytes 24.
 *
 * @throws UsageError naming the field that is out of range
 */
export function writeClassicalHeader(header: ClassicalHeader): Uint8Array {
  const w = new BitWriter();
  w.write(inRange('format', CLASSICAL_FORMATS.indexOf(header.format), 0, CLASSICAL_FORMATS.length - 1), 3);
  w.write(inRange('scale', header.scale, 0, SCALES.length - 1), 3);
  w.write(inRange('width', header.width, 1, MAX_SIDE_PX, 'px') - 1, 13);
  w.write(inRange('height', header.height, 1, MAX_SIDE_PX, 'px') - 1, 13);
  w.write(inRange('body', header.bodyBytes, 1, MAX_BODY_BYTES, 'bytes'), 24);
  return w.finish();
}

/**
 * Reads a header from the air.
 *
 * @throws FormatError naming the field: unknown format, empty body, or a body longer than what was received
 */
export function readClassicalHeader(bytes: Uint8Array): ClassicalHeader {
  const r = new BitReader(bytes);
  const formatCode = r.read(3, 'format');
  const scale = r.read(3, 'scale');
  const width = r.read(13, 'width') + 1;
  const height = r.read(13, 'height') + 1;
  const bodyBytes = r.read(24, 'body');
  if (formatCode >= CLASSICAL_FORMATS.length) {
    throw new FormatError('format', `${formatCode} is not one of 0 to ${CLASSICAL_FORMATS.length - 1}`);
  }
  const available = bytes.length - CLASSICAL_HEADER_BYTES;
  if (bodyBytes < 1 || bodyBytes > available) {
    throw new FormatError('body', `${bodyBytes} bytes announced, allowed 1 to ${available}`);
  }
  return { format: CLASSICAL_FORMATS[formatCode], scale, width, height, bodyBytes };
}

/** Size at which a width x height picture is coded at a scale: rounded, at least 1. */
export function scaledSize(width: number, height: number, scale: number): { width: number; height: number } {
  const [n, d] = SCALES[scale];
  return {
    width: Math.max(1, Math.floor((2 * width * n + d) / (2 * d))),
    height: Math.max(1, Math.floor((2 * height * n + d) / (2 * d))),
  };
}
