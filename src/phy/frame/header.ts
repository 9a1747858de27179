import { FormatError } from '../../common/errors.ts';
import { decodeFields, encodeFields, type Schema, uint } from './schema.ts';

/** Version of the air interface in every header; docs/air-interface.md describes this one. */
export const AIR_INTERFACE_VERSION = 4;

/** What a burst is for. */
export const BurstKind = { sounding: 0, data: 1, retransmission: 2, reverse: 3 } as const;
export type BurstKind = (typeof BurstKind)[keyof typeof BurstKind];

/** Code of the extension: QPSK at rate 1/5, 1/3, 1/2, 2/3 (index = the header's extensionMcs). */
export const EXTENSION_RATES = [1 / 5, 1 / 3, 1 / 2, 2 / 3] as const;
/** The header counts the extension in units of so many bytes. */
export const EXTENSION_UNIT_BYTES = 8;
export const HEADER_BYTES = 10;
export const MAX_SLOTS = 128;

/** The 80 bits that open every burst; with a CRC-16 they are the fixed header. Length and place never change. */
export const HEADER_SCHEMA: Schema = [
  uint('version', 3, 'air interface version', { min: AIR_INTERFACE_VERSION, max: AIR_INTERFACE_VERSION }),
  uint('numerology', 3, 'numerology id; must be the one it was received with', { max: 4 }),
  uint('session', 8, 'session id'),
  uint('burst', 10, 'burst number in the session, modulo 1024'),
  uint('kind', 3, '0 sounding, 1 data, 2 retransmission, 3 reverse (feedback)', { max: 3 }),
  uint('slotsLess1', 7, 'slots after the extension, less 1'),
  uint('csiNumber', 6, 'number of the CSI report the resource map was made from; 0 = none (robust map)'),
  uint('modelSet', 32, 'first 32 bits of the model set hash; 0 = none needed'),
  uint('extensionUnits', 6, 'length of the extension in units of 8 bytes, its CRC-24 not counted'),
  uint('extensionMcs', 2, 'code rate of the extension: 1/5, 1/3, 1/2, 2/3'),
];

export interface Header {
  readonly numerology: number;
  readonly session: number;
  readonly burst: number;
  readonly kind: BurstKind;
  readonly slots: number;
  readonly csiNumber: number;
  readonly modelSet: number;
  readonly extensionUnits: number;
  readonly extensionMcs: number;
}

/** The header's 10 bytes. Throws FormatError when a field is out of range. */
export function encodeHeader(header: Header): Uint8Array {
  const { slots, ...rest } = header;
  return encodeFields(HEADER_SCHEMA, { ...rest, version: AIR_INTERFACE_VERSION, slotsLess1: slots - 1 });
}

/** The version that a header says, whatever follows it: it stands first in every version. */
export function headerVersion(bytes: Uint8Array): number {
  return bytes[0] >> 5;
}

/** Parses 10 untrusted bytes. Throws FormatError naming the field that is wrong. */
export function decodeHeader(bytes: Uint8Array): Header {
  if (bytes.length !== HEADER_BYTES) throw new FormatError('header', `has ${bytes.length} bytes, not ${HEADER_BYTES}`);
  const f = decodeFields(HEADER_SCHEMA, bytes) as Record<string, number>;
  return {
    numerology: f.numerology,
    session: f.session,
    burst: f.burst,
    kind: f.kind as BurstKind,
    slots: f.slotsLess1 + 1,
    csiNumber: f.csiNumber,
    modelSet: f.modelSet,
    extensionUnits: f.extensionUnits,
    extensionMcs: f.extensionMcs,
  };
}
