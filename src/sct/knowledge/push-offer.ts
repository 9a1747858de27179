import { FormatError } from '../../common/errors.ts';
import { MAX_SIDE_PX } from '../image/rgb-image.ts';
import { MAX_SET_BYTES, MAX_SET_VERSION } from '../semantics/model-set.ts';

/** What can be pushed: a model set, or a reference picture that both ends will hold. */
export const PUSH_KINDS = ['set', 'picture'] as const;
export type PushKind = (typeof PUSH_KINDS)[number];

/** Most bytes of a set's models.json, and of all files of one push together. */
export const MAX_INDEX_BYTES = 2 ** 20;
export const MAX_PUSH_BYTES = MAX_SET_BYTES + MAX_INDEX_BYTES;

/** What one end offers the other, before a byte of it travels. */
export interface PushOffer {
  readonly kind: PushKind;
  /** Of a set its size (base, live); of a picture a word for people. */
  readonly name: string;
  /** Of a set, 1 to 65535; of a picture 0. */
  readonly version: number;
  /** Of a set as models.json has it, of a picture `referenceHash`: 64 hexadecimal digits. */
  readonly sha256: string;
  /** Of a picture; of a set 0. */
  readonly width: number;
  readonly height: number;
  /** Of all files together, the first one included. */
  readonly bytes: number;
  /** The first file: a models.json of one set, or the picture as PNG. */
  readonly firstBytes: number;
  readonly firstSha256: string;
}

const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/;
const HASH = /^[0-9a-f]{64}$/;

/** The offer if every field is allowed and fits the others; FormatError names the field and its range. */
export function checkedOffer(offer: PushOffer): PushOffer {
  const { kind, name, version, sha256, width, height, bytes, firstBytes, firstSha256 } = offer;
  const whole = (field: string, value: number, min: number, max: number) => {
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new FormatError(field, `${value}, allowed ${min} to ${max}`);
    }
  };
  const hash = (field: string, text: string) => {
    if (typeof text !== 'string' || !HASH.test(text)) throw new FormatError(field, 'must be 64 hexadecimal digits');
  };
  if (!PUSH_KINDS.includes(kind)) throw new FormatError('kind', `is not one of ${PUSH_KINDS.join(', ')}`);
  if (typeof name !== 'string' || !NAME.test(name))
    throw new FormatError('name', 'must be 1 to 32 small letters, digits and -, no - first');
  hash('sha256', sha256);
  hash('firstSha256', firstSha256);
  const set = kind === 'set';
  whole('version', version, set ? 1 : 0, set ? MAX_SET_VERSION : 0);
  whole('width', width, set ? 0 : 1, set ? 0 : MAX_SIDE_PX);
  whole('height', height, set ? 0 : 1, set ? 0 : MAX_SIDE_PX);
  whole('bytes', bytes, set ? 2 : 1, MAX_PUSH_BYTES);
  // A picture is its one file.
  whole('firstBytes', firstBytes, set ? 1 : bytes, set ? Math.min(bytes - 1, MAX_INDEX_BYTES) : bytes);
  return offer;
}

/** A word for people out of a file's name: small letters, digits and -, at most 32. */
export function pictureName(text: string): string {
  const cleaned = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 32)
    .replace(/-+$/, '');
  return cleaned || 'picture';
}
