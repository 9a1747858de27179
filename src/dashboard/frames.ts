/**
 * Wire format of the dashboard: what a running command writes, the server passes on and the page reads. One frame is
 *
 *   0  u16  magic 0x5343          8  f64  time, s
 *   2  u8   version              16  u32  bytes of the description
 *   3  u8   topic                20  u32  bytes of all arrays
 *   4  u32  sequence number of this topic
 *  24  description: JSON object in UTF-8, filled up with spaces to a multiple of 8
 *   …  arrays, each at a multiple of 8, zeros between
 *
 * little-endian throughout. In the description `"$arrays": [[name, type, length], …]` says which arrays follow, in order. A frame at an offset
 * that is a multiple of 8 gives views of its arrays, without a copy. The page imports this file: it uses nothing of Node.
 */

// What frames say, for the page: types alone, nothing of this is in its bundle.
export type * from '../link/telemetry.ts';

export const FRAME_HEADER_BYTES = 24;
/** Longest description, and longest frame: a picture of some megapixels as a file. */
export const MAX_DESCRIPTION_BYTES = 1 << 20;
export const MAX_FRAME_BYTES = 1 << 25;

const MAGIC = 0x5343;
const VERSION = 1;
const MAX_ARRAYS = 32;
const ARRAYS = '$arrays';

/** Order is part of the format. */
export const TOPICS = [
  'run',
  'status',
  'spectrum',
  'burst',
  'source',
  'sfvs',
  'picture',
  'loss',
  'replay',
  'log',
  'overview',
  'video',
] as const;
export type Topic = (typeof TOPICS)[number];

const TYPES = { u8: Uint8Array, i16: Int16Array, f32: Float32Array, f64: Float64Array } as const;
type TypeName = keyof typeof TYPES;
export type FrameArray = Uint8Array | Int16Array | Float32Array | Float64Array;

export interface Frame {
  readonly topic: Topic;
  readonly sequence: number;
  /** Of the stream that is watched, s. */
  readonly timeS: number;
  /** Everything but the arrays. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly arrays: Readonly<Record<string, FrameArray>>;
}

/** Bytes that are no frame, or not one of this version. */
export class FrameError extends Error {}

/** @throws FrameError if it would be longer than MAX_FRAME_BYTES, or has more than 32 arrays */
export function encodeFrame(frame: Frame): Uint8Array<ArrayBuffer> {
  const arrays = Object.entries(frame.arrays);
  if (arrays.length > MAX_ARRAYS) throw new FrameError(`${arrays.length} arrays: at most ${MAX_ARRAYS}`);
  const table = arrays.map(([name, array]) => [name, typeOf(array), array.length]);
  const description = new TextEncoder().encode(JSON.stringify({ ...frame.data, [ARRAYS]: table }));
  if (description.length > MAX_DESCRIPTION_BYTES) {
    throw new FrameError(`description of ${description.length} bytes: at most ${MAX_DESCRIPTION_BYTES}`);
  }
  const described = aligned(description.length);
  const arrayBytes = arrays.reduce((sum, [, array]) => sum + aligned(array.byteLength), 0);
  const total = FRAME_HEADER_BYTES + described + arrayBytes;
  if (total > MAX_FRAME_BYTES) throw new FrameError(`frame of ${total} bytes: at most ${MAX_FRAME_BYTES}`);
  const bytes = new Uint8Array(total);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, MAGIC, true);
  view.setUint8(2, VERSION);
  view.setUint8(3, TOPICS.indexOf(frame.topic));
  view.setUint32(4, frame.sequence >>> 0, true);
  view.setFloat64(8, frame.timeS, true);
  view.setUint32(16, described, true);
  view.setUint32(20, arrayBytes, true);
  bytes.fill(0x20, FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + described);
  bytes.set(description, FRAME_HEADER_BYTES);
  let at = FRAME_HEADER_BYTES + described;
  for (const [, array] of arrays) {
    bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
    at += aligned(array.byteLength);
  }
  return bytes;
}

/**
 * Length of the frame that begins at `offset`; null where more bytes are needed to know it.
 *
 * @throws FrameError if no frame begins there
 */
export function frameLength(bytes: Uint8Array, offset = 0): number | null {
  if (bytes.length - offset < FRAME_HEADER_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, FRAME_HEADER_BYTES);
  if (view.getUint16(0, true) !== MAGIC) throw new FrameError('no frame: its first bytes are not the magic number');
  if (view.getUint8(2) !== VERSION) throw new FrameError(`frame version ${view.getUint8(2)}: this is ${VERSION}`);
  const described = view.getUint32(16, true);
  const arrayBytes = view.getUint32(20, true);
  if (described > MAX_DESCRIPTION_BYTES + 7) throw new FrameError(`description of ${described} bytes`);
  const total = FRAME_HEADER_BYTES + described + arrayBytes;
  if (total > MAX_FRAME_BYTES) throw new FrameError(`frame of ${total} bytes: at most ${MAX_FRAME_BYTES}`);
  if (described % 8 !== 0 || arrayBytes % 8 !== 0) throw new FrameError('parts that are no multiple of 8 bytes');
  return total;
}

/**
 * Reads one whole frame. Its arrays are views of `bytes` where these begin at a multiple of 8 of their buffer, else copies.
 *
 * @throws FrameError naming what is wrong
 */
export function decodeFrame(bytes: Uint8Array): Frame {
  if (frameLength(bytes) !== bytes.length) throw new FrameError(`${bytes.length} bytes are not one whole frame`);
  const whole = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  const view = new DataView(whole.buffer, whole.byteOffset, FRAME_HEADER_BYTES);
  const topic = TOPICS[view.getUint8(3)];
  if (topic === undefined) throw new FrameError(`topic ${view.getUint8(3)}: there are ${TOPICS.length}`);
  const described = view.getUint32(16, true);
  const start = FRAME_HEADER_BYTES + described;
  const { [ARRAYS]: table, ...data } = description(whole.subarray(FRAME_HEADER_BYTES, start));
  return {
    topic,
    sequence: view.getUint32(4, true),
    timeS: view.getFloat64(8, true),
    data,
    arrays: arraysOf(table, whole, start),
  };
}

function description(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new FrameError('the description is no JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new FrameError('the description is no object');
  }
  return value as Record<string, unknown>;
}

function arraysOf(table: unknown, whole: Uint8Array, start: number): Record<string, FrameArray> {
  if (!Array.isArray(table) || table.length > MAX_ARRAYS)
    throw new FrameError(`${ARRAYS}: a list of up to ${MAX_ARRAYS}`);
  const out = new Map<string, FrameArray>();
  let at = start;
  for (const entry of table as unknown[]) {
    const [name, type, length] = Array.isArray(entry) ? (entry as unknown[]) : [];
    if (typeof name !== 'string' || out.has(name)) throw new FrameError(`${ARRAYS}: every array has a name of its own`);
    if (!isType(type)) throw new FrameError(`array ${name}: its type is one of ${Object.keys(TYPES).join(', ')}`);
    const { BYTES_PER_ELEMENT: size } = TYPES[type];
    if (typeof length !== 'number' || !Number.isInteger(length) || length < 0 || at + length * size > whole.length) {
      throw new FrameError(`array ${name}: its length is not that of the frame`);
    }
    out.set(name, viewOf(type, whole, at, length));
    at += aligned(length * size);
  }
  if (at !== whole.length) throw new FrameError(`${whole.length - at} bytes belong to no array`);
  return Object.fromEntries(out);
}

function viewOf(type: TypeName, { buffer, byteOffset }: Uint8Array, at: number, length: number): FrameArray {
  return new TYPES[type](buffer as ArrayBuffer, byteOffset + at, length);
}

function typeOf(array: FrameArray): TypeName {
  for (const [name, type] of Object.entries(TYPES)) if (array instanceof type) return name as TypeName;
  throw new FrameError('an array of another type');
}

function isType(value: unknown): value is TypeName {
  return typeof value === 'string' && Object.hasOwn(TYPES, value);
}

function aligned(bytes: number): number {
  return (bytes + 7) & ~7;
}
