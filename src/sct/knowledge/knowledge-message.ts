import { CRC16, crcBytes } from '../../common/crc.ts';
import { FormatError, UsageError } from '../../common/errors.ts';
import { MAX_SET_VERSION } from '../semantics/model-set.ts';

/** Most model sets and reference pictures that one end can say it holds: two folders of sets, 8 each at most. */
export const MAX_KNOWN_SETS = 16;
export const MAX_REFERENCES = 16;
const MAX_NAME = 32;
const HASH_BYTES = 32;
const CRC_BYTES = 2;
/** First byte: kind of message; then version of its form. Version 1 did not say the versions of sets. */
const FORM = 0x4b;
const VERSION = 2;
const MAX_SIDE_PX = 8192;
/** Longest message: every list full, every name as long as it can be. */
export const MAX_KNOWLEDGE_BYTES =
  4 + MAX_KNOWN_SETS * (1 + MAX_NAME + 2 + 4 + HASH_BYTES) + MAX_REFERENCES * (4 + HASH_BYTES) + CRC_BYTES;

/** A model set by the hash over its files; its name is its size (base, live), and its version tells which of that size is newer. */
export interface KnownSet {
  readonly name: string;
  /** 1 to 65535; 0 where the other end did not say it. */
  readonly version: number;
  /** Of all its files together. */
  readonly bytes: number;
  readonly sha256: string; // 64 hexadecimal digits
}

/** A reference picture by the hash over its size and samples. */
export interface KnownPicture {
  readonly sha256: string; // 64 hexadecimal digits
  readonly width: number;
  readonly height: number;
}

/** What one end of a link holds beforehand: told once a session. */
export interface Knowledge {
  readonly modelSets: readonly KnownSet[];
  readonly references: readonly KnownPicture[];
}

const HASH = /^[0-9a-f]{64}$/;
const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/;

/**
 * The bytes: form 0x4b, version 2, number of model sets, number of references; each set: length of its name, name, its version in 2 bytes, bytes of its
 * files in 4 bytes, hash of 32 bytes; each reference: width and height in 2 bytes each, hash of 32 bytes; CRC-16 of all before.
 *
 * @throws UsageError naming what is out of range
 */
export function encodeKnowledge({ modelSets, references }: Knowledge): Uint8Array {
  if (modelSets.length > MAX_KNOWN_SETS) {
    throw new UsageError(`${modelSets.length} model sets are out of range: allowed 0 to ${MAX_KNOWN_SETS}`);
  }
  if (references.length > MAX_REFERENCES) {
    throw new UsageError(`${references.length} references are out of range: allowed 0 to ${MAX_REFERENCES}`);
  }
  const twice = firstTwice([...modelSets, ...references]);
  if (twice !== undefined) throw new UsageError(`${twice} stands there twice`);
  const out: number[] = [FORM, VERSION, modelSets.length, references.length];
  const number = (what: string, value: number, min: number, max: number, bytes: number) => {
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new UsageError(`${what} ${value} is out of range: allowed ${min} to ${max}`);
    }
    for (let shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out.push((value >>> shift) & 255);
  };
  const hash = (hex: string) => {
    if (!HASH.test(hex)) throw new UsageError(`hash "${hex.slice(0, 80)}" is not 64 hexadecimal digits`);
    for (let i = 0; i < hex.length; i += 2) out.push(Number.parseInt(hex.slice(i, i + 2), 16));
  };
  for (const { name, version, bytes, sha256 } of modelSets) {
    if (!NAME.test(name)) throw new UsageError(`model set name "${name.slice(0, 40)}" is not allowed`);
    out.push(name.length, ...new TextEncoder().encode(name));
    number('version of a model set', version, 0, MAX_SET_VERSION, 2);
    number('bytes of a model set', bytes, 1, 2 ** 32 - 1, 4);
    hash(sha256);
  }
  for (const { width, height, sha256 } of references) {
    number('width of a reference', width, 1, MAX_SIDE_PX, 2);
    number('height of a reference', height, 1, MAX_SIDE_PX, 2);
    hash(sha256);
  }
  const crc = crcBytes(CRC16, Uint8Array.from(out));
  return Uint8Array.of(...out, crc >> 8, crc & 255);
}

/**
 * What the other end says it holds. Every length is checked before it is used.
 *
 * @throws FormatError naming the field
 */
export function decodeKnowledge(bytes: Uint8Array): Knowledge {
  const { length } = bytes;
  if (length < 4 + CRC_BYTES || length > MAX_KNOWLEDGE_BYTES) {
    throw new FormatError('knowledge', `${length} bytes, allowed ${4 + CRC_BYTES} to ${MAX_KNOWLEDGE_BYTES}`);
  }
  if (crcBytes(CRC16, bytes, 0, length - CRC_BYTES) !== (bytes[length - 2] << 8) + bytes[length - 1]) {
    throw new FormatError('knowledge', 'CRC does not match');
  }
  const body = bytes.subarray(0, length - CRC_BYTES);
  if (body[0] !== FORM) throw new FormatError('form', `${body[0]}, allowed ${FORM}`);
  const form = body[1];
  if (form < 1 || form > VERSION) throw new FormatError('version', `${form}, this program knows 1 to ${VERSION}`);
  const [sets, count] = [body[2], body[3]];
  if (sets > MAX_KNOWN_SETS) throw new FormatError('model sets', `${sets}, allowed 0 to ${MAX_KNOWN_SETS}`);
  if (count > MAX_REFERENCES) throw new FormatError('references', `${count}, allowed 0 to ${MAX_REFERENCES}`);
  let at = 4;
  const take = (n: number, field: string) => {
    if (at + n > body.length) throw new FormatError(field, `needs ${n} bytes, only ${body.length - at} left`);
    at += n;
    return body.subarray(at - n, at);
  };
  const number = (n: number, field: string, max: number, min = 1) => {
    const value = take(n, field).reduce((sum, b) => 256 * sum + b, 0);
    if (value < min || value > max) throw new FormatError(field, `${value} is outside ${min} to ${max}`);
    return value;
  };
  const hash = (field: string) => Array.from(take(HASH_BYTES, field), (b) => b.toString(16).padStart(2, '0')).join('');
  const modelSets = Array.from({ length: sets }, (): KnownSet => {
    const n = take(1, 'name')[0];
    if (n > MAX_NAME) throw new FormatError('name', `of ${n} letters, allowed up to ${MAX_NAME}`);
    const name = String.fromCharCode(...take(n, 'name'));
    if (!NAME.test(name)) throw new FormatError('name', 'has other than small letters, digits and -');
    const version = form === 1 ? 0 : number(2, 'set version', MAX_SET_VERSION, 0);
    return { name, version, bytes: number(4, 'bytes', 2 ** 32 - 1), sha256: hash('model set') };
  });
  const references = Array.from({ length: count }, (): KnownPicture => {
    const [width, height] = [number(2, 'width', MAX_SIDE_PX), number(2, 'height', MAX_SIDE_PX)];
    return { sha256: hash('reference'), width, height };
  });
  if (at !== body.length) throw new FormatError('knowledge', `${body.length - at} bytes too many`);
  const twice = firstTwice([...modelSets, ...references]);
  if (twice !== undefined) throw new FormatError('knowledge', `${twice} stands there twice`);
  return { modelSets, references };
}

/** The first hash that stands there twice. */
function firstTwice(entries: readonly { readonly sha256: string }[]): string | undefined {
  return entries.find(({ sha256 }, i) => entries.findIndex((e) => e.sha256 === sha256) !== i)?.sha256;
}
