import { list, permutationBits, type Schema, type UintField, uint } from './schema.ts';

/** Most bytes of side information: what 14 bits count. */
export const MAX_SIDE_INFO_BYTES = 2 ** 14 - 1;

/** Columns of the stream table, in order. */
const STREAM_COLUMNS: readonly UintField[] = [
  uint('id', 8, 'stream id, unique in the burst', { max: 254, width: 'idBits' }),
  uint('analog', 1, '1: analog symbols; 0: coded bits', { width: 'mixed', base: 'allAnalog' }),
  uint('baseGraph', 1, 'of coded bits: 0 is base graph 1, 1 is base graph 2; 0 for analog', { unless: 'allAnalog' }),
  uint('score', 8, 'importance as sent', { width: 'scoreBits', base: 'scoreFloor' }),
  uint('re', 20, 'resource elements', { min: 1, width: 'reBits' }),
  uint('bytes', 22, 'payload bytes of coded bits; 0 for analog', { width: 'bytesBits' }),
];

/**
 * What a data or retransmission burst carries. `subbands` is the numerology's number of subbands, `burst` the header's burst
 * number. The RB map is (layout, order, streams' RE counts); the receiver expands it as docs/air-interface.md says. The columns of the
 * stream table have as many bits as their largest number needs.
 */
export const EXTENSION_SCHEMA: Schema = [
  uint('codec', 3, '0 none, 1 classical, 2 modular, 3 integrated, 4 user, 5 speech, 6 mixed', { max: 6 }),
  uint('image', 8, 'number of the picture in the session, modulo 256'),
  uint('hasParts', 1, '1 if the picture has several parts'),
  uint('part', 8, 'part of the picture in this burst', { when: 'hasParts' }),
  uint('partsLess1', 8, 'parts of the picture, less 1', { when: 'hasParts' }),
  uint('hasTime', 1, '1 if `time` follows; else the picture has none'),
  uint('time', 24, 'when the picture was captured, units of 0.1 ms since 1970 (UTC), modulo 2^24', { when: 'hasTime' }),
  uint('process', 4, 'HARQ process'),
  uint('redundancyVersion', 2, 'redundancy version of every block in this burst'),
  uint('newData', 1, 'toggles when the process carries new data'),
  uint('repeats', 1, '1 in a retransmission, 0 in a data burst'),
  uint('original', 10, 'data burst that this one repeats', { when: 'repeats', otherwise: 'burst' }),
  uint('hasSide', 1, '1 if side information precedes the streams'),
  uint('sideBytes', 14, 'bytes of side information; 0 for none', { min: 1, when: 'hasSide' }),
  uint('sideRate', 2, 'code rate of side information: 1/6, 1/4, 1/3, 1/2', { when: 'hasSide' }),
  uint('interleaved', 1, '1: symbols go round over all RBs; 0: subbands are filled in `order`'),
  uint('sameModulation', 1, '1 if all subbands have one modulation'),
  uint('commonModulation', 3, 'that modulation', { max: 5, when: 'sameModulation' }),
  list(
    'modulation',
    'subbands',
    uint('code', 3, '0 unused, 1 QPSK, 2 16-QAM, 3 64-QAM, 4 256-QAM, 5 analog', { max: 5 }),
    'modulation of each subband',
    { unless: 'sameModulation' },
  ),
  uint('hasOrder', 1, '1 if `order` follows; else subbands are in ascending order'),
  list('order', 'subbands', uint('subband', 6, 'subband', { max: 49 }), 'subbands in the order of filling', {
    when: 'hasOrder',
    permutation: true,
  }),
  uint('hasPower', 1, '1 if `power` follows; else every subband has level 0 dB'),
  list(
    'power',
    'subbands',
    uint('level', 5, 'level of the payload RE, (level - 16) / 2 dB'),
    'power of each subband; mean within 0.1 dB of 1',
    { when: 'hasPower' },
  ),
  uint('hasEarlier', 1, '1 if the first stream is divided and begins in an earlier part'),
  uint('earlier', 28, 'its bytes or analog symbols before those here', { min: 1, when: 'hasEarlier' }),
  uint(
    'hasLater',
    1,
    '1 if the last stream is divided, and later parts (or, if analog, the part repeated) have more of it',
  ),
  uint('later', 28, 'its bytes or analog symbols after those here', { min: 1, when: 'hasLater' }),
  uint('streamCount', 8, 'streams (SFVs) in this burst', { max: 255 }),
  uint('allAnalog', 1, '1 if all of them are analog'),
  uint('mixed', 1, '1 if some are and some are not'),
  uint('idBits', 4, 'bits of `id`', { max: 8 }),
  uint('scoreFloor', 8, 'least `score`'),
  uint('scoreBits', 4, 'bits of `score` above that', { max: 8 }),
  uint('reBits', 5, 'bits of `re`', { max: 20 }),
  uint('bytesBits', 5, 'bits of `bytes`', { max: 22, unless: 'allAnalog' }),
  list('streams', 'streamCount', STREAM_COLUMNS, 'streams in the order of placement'),
  uint('blockCount', 8, 'blocks repeated in a retransmission', { when: 'repeats' }),
  list(
    'blocks',
    'blockCount',
    [
      uint('block', 8, "block of a coded stream, numbered from 0 in the stream's first transmission"),
      uint('last', 1, '1: the last one named of its stream; the next belongs to the next coded stream'),
    ],
    'blocks repeated, coded stream by coded stream; those of a stream share its RE in turn',
  ),
  uint('mapCrc', 16, 'CRC-16 of the RB map'),
];

/** What an extension's length depends on. */
export interface ExtensionShape {
  readonly parts?: boolean;
  readonly time?: boolean;
  readonly side?: boolean;
  /** True where subbands differ in modulation. */
  readonly modulations?: boolean;
  readonly order?: boolean;
  readonly power?: boolean;
  readonly earlier?: boolean;
  readonly later?: boolean;
  readonly repeats?: boolean;
  readonly blocks?: number;
  /** Streams with what the widths of their columns follow from; largest numbers. */
  readonly streams: number;
  readonly kind: 'analog' | 'bits' | 'mixed';
  readonly largestId: number;
  readonly scoreSpan: number;
  readonly largestRe: number;
  readonly largestBytes: number;
}

/** Bits that a number needs; 0 for 0. */
export function bitsOf(value: number): number {
  return value === 0 ? 0 : Math.floor(Math.log2(value)) + 1;
}

/** Bytes of an extension before it is padded to whole units. */
export function extensionBytes(subbands: number, shape: ExtensionShape): number {
  const flag = (set: boolean | undefined) => (set ? 1 : 0);
  const known: Record<string, number> = {
    subbands,
    streamCount: shape.streams,
    blockCount: shape.blocks ?? 0,
    hasParts: flag(shape.parts),
    hasTime: flag(shape.time),
    repeats: flag(shape.repeats),
    hasSide: flag(shape.side),
    sameModulation: flag(!shape.modulations),
    hasOrder: flag(shape.order),
    hasPower: flag(shape.power),
    hasEarlier: flag(shape.earlier),
    hasLater: flag(shape.later),
    allAnalog: flag(shape.kind === 'analog'),
    mixed: flag(shape.kind === 'mixed'),
    idBits: bitsOf(shape.largestId),
    scoreBits: bitsOf(shape.scoreSpan),
    reBits: bitsOf(shape.largestRe),
    bytesBits: bitsOf(shape.largestBytes),
  };
  const absent = ({ when, unless }: { when?: string; unless?: string }) =>
    (when !== undefined && known[when] === 0) || (unless !== undefined && known[unless] === 1);
  const width = (f: UintField) => (absent(f) ? 0 : f.width === undefined ? f.bits : known[f.width]);
  let bits = 0;
  for (const field of EXTENSION_SCHEMA) {
    if (field.kind === 'uint') bits += width(field);
    else if (absent(field)) continue;
    else if (field.permutation) bits += permutationBits(known[field.count]);
    else {
      const parts = 'kind' in field.of ? [field.of] : field.of;
      bits += known[field.count] * parts.reduce((sum, part) => sum + width(part), 0);
    }
  }
  return Math.ceil(bits / 8);
}
