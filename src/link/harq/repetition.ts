import { type Extension, type ExtensionShape, type ExtensionStream, nameBlocks } from '../../phy/frame/extension.ts';
import { sideRePerSubband } from '../../phy/frame/side-block.ts';
import { type Numerology, RB_DATA_RE } from '../../phy/numerology.ts';
import { rbMapCrc16 } from '../../sct/allocation/rb-map.ts';
import { type BurstPayload, burstPayload, type StreamContent } from '../burst-payload.ts';
import type { PayloadRoom } from '../payload-room.ts';
import { mapOfExtension } from '../resource-map.ts';
import { itemsOf, type SentPart } from '../sent-part.ts';
import type { HarqRule } from './asking.ts';
import { redundancyVersion } from './processes.ts';

/** What a retransmission burst carries. */
export interface Repetition {
  readonly extension: Extension;
  readonly payload: (room?: PayloadRoom) => BurstPayload;
}

/** What of a part is to go again, and how many RE it had at first. */
interface Wanted {
  readonly side: number; // RE of each subband
  readonly coded: readonly { readonly stream: number; readonly blocks: readonly number[]; readonly re: number }[];
  /** Analog streams in the order in which they are repeated: those asked for, then others, which fill what the rest leaves. */
  readonly analog: readonly number[];
  /** How many of them are asked for; all where nobody answered. */
  readonly asked: number;
}

/**
 * What of a part is to go again: the items that are missing of the streams asked for, ascending. Side information is repeated whether or
 * not it is asked for: without it nothing can be shown.
 */
export function wantedItems({ part, process }: SentPart): number[] {
  const all = itemsOf(part);
  const wanted = (i: number) => {
    const item = all[i];
    return item.kind === 'side' || !process.asked || process.asked.has(part.streams[item.stream].id);
  };
  return [...process.pending].filter(wanted).sort((a, b) => a - b);
}

/**
 * Of the wanted items those that a repetition of so many slots carries. By importance: whole streams, most important first, that still get at
 * least half of the RE that they had (the first always). Uniform: all, which share the room.
 */
export function itemsThatFit(
  n: Numerology,
  sent: SentPart,
  items: readonly number[],
  slots: number,
  by: HarqRule,
): readonly number[] {
  if (by === 'uniform') return items;
  const { side, coded } = wantedOf(n, sent, items);
  let room = (slots * RB_DATA_RE - side) * n.nSubbands;
  const kept = new Set<number>();
  for (const { stream, re } of coded) {
    if (kept.size > 0 && room < re / 2) continue;
    kept.add(stream);
    room -= re;
  }
  const all = itemsOf(sent.part);
  return items.filter((i) => {
    const item = all[i];
    return item.kind === 'side' || kept.has(item.stream);
  });
}

/** @param items not acknowledged, numbers in itemsOf(part), ascending */
function wantedOf(n: Numerology, { part, extension, process }: SentPart, items: readonly number[]): Wanted {
  const all = itemsOf(part);
  const blocks = new Map<number, number[]>();
  let side = 0;
  for (const i of items) {
    const item = all[i];
    if (item.kind === 'side') side = sideRePerSubband(n, part.sideInfo.length, extension.sideRate);
    else blocks.set(item.stream, [...(blocks.get(item.stream) ?? []), item.block]);
  }
  const coded = [...blocks].map(([stream, list]) => {
    const content = part.contents[stream] as Extract<StreamContent, { kind: 'bits' }>;
    const re = Math.ceil((part.streams[stream].re * list.length) / content.layout.blocks);
    return { stream, blocks: list, re };
  });
  // Where coded streams go first, `earlier` could not be said of an analog one.
  const whole = (stream: number) => coded.length === 0 || stream > 0 || extension.earlier === 0;
  const analog = part.streams.flatMap((s, i) => (s.analog && whole(i) ? [i] : []));
  const askedFor = (i: number) => process.asked?.has(part.streams[i].id) ?? process.understood === 0;
  const [asked, others] = [analog.filter(askedFor), analog.filter((i) => !askedFor(i))];
  return { side, coded, analog: [...asked, ...others], asked: asked.length };
}

/** RE that a repetition wants: as many as what is asked for had at first; all of it where nobody answered. */
export function repetitionRe(n: Numerology, sent: SentPart, items: readonly number[]): number {
  const { side, coded, analog, asked } = wantedOf(n, sent, items);
  const missing = side * n.nSubbands + coded.reduce((sum, c) => sum + c.re, 0);
  return missing + analog.slice(0, asked).reduce((sum, i) => sum + sent.part.streams[i].re, 0);
}

/** Least slots that a repetition needs to say anything. */
export function leastRepetitionSlots(n: Numerology, sent: SentPart, items: readonly number[]): number {
  const { side, coded } = wantedOf(n, sent, items);
  return side === 0 ? 1 : Math.ceil((side * n.nSubbands + coded.length) / (n.nSubbands * RB_DATA_RE));
}

/** What the length of a repetition's extension depends on, at most. */
export function repetitionShape({ part, extension }: SentPart, items: readonly number[]): Partial<ExtensionShape> {
  return {
    repeats: true,
    parts: extension.partsLess1 > 0,
    time: extension.time !== null,
    earlier: extension.earlier > 0,
    later: extension.later > 0 || part.streams.some((s) => s.analog === 1),
    side: part.sideInfo.length > 0,
    power: extension.power !== null,
    blocks: itemsOf(part).filter((item, i) => item.kind === 'block' && items.includes(i)).length,
    streams: part.streams.length,
  };
}

/**
 * The next transmission of what is missing of a part, interleaved over the whole band: with the age of the report the subbands'
 * order means less, and every block meets all of them. Its redundancy version is the next one after those that the
 * receiver understood: where nobody answered it may have none, and version 2 or 1 alone lacks the information bits. RE that are left
 * over in whole slots repeat analog streams, the most important first. Uniform: analog streams that are asked for share the room alike.
 */
export function repetitionOf(
  n: Numerology,
  sent: SentPart,
  items: readonly number[],
  slots: number,
  by: HarqRule = 'importance',
): Repetition {
  const { extension, part, process } = sent;
  const { side, coded, analog, asked: wishes } = wantedOf(n, sent, items);
  const room = (slots * RB_DATA_RE - side) * n.nSubbands;
  const streams: ExtensionStream[] = [];
  const contents: StreamContent[] = [];
  const add = (stream: number, re: number, content: StreamContent) => {
    streams.push({ ...part.streams[stream], re });
    contents.push(content);
  };
  const wanted = coded.reduce((sum, c) => sum + c.re, 0);
  const forCoded = analog.length > 0 ? Math.min(room, wanted) : room;
  let [taken, asked] = [0, 0];
  for (const [k, { stream, blocks, re }] of coded.entries()) {
    asked += re;
    const share = Math.round((forCoded * asked) / wanted);
    const end = Math.min(Math.max(taken + 1, share), forCoded - (coded.length - 1 - k));
    add(stream, end - taken, { ...part.contents[stream], blocks } as StreamContent);
    taken = end;
  }
  const lastStream = part.streams.length - 1;
  let later = coded.at(-1)?.stream === lastStream ? extension.later : 0;
  const wish = analog.slice(0, wishes).reduce((sum, i) => sum + part.streams[i].re, 0);
  // Only a receiver that knows the streams' lengths can take a piece of each.
  const alike = by === 'uniform' && process.asked !== null ? Math.min(1, (room - taken) / wish) : 1;
  for (const [k, stream] of analog.entries()) {
    const { re } = part.streams[stream];
    const piece = k < wishes ? Math.max(1, Math.floor(alike * re)) : re;
    const left = Math.min(piece, room - taken);
    if (left < 1) break;
    add(stream, left, part.contents[stream]);
    later = re - left + (stream === lastStream ? extension.later : 0);
    taken += left;
  }
  const named = nameBlocks(coded.map((c) => c.blocks));
  const loose: Extension = {
    ...extension,
    redundancyVersion: redundancyVersion(process.understood),
    repeats: 1,
    sideBytes: side > 0 ? part.sideInfo.length : 0,
    sideRate: side > 0 ? extension.sideRate : 0,
    interleaved: 1,
    order: null,
    earlier: (coded[0]?.stream ?? analog[0]) === 0 ? extension.earlier : 0,
    later,
    streams,
    blocks: named,
  };
  const e = { ...loose, mapCrc: rbMapCrc16(mapOfExtension(n, loose)) };
  return {
    extension: e,
    payload: (room) => burstPayload(n, slots, e, side > 0 ? part.sideInfo : new Uint8Array(0), contents, room),
  };
}
