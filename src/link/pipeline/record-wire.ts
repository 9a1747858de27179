import { deserialize, serialize } from 'node:v8';
import { FormatError } from '../../common/errors.ts';
import { type Numerology, RB_DATA_RE } from '../../phy/numerology.ts';
import type { FrontRecord } from '../front-record.ts';

/**
 * Records of the front half as bytes: u32 length of the head, padding to 16; the head, which is all but the arrays (structured clone) and the list
 * of these: name, kind, elements; then the arrays, each padded to 16. The two ends are threads of one program, so names are not looked up; lengths
 * are checked all the same before anything is read.
 */

const KINDS = { f32: Float32Array, f64: Float64Array, u8: Uint8Array } as const;
type Kind = keyof typeof KINDS;
type Values = Float32Array | Float64Array | Uint8Array;

interface Head {
  readonly fields: Record<string, unknown>;
  readonly arrays: readonly (readonly [string, Kind, number])[];
}

const PREFIX_BYTES = 16;

/** A record that is ready to be written. */
export interface EncodedRecord {
  readonly bytes: number;
  writeTo(room: Uint8Array): void;
}

export function encodeRecord(record: FrontRecord): EncodedRecord {
  const fields: Record<string, unknown> = {};
  const arrays: [string, Kind, number][] = [];
  const values: Values[] = [];
  for (const [name, value] of Object.entries(record)) {
    const kind = kindOf(value);
    if (!kind) fields[name] = value;
    else {
      arrays.push([name, kind, (value as Values).length]);
      values.push(value as Values);
    }
  }
  const head = serialize({ fields, arrays } satisfies Head);
  const start = padded(PREFIX_BYTES + head.length);
  const bytes = values.reduce((sum, value) => sum + padded(value.byteLength), start);
  return {
    bytes,
    writeTo(room) {
      new Uint32Array(room.buffer, room.byteOffset, 1)[0] = head.length;
      room.set(head, PREFIX_BYTES);
      let at = start;
      for (const value of values) {
        room.set(new Uint8Array(value.buffer, value.byteOffset, value.byteLength), at);
        at += padded(value.byteLength);
      }
    },
  };
}

/**
 * Memory for the longest arrays of records, used again from record to record: of those that are decoded with it, only the latest has its payload.
 */
export class PayloadPool {
  private readonly buffers = new Map<string, Float32Array>();

  /** A copy of the values where the array is one of the long ones; null for the others. */
  copy(name: string, values: Values): Values | null {
    if (!(values instanceof Float32Array) || (name !== 'payload' && name !== 'payloadSnr')) return null;
    let buffer = this.buffers.get(name);
    if (!buffer || buffer.length < values.length) {
      buffer = new Float32Array(values.length);
      this.buffers.set(name, buffer);
    }
    buffer.set(values);
    return buffer.subarray(0, values.length);
  }
}

/**
 * The record, with arrays of its own. FormatError for lengths that do not fit.
 *
 * @param pool where given, payload and payloadSnr are valid until the next record is decoded with it
 */
export function decodeRecord(bytes: Uint8Array, pool?: PayloadPool): FrontRecord {
  const { fields, arrays, start } = headOf(bytes);
  const record: Record<string, unknown> = { ...fields };
  let at = start;
  for (const entry of arrays) {
    if (!Array.isArray(entry)) throw wrong('has a list of arrays of another kind');
    const [name, kind, length] = entry as Head['arrays'][number];
    if (typeof name !== 'string' || typeof kind !== 'string' || !Object.hasOwn(KINDS, kind))
      throw wrong('names an array of another kind');
    if (!Number.isSafeInteger(length) || length < 0) throw wrong(`has an array of ${length} ${kind}`);
    const Type = KINDS[kind];
    const size = length * Type.BYTES_PER_ELEMENT;
    if (size > bytes.length - at) throw wrong(`claims ${size} bytes of ${name} where ${bytes.length - at} are`);
    const values = new Type(bytes.buffer as ArrayBuffer, bytes.byteOffset + at, length);
    record[name] = pool?.copy(name, values) ?? values.slice();
    at += padded(size);
  }
  return record as unknown as FrontRecord;
}

function headOf(bytes: Uint8Array): Head & { readonly start: number } {
  if (bytes.length < PREFIX_BYTES) throw wrong(`has ${bytes.length} bytes`);
  const length = new Uint32Array(bytes.buffer, bytes.byteOffset, 1)[0];
  if (length > bytes.length - PREFIX_BYTES)
    throw wrong(`claims a head of ${length} bytes where ${bytes.length - PREFIX_BYTES} are`);
  const start = padded(PREFIX_BYTES + length);
  let head: Head;
  try {
    // A copy: the deserialiser does not read shared memory.
    head = deserialize(Buffer.from(bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + length))) as Head;
  } catch (error) {
    throw wrong(`has a head that cannot be read (${(error as Error).message})`);
  }
  if (!Array.isArray(head?.arrays) || typeof head.fields !== 'object') throw wrong('has a head of another kind');
  return { ...head, start };
}

/** Bytes of the longest burst that a numerology's header can announce, with a third on top for what is told besides. */
export function longestRecordBytes(n: Numerology, keptSymbols: number): number {
  const slots = 128;
  const payload = 12 * slots * n.nSubbands * RB_DATA_RE;
  const channels = 8 * slots * n.nCarriers * (1 + keptSymbols);
  return Math.ceil((4 / 3) * (payload + channels)) + (1 << 16);
}

function kindOf(value: unknown): Kind | null {
  if (value instanceof Float32Array) return 'f32';
  if (value instanceof Float64Array) return 'f64';
  return value instanceof Uint8Array ? 'u8' : null;
}

function padded(bytes: number): number {
  return (bytes + 15) & ~15;
}

function wrong(what: string): FormatError {
  return new FormatError('burst record', what);
}
