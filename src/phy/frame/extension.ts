import { FormatError } from '../../common/errors.ts';
import type { Numerology } from '../numerology.ts';
import { bitsOf, EXTENSION_SCHEMA } from './extension-schema.ts';
import { checkPowerLevels } from './power-level.ts';
import { decodeFields, encodeFields } from './schema.ts';

export { EXTENSION_SCHEMA, type ExtensionShape, extensionBytes, MAX_SIDE_INFO_BYTES } from './extension-schema.ts';

/** Codecs that a burst can name. */
export const CODEC_IDS = ['none', 'classical', 'modular', 'integrated', 'user', 'speech', 'mixed'] as const;
export type CodecId = (typeof CODEC_IDS)[number];

/** Bits per RE of a subband's modulation code: 0 unused, QPSK, 16-QAM, 64-QAM, 256-QAM; code 5 is analog symbols. */
export const MODULATION_BITS = [0, 2, 4, 6, 8] as const;
export const ANALOG_CODE = 5;

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
  /** When the picture was captured (captureTimeCode); null where that is not said. */
  readonly time: number | null;
  readonly process: number;
  readonly redundancyVersion: number;
  readonly newData: number;
  readonly repeats: 0 | 1;
  /** Number of the data burst: its own, or the one it repeats. */
  readonly original: number;
  /** Bytes of side information in this burst; 0 for none, then `sideRate` is 0. */
  readonly sideBytes: number;
  /** Index in SIDE_RATES. */
  readonly sideRate: number;
  readonly interleaved: number;
  readonly modulation: readonly number[];
  /** null: ascending. */
  readonly order: readonly number[] | null;
  /** null: 0 dB everywhere. */
  readonly power: readonly number[] | null;
  /** Bytes or analog symbols of the first stream before this part, and of the last one after it; 0 where it is whole. */
  readonly earlier: number;
  readonly later: number;
  readonly streams: readonly ExtensionStream[];
  readonly blocks: readonly RepeatedBlock[];
  readonly mapCrc: number;
}

/** The extension's bytes, without padding to units. FormatError naming a field that is out of range. */
export function encodeExtension(n: Numerology, e: Extension): Uint8Array {
  const { streams, modulation } = e;
  if (e.repeats === 0 && e.blocks.length > 0) throw new FormatError('blocks', 'are named in a data burst');
  const flag = (set: boolean) => (set ? 1 : 0);
  const most = (values: number[]) => values.reduce((a, b) => Math.max(a, b), 0);
  const analog = streams.filter((s) => s.analog === 1).length;
  const scoreFloor = streams.length === 0 ? 0 : Math.min(255, ...streams.map((s) => s.score));
  checkStreams(streams);
  const sameModulation = modulation.length === n.nSubbands && modulation.every((m) => m === modulation[0]);
  const fields = {
    ...e,
    hasParts: flag(e.part !== 0 || e.partsLess1 !== 0),
    hasTime: flag(e.time !== null),
    hasSide: flag(e.sideBytes !== 0),
    sameModulation: flag(sameModulation),
    commonModulation: modulation[0],
    hasOrder: flag(e.order !== null),
    hasPower: flag(e.power !== null),
    hasEarlier: flag(e.earlier !== 0),
    hasLater: flag(e.later !== 0),
    streamCount: streams.length,
    allAnalog: flag(analog > 0 && analog === streams.length),
    mixed: flag(analog > 0 && analog < streams.length),
    idBits: Math.min(8, bitsOf(most(streams.map((s) => s.id)))),
    scoreFloor,
    scoreBits: Math.min(8, bitsOf(most(streams.map((s) => s.score - scoreFloor)))),
    reBits: Math.min(20, bitsOf(most(streams.map((s) => s.re)))),
    bytesBits: Math.min(22, bitsOf(most(streams.map((s) => s.bytes)))),
    blockCount: e.blocks.length,
  };
  return encodeFields(EXTENSION_SCHEMA, fields as never, { subbands: n.nSubbands });
}

/**
 * Parses untrusted bytes; checks every field and what fields say of each other. FormatError names the field.
 *
 * @param burst the header's burst number
 */
export function decodeExtension(n: Numerology, bytes: Uint8Array, burst: number): Extension {
  const f = decodeFields(EXTENSION_SCHEMA, bytes, { subbands: n.nSubbands, burst }) as unknown as Decoded;
  const modulation = f.modulation ?? new Array<number>(n.nSubbands).fill(f.commonModulation);
  const e: Extension = { ...pick(f), modulation, blocks: f.blocks ?? [] };
  if (e.part > e.partsLess1) throw new FormatError('part', `${e.part} of ${e.partsLess1 + 1} parts`);
  if (f.allAnalog && f.mixed) throw new FormatError('mixed', 'must be 0 where all streams are analog');
  checkStreams(e.streams);
  const last = e.streams.at(-1);
  if (e.earlier > 0 && !(last && e.part > 0))
    throw new FormatError('earlier', 'is of a stream, and not in the first part');
  if (e.later > 0 && !(last && (e.part < e.partsLess1 || (e.repeats && last.analog)))) {
    throw new FormatError('later', 'is of a stream, and not in the last part');
  }
  if (e.power) checkPowerLevels(e.power);
  if (e.blocks.length > 0) blocksOfStreams(e);
  return e;
}

function checkStreams(streams: readonly ExtensionStream[]): void {
  if (new Set(streams.map((s) => s.id)).size !== streams.length) throw new FormatError('streams', 'an id stands twice');
  for (const [i, s] of streams.entries()) {
    if (s.analog === 1 ? s.bytes !== 0 : s.bytes === 0) {
      throw new FormatError(`streams[${i}].bytes`, s.analog ? 'must be 0 for analog symbols' : 'must not be 0');
    }
    if (s.analog === 1 && s.baseGraph === 1) {
      throw new FormatError(`streams[${i}].baseGraph`, 'must be 0 for analog symbols');
    }
  }
}

/** An extension as its fields stand on the air. */
interface Decoded extends Omit<Extension, 'modulation' | 'blocks'> {
  readonly hasTime: number;
  readonly modulation: number[] | null;
  readonly commonModulation: number;
  readonly allAnalog: number;
  readonly mixed: number;
  readonly blocks: RepeatedBlock[] | null;
}

/** Without flags and widths, which follow from the rest. */
function pick(f: Decoded): Omit<Extension, 'modulation' | 'blocks'> {
  return {
    codec: f.codec,
    image: f.image,
    part: f.part,
    partsLess1: f.partsLess1,
    time: f.hasTime ? f.time : null,
    process: f.process,
    redundancyVersion: f.redundancyVersion,
    newData: f.newData,
    repeats: f.repeats,
    original: f.original,
    sideBytes: f.sideBytes,
    sideRate: f.sideRate,
    interleaved: f.interleaved,
    order: f.order,
    power: f.power,
    earlier: f.earlier,
    later: f.later,
    streams: f.streams,
    mapCrc: f.mapCrc,
  };
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
