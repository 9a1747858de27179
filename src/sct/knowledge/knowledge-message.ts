import { CRC16, crcBytes } from '../../common/crc.ts';
import { ExitCode, FormatError, SctError, UsageError } from '../../common/errors.ts';

/** Most model sets and reference pictures that one end can say it holds. */
export const MAX_KNOWN_SETS = 8;
export const MAX_REFERENCES = 16;
const MAX_NAME = 32;
const HASH_BYTES = 32;
const CRC_BYTES = 2;
/** First byte: kind of message and version of its form. */
const FORM = 0x4b;
const VERSION = 1;
/** Longest message: every list full, every name as long as it can be. */
export const MAX_KNOWLEDGE_BYTES =
  4 + MAX_KNOWN_SETS * (1 + MAX_NAME + HASH_BYTES) + MAX_REFERENCES * HASH_BYTES + CRC_BYTES;

/** A model set by the hash over its files; the name is for people. */
export interface KnownSet {
  readonly name: string;
  readonly sha256: string; // 64 hexadecimal digits
}

/** What one end of a link holds beforehand: exchanged once a session. */
export interface Knowledge {
  /** The first is the one in use; at least one. */
  readonly modelSets: readonly KnownSet[];
  /** Hashes of reference pictures, 64 hexadecimal digits. */
  readonly references: readonly string[];
}

/** What both ends hold differs where it must not. Exit code 3: the peer lacks what is needed. */
export class KnowledgeError extends SctError {
  constructor(message: string, hint?: string) {
    super(message, ExitCode.device, hint);
  }
}

const HASH = /^[0-9a-f]{64}$/;
const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/;

/**
 * The bytes: form 0x4b, version 1, number of model sets, number of references; each set: length of its name, name, hash of 32 bytes;
 * each reference: hash of 32 bytes; CRC-16 of all before.
 *
 * @throws UsageError naming what is out of range
 */
export function encodeKnowledge({ modelSets, references }: Knowledge): Uint8Array {
  if (modelSets.length < 1 || modelSets.length > MAX_KNOWN_SETS) {
    throw new UsageError(`${modelSets.length} model sets are out of range: allowed 1 to ${MAX_KNOWN_SETS}`);
  }
  if (references.length > MAX_REFERENCES) {
    throw new UsageError(`${references.length} references are out of range: allowed 0 to ${MAX_REFERENCES}`);
  }
  const out: number[] = [FORM, VERSION, modelSets.length, references.length];
  const hash = (hex: string) => {
    if (!HASH.test(hex)) throw new UsageError(`hash "${hex.slice(0, 80)}" is not 64 hexadecimal digits`);
    for (let i = 0; i < hex.length; i += 2) out.push(Number.parseInt(hex.slice(i, i + 2), 16));
  };
  for (const { name, sha256 } of modelSets) {
    if (!NAME.test(name)) throw new UsageError(`model set name "${name.slice(0, 40)}" is not allowed`);
    out.push(name.length, ...new TextEncoder().encode(name));
    hash(sha256);
  }
  references.forEach(hash);
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
  if (body[1] !== VERSION) throw new FormatError('version', `${body[1]}, this program knows ${VERSION}`);
  const [sets, count] = [body[2], body[3]];
  if (sets < 1 || sets > MAX_KNOWN_SETS) throw new FormatError('model sets', `${sets}, allowed 1 to ${MAX_KNOWN_SETS}`);
  if (count > MAX_REFERENCES) throw new FormatError('references', `${count}, allowed 0 to ${MAX_REFERENCES}`);
  let at = 4;
  const take = (n: number, field: string) => {
    if (at + n > body.length) throw new FormatError(field, `needs ${n} bytes, only ${body.length - at} left`);
    at += n;
    return body.subarray(at - n, at);
  };
  const hash = (field: string) => Array.from(take(HASH_BYTES, field), (b) => b.toString(16).padStart(2, '0')).join('');
  const modelSets = Array.from({ length: sets }, () => {
    const n = take(1, 'name')[0];
    if (n > MAX_NAME) throw new FormatError('name', `of ${n} letters, allowed up to ${MAX_NAME}`);
    const name = String.fromCharCode(...take(n, 'name'));
    if (!NAME.test(name)) throw new FormatError('name', 'has other than small letters, digits and -');
    return { name, sha256: hash('model set') };
  });
  const references = Array.from({ length: count }, () => hash('reference'));
  if (at !== body.length) throw new FormatError('knowledge', `${body.length - at} bytes too many`);
  return { modelSets, references };
}

/** What both ends hold. */
export interface CommonKnowledge {
  /** The set to code with. */
  readonly modelSet: KnownSet;
  readonly references: readonly string[];
}

/**
 * What a transmitter may use: its first set that the receiver holds, so an older set still serves where the newest is at one
 * end only; and the references that both hold.
 *
 * @throws KnowledgeError naming the sets of both sides when there is no common one
 */
export function commonKnowledge(transmitter: Knowledge, receiver: Knowledge): CommonKnowledge {
  const there = new Set(receiver.modelSets.map((s) => s.sha256));
  const modelSet = transmitter.modelSets.find((s) => there.has(s.sha256));
  if (!modelSet) {
    throw new KnowledgeError(
      `the two ends have no model set in common: the transmitter has ${setList(transmitter.modelSets)}; ` +
        `the receiver has ${setList(receiver.modelSets)}`,
      'install the same models.json and networks at both ends, or name them with --models DIR',
    );
  }
  const pictures = new Set(receiver.references);
  return { modelSet, references: transmitter.references.filter((hash) => pictures.has(hash)) };
}

/** `base 1a2b3c4d, live 5e6f7a8b`. */
export function setList(sets: readonly KnownSet[]): string {
  return sets.map((s) => `${s.name} ${s.sha256.slice(0, 8)}`).join(', ') || 'none';
}
