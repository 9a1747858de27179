import { FormatError } from '../../common/errors.ts';
import type { Numerology } from '../numerology.ts';
import { checkPowerLevels } from './power-level.ts';
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
  uint('hasPower', 1, '1 if `power` follows; else every subband has level 0 dB'),
  list(
    'power',
    'subbands',
    uint('level', 5, 'level of the payload RE, (level - 16) / 2 dB'),
    'power of each subband; mean within 0.1 dB of 1',
    'hasPower',
  ),
  uint('streamCount', 8, 'streams (SFVs) in this burst', { max: 255 }),
  list(
    'streams',
    'streamCount',
    [
      uint('id', 8, 'stream id, unique in the burst', { max: 254 }),
      uint('analog', 1, '1: analog symbols; 0: coded bits'),
      uint('baseGraph', 1, 'of coded bits: 0 is base graph 1, 1 is base graph 2; 0 for analog'),
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
    [
      uint('block', 8, "block of a coded stream, numbered from 0 in the stream's first transmission"),
      uint('last', 1, '1: the last one named of its stream; the next belongs to the next coded stream'),
    ],
    'blocks repeated, coded stream by coded stream; those of a stream share its RE in turn',
  ),
  uint('mapCrc', 16, 'CRC-16 of the RB map'),
];

export interface ExtensionStream {
  readonly id: number;
  readonly analog: 0 | 1;
  /** 0: base graph 1, 1: base graph 2. */
  readonly baseGraph: 0 | 1;
  readonly score: number;
  readonly re: number;
  readonly bytes: number;
}

/** A block that is repeated; `last`: the next one named belongs to the next coded stream. */
export interface RepeatedBlock {
  readonly block: number;
  readonly last: 0 | 1;
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
  readonly hasPower: number;
  readonly power: readonly number[] | null;
  readonly streamCount: number;
  readonly streams: readonly ExtensionStream[];
  readonly blockCount: number;
  readonly blocks: readonly RepeatedBlock[];
  readonly mapCrc: number;
}

export function encodeExtension(n: Numerology, extension: Extension): Uint8Array {
  return encodeFields(EXTENSION_SCHEMA, extension as never, { subbands: n.nSubbands });
}

/** What an extension's length depends on. */
export interface ExtensionShape {
  readonly order?: boolean;
  readonly power?: boolean;
  readonly streams: number;
  readonly blocks?: number;
}

/** Bytes of an extension before it is padded to whole units. */
export function extensionBytes(n: Numerology, shape: ExtensionShape): number {
  const flags: Record<string, boolean> = { hasOrder: shape.order ?? false, hasPower: shape.power ?? false };
  const counts: Record<string, number> = {
    subbands: n.nSubbands,
    streamCount: shape.streams,
    blockCount: shape.blocks ?? 0,
  };
  let bits = 0;
  for (const field of EXTENSION_SCHEMA) {
    if (field.kind === 'uint') bits += field.bits;
    else {
      const width = 'kind' in field.of ? field.of.bits : field.of.reduce((sum, part) => sum + part.bits, 0);
      if (!field.when || flags[field.when]) bits += width * counts[field.count];
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
    if (s.analog === 1 && s.baseGraph === 1) {
      throw new FormatError(`streams[${i}].baseGraph`, 'must be 0 for analog symbols');
    }
  }
  if (e.power) checkPowerLevels(e.power);
  if (e.blocks.length > 0) blocksOfStreams(e);
  return e;
}

/**
 * The blocks that a retransmission names, one list for each stream in order; null for analog streams, which are repeated
 * whole. FormatError when a coded stream has none, or a list names a block twice or belongs to no stream.
 */
export function blocksOfStreams(e: Pick<Extension, 'streams' | 'blocks'>): (number[] | null)[] {
  const lists: number[][] = [[]];
  for (const { block, last } of e.blocks) {
    lists[lists.length - 1].push(block);
    if (last) lists.push([]);
  }
  const coded = e.streams.filter((s) => s.analog === 0).length;
  if (lists.pop()!.length > 0 || lists.length !== coded) {
    throw new FormatError('blocks', `name blocks of ${lists.length} streams; the burst has ${coded} of coded bits`);
  }
  for (const list of lists) {
    if (new Set(list).size !== list.length) throw new FormatError('blocks', 'a block stands twice');
  }
  return e.streams.map((s) => (s.analog ? null : lists.shift()!));
}

/** Blocks of a retransmission as the extension names them: one list for each coded stream. */
export function nameBlocks(lists: readonly (readonly number[])[]): RepeatedBlock[] {
  return lists.flatMap((list) => list.map((block, i) => ({ block, last: i === list.length - 1 ? 1 : 0 }) as const));
}
