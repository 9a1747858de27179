import { FormatError } from '../../common/errors.ts';
import type { Numerology } from '../numerology.ts';
import { decodeFields, encodeFields, list, type Schema, uint } from './schema.ts';

/** Codecs that a burst can name. */
export const CODEC_IDS = ['none', 'classical', 'modular', 'integrated', 'user'] as const;
export type CodecId = (typeof CODEC_IDS)[number];

/** Bits per RE of a subband's modulation code: 0 unused, QPSK, 16-QAM, 64-QAM, 256-QAM; code 5 is analog symbols. */
export const MODULATION_BITS = [0, 2, 4, 6, 8] as const;
export const ANALOG_CODE = 5;

/**
 * What a data or retransmission burst carries. `subbands` is the numerology's number of subbands. The RB map is
 * (layout, order, streams' RE counts); the receiver expands it as docs/air-interface.md says.
 */
export const EXTENSION_SCHEMA: Schema = [
  uint('codec', 3, '0 none, 1 classical, 2 modular, 3 integrated, 4 user', { max: 4 }),
  uint('image', 8, 'number of the picture in the session, modulo 256'),
  uint('part', 8, 'part of the picture in this burst'),
  uint('partsLess1', 8, 'parts of the picture, less 1'),
  uint('process', 4, 'HARQ process'),
  uint('redundancyVersion', 2, 'redundancy version of every block in this burst'),
  uint('newData', 1, 'toggles when the process carries new data'),
  uint('original', 10, 'burst that this one repeats blocks of; its own number in a data burst'),
  uint('interleaved', 1, '1: symbols go round over all RBs; 0: subbands are filled in `order`'),
  list(
    'modulation',
    'subbands',
    uint('code', 3, '0 unused, 1 QPSK, 2 16-QAM, 3 64-QAM, 4 256-QAM, 5 analog', { max: 5 }),
    'modulation of each subband',
  ),
  uint('hasOrder', 1, '1 if `order` follows; else subbands are in ascending order'),
  list(
    'order',
    'subbands',
    uint('subband', 6, 'subband', { max: 49 }),
    'subbands in the order of filling, a permutation',
    'hasOrder',
  ),
  uint('streamCount', 8, 'streams (SFVs) in this burst', { max: 255 }),
  list(
    'streams',
    'streamCount',
    [
      uint('id', 8, 'stream id, unique in the burst', { max: 254 }),
      uint('analog', 1, '1: analog symbols; 0: coded bits'),
      uint('score', 8, 'importance as sent'),
      uint('re', 20, 'resource elements', { min: 1 }),
      uint('bytes', 22, 'payload bytes of coded bits; 0 for analog'),
    ],
    'streams in the order of placement',
  ),
  uint('blockCount', 8, 'blocks repeated in a retransmission; 0 in a data burst'),
  list(
    'blocks',
    'blockCount',
    uint('block', 8, 'block of stream 0 of the original burst'),
    'blocks that share the RE in turn',
  ),
  uint('mapCrc', 16, 'CRC-16 of the RB map'),
];

export interface ExtensionStream {
  readonly id: number;
  readonly analog: 0 | 1;
  readonly score: number;
  readonly re: number;
  readonly bytes: number;
}

export interface Extension {
  readonly codec: number;
  readonly image: number;
  readonly part: number;
  readonly partsLess1: number;
  readonly process: number;
  readonly redundancyVersion: number;
  readonly newData: number;
  readonly original: number;
  readonly interleaved: number;
  readonly modulation: readonly number[];
  readonly hasOrder: number;
  readonly order: readonly number[] | null;
  readonly streamCount: number;
  readonly streams: readonly ExtensionStream[];
  readonly blockCount: number;
  readonly blocks: readonly number[];
  readonly mapCrc: number;
}

export function encodeExtension(n: Numerology, extension: Extension): Uint8Array {
  return encodeFields(EXTENSION_SCHEMA, extension as never, { subbands: n.nSubbands });
}

/** Bytes of an extension before it is padded to whole units. */
export function extensionBytes(n: Numerology, hasOrder: boolean, streams: number, blocks: number): number {
  let bits = 0;
  for (const field of EXTENSION_SCHEMA) {
    if (field.kind === 'uint') bits += field.bits;
    else {
      const width = 'kind' in field.of ? field.of.bits : field.of.reduce((sum, part) => sum + part.bits, 0);
      const counts: Record<string, number> = { subbands: n.nSubbands, streamCount: streams, blockCount: blocks };
      if (field.when !== 'hasOrder' || hasOrder) bits += width * counts[field.count];
    }
  }
  return Math.ceil(bits / 8);
}

/** Parses untrusted bytes; checks every field and what fields say of each other. FormatError names the field. */
export function decodeExtension(n: Numerology, bytes: Uint8Array): Extension {
  const e = decodeFields(EXTENSION_SCHEMA, bytes, { subbands: n.nSubbands }) as unknown as Extension;
  if (e.part > e.partsLess1) throw new FormatError('part', `${e.part} of ${e.partsLess1 + 1} parts`);
  if (e.order) {
    if (new Set(e.order).size !== n.nSubbands || e.order.some((s) => s >= n.nSubbands)) {
      throw new FormatError('order', 'is not a permutation of the subbands');
    }
  }
  if (new Set(e.streams.map((s) => s.id)).size !== e.streams.length)
    throw new FormatError('streams', 'an id stands twice');
  for (const [i, s] of e.streams.entries()) {
    if (s.analog === 1 ? s.bytes !== 0 : s.bytes === 0) {
      throw new FormatError(`streams[${i}].bytes`, s.analog ? 'must be 0 for analog symbols' : 'must not be 0');
    }
  }
  if (new Set(e.blocks).size !== e.blocks.length) throw new FormatError('blocks', 'a block stands twice');
  return e;
}
