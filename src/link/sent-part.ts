import { UsageError } from '../common/errors.ts';
import { splitIntoBlocks } from '../phy/fec/transport-plan.ts';
import type { Extension, ExtensionStream } from '../phy/frame/extension.ts';
import { sideRePerSubband } from '../phy/frame/side-block.ts';
import type { Numerology } from '../phy/numerology.ts';
import { placeSymbols, type RbMap } from '../sct/allocation/rb-map.ts';
import { meanPower } from '../sct/codec/analog-stream.ts';
import type { EncodedSource, EncodedStream } from '../sct/codec/codec.ts';
import type { StreamContent } from './burst-payload.ts';
import type { SendProcess } from './harq/sender-entity.ts';
import type { PicturePlan } from './plan/picture-plan.ts';
import { bitsAt, burstShape, codedBitsOf, positionsOf } from './resource-map.ts';
import { TransportLayout } from './transport.ts';

/** How far a stream's mean power may be from 1, dB (air-interface.md §8), and what rounding adds. */
const POWER_TOLERANCE_DB = 0.1 + 1e-3;

/** One part of a picture before it has a burst. */
export interface EncodedPart {
  readonly slots: number;
  /** Empty where this part has none. */
  readonly sideInfo: Uint8Array;
  readonly streams: readonly ExtensionStream[];
  readonly contents: readonly StreamContent[]; // [stream]
  readonly map: RbMap;
  readonly earlier: number;
  readonly later: number;
  /** K' of all its code blocks, and the coded bits of their RE. */
  readonly infoBits: number;
  readonly codedBits: number;
}

/** A part of a picture as it was sent, kept until what is in it is acknowledged. */
export interface SentPart {
  readonly process: SendProcess;
  readonly extension: Extension;
  readonly part: EncodedPart;
}

/** What is acknowledged: the side information, or a block of a stream. */
export type PartItem =
  | { readonly kind: 'side' }
  | { readonly kind: 'block'; readonly stream: number; readonly block: number };

/** Everything of a part that is acknowledged, in the order in which its data burst carries it. */
export function itemsOf({ sideInfo, contents }: EncodedPart): PartItem[] {
  const side: PartItem[] = sideInfo.length > 0 ? [{ kind: 'side' }] : [];
  const blocks = contents.flatMap((c, stream) =>
    c.kind === 'bits' ? c.blocks.map((block): PartItem => ({ kind: 'block', stream, block })) : [],
  );
  return [...side, ...blocks];
}

/**
 * A coded picture cut into its parts. Streams that the codec left out leave their RE to those behind them; a stream over several bursts
 * is cut by what each of them holds.
 *
 * @throws UsageError where the codec broke its contract: more than granted, other streams, wrong power
 */
export function partsOf(n: Numerology, plan: PicturePlan, encoded: EncodedSource, name: string): EncodedPart[] {
  const streams = checkedStreams(plan, encoded, name);
  const shares = new Map([...streams].map(([id, s]) => [id, sharesOf(plan, s)] as const));
  const next = new Map<number, number>();
  return plan.bursts.map(({ slots, side, map, parts }, b): EncodedPart => {
    const sideInfo = b === 0 ? encoded.sideInfo : new Uint8Array(0);
    const reserved = sideRePerSubband(n, sideInfo.length, plan.sideRate);
    if (reserved > side)
      throw broken(name, `gave ${sideInfo.length} bytes of side information, more than it announced`);
    const sent = parts.filter((p) => streams.has(p.id));
    const kept: RbMap = {
      ...map,
      sfvOrder: Uint8Array.from(sent, (p) => p.id),
      reCounts: Uint32Array.from(sent, (p) => p.re),
    };
    // Where no bits are sent, places do not matter.
    const coded = sent.some((p) => p.kind === 'bits');
    const placement = coded ? placeSymbols(kept, burstShape(n, slots, reserved)) : null;
    const positions = placement && positionsOf(placement);
    let [earlier, later, infoBits, codedBits] = [0, 0, 0, 0];
    const contents: StreamContent[] = [];
    const entries = sent.map(({ id, kind, score, re }, i): ExtensionStream => {
      const stream = streams.get(id)!;
      const cuts = shares.get(id)!;
      const k = next.get(id) ?? 0;
      next.set(id, k + 1);
      const [from, to] = [cuts[k], cuts[k + 1]];
      if (i === 0) earlier = from;
      if (i === sent.length - 1) later = cuts.at(-1)! - to;
      if (stream.kind === 'analog') {
        contents.push({ kind, symbolsReIm: stream.symbolsReIm.subarray(2 * from, 2 * to) } as StreamContent);
        return { id, analog: 1, baseGraph: 0, score, re, bytes: 0 };
      }
      const bytes = atLeast(cuts.at(-1)!, stream.payload).subarray(from, to);
      const qm = bitsAt(n, plan.modulation, positions!.subarray(placement!.start[i], placement!.start[i + 1]));
      const layout = TransportLayout.ofData(bytes.length, qm);
      const payloads = splitIntoBlocks(layout.plan, bytes);
      contents.push({ kind: 'bits', layout, payloads, blocks: [...payloads.keys()] });
      infoBits += layout.blocks * layout.codec.infoBits;
      codedBits += codedBitsOf(qm);
      return { id, analog: 0, baseGraph: layout.baseGraphBit, score, re, bytes: bytes.length };
    });
    return { slots, sideInfo, streams: entries, contents, map: kept, earlier, later, infoBits, codedBits };
  });
}

/** Where a stream is cut: part k has the symbols or bytes from [k] to [k + 1]. Every part of a coded one has at least a byte. */
function sharesOf(plan: PicturePlan, stream: EncodedStream): number[] {
  const sizes = plan.bursts.flatMap((b) => b.parts.filter((p) => p.id === stream.id).map((p) => p.size));
  const total = sizes.reduce((a, b) => a + b, 0);
  const length = stream.kind === 'analog' ? total : Math.max(sizes.length, stream.payload.length);
  const cuts = [0];
  let filled = 0;
  sizes.forEach((size, k) => {
    filled += size;
    const share = Math.round((length * filled) / total);
    cuts.push(Math.min(Math.max(cuts[k] + 1, share), length - (sizes.length - 1 - k)));
  });
  return cuts;
}

function checkedStreams(plan: PicturePlan, encoded: EncodedSource, name: string): Map<number, EncodedStream> {
  const grants = new Map(plan.grants.map((g) => [g.id, g.size]));
  const kinds = new Map(plan.bursts.flatMap((b) => b.parts.map((p) => [p.id, p.kind] as const)));
  const out = new Map<number, EncodedStream>();
  for (const stream of encoded.streams) {
    const { id, kind } = stream;
    const size = grants.get(id);
    if (size === undefined) throw broken(name, `coded stream ${id}, which was granted nothing`);
    if (out.has(id)) throw broken(name, `coded stream ${id} twice`);
    if (kind !== kinds.get(id)) throw broken(name, `coded stream ${id} as ${kind}, not as announced`);
    if (kind === 'analog') checkAnalog(name, id, stream.symbolsReIm, size);
    else if (stream.payload.length > size) {
      throw broken(name, `coded ${stream.payload.length} bytes for stream ${id}, granted ${size}`);
    }
    if (kind === 'analog' || stream.payload.length > 0) out.set(id, stream);
  }
  return out;
}

function checkAnalog(name: string, id: number, symbols: Float32Array, size: number): void {
  if (symbols.length !== 2 * size) {
    throw broken(name, `coded ${symbols.length / 2} symbols for stream ${id}, granted exactly ${size}`);
  }
  const powerDb = 10 * Math.log10(meanPower(symbols));
  if (!(Math.abs(powerDb) <= POWER_TOLERANCE_DB)) {
    throw broken(name, `gave stream ${id} a mean power of ${powerDb.toFixed(2)} dB: allowed 0 within 0.1 dB`);
  }
}

function broken(name: string, what: string): UsageError {
  return new UsageError(`codec ${name} ${what}`);
}

/** A file with zero bytes behind it where it is shorter than `length`: every part carries something. */
function atLeast(length: number, file: Uint8Array): Uint8Array {
  if (file.length >= length) return file;
  const out = new Uint8Array(length);
  out.set(file);
  return out;
}
