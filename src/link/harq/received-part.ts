import { FormatError } from '../../common/errors.ts';
import type { RedundancyVersion } from '../../phy/fec/rate-matching.ts';
import type { Extension, ExtensionStream } from '../../phy/frame/extension.ts';
import { scoreWeight } from '../../sct/importance/scores.ts';
import { TransportDecoder, TransportLayout } from '../transport.ts';
import { AnalogCombiner } from './analog-combiner.ts';
import type { StreamStanding } from './asking.ts';
import { CombinerStore } from './combiner-store.ts';
import { type SidePiece, SideState } from './side-state.ts';

/** What one burst brought of one stream. */
export interface StreamPiece {
  readonly entry: ExtensionStream;
  /** Bits of each RE of a coded stream, [re]; nothing for an analog one. */
  readonly qm: Uint8Array;
  /** As the MMSE equaliser gives them, [re][re, im], and their SNR, linear, [re]. */
  readonly symbols: Float32Array;
  readonly snr: Float32Array;
  /** Blocks that take turns over the RE; null: all blocks of a coded stream, or an analog one. */
  readonly blocks: readonly number[] | null;
  /** Bytes or symbols of the stream before and after these, that other parts carry; default 0. */
  readonly earlier?: number;
  readonly later?: number;
}

/** One stream as far as it has come. */
export type StreamState =
  | (StreamPlace & { readonly kind: 'bits'; readonly bytes: number; readonly decoder: TransportDecoder })
  | (StreamPlace & { readonly kind: 'analog'; readonly re: number; readonly combiner: AnalogCombiner });

interface StreamPlace {
  /** Importance as sent. */
  readonly score: number;
  /** Bytes or symbols of the stream in the parts before and after this one. */
  readonly earlier: number;
  readonly later: number;
}

const FIELDS_OF_ONE = ['codec', 'image', 'part', 'partsLess1', 'time', 'process', 'newData', 'original'] as const;

/** What one HARQ process carries: the part of a picture that a data burst brings, and repetitions of it. */
export class ReceivedPart {
  /** Of the first burst heard of it. */
  readonly extension: Extension;
  readonly streams = new Map<number, StreamState>();
  /** Side information as far as it has come; null where no burst of this part carried any. */
  side: SideState | null = null;
  /** What each analog stream was granted, dB; empty until the data burst is understood. */
  granted: ReadonlyMap<number, number> = new Map();
  /** Bursts that the session had sent when it was last heard of (HarqReceiver counts them). */
  heardAt = 0;

  private readonly store: CombinerStore;

  constructor(extension: Extension, store = new CombinerStore()) {
    this.extension = extension;
    this.store = store;
  }

  /** Number of the data burst. */
  get burst(): number {
    return this.extension.original;
  }

  /** Whether a burst repeats this part or is of another that came to use the same names. */
  isOf(e: Extension): boolean {
    return FIELDS_OF_ONE.every((field) => e[field] === this.extension[field]);
  }

  /** First coded stream; null where there is none. */
  get decoder(): TransportDecoder | null {
    for (const stream of this.streams.values()) if (stream.kind === 'bits') return stream.decoder;
    return null;
  }

  /** Whether a data burst under the same names carries something else: its sender began anew with the same numbers. */
  contradicts(pieces: readonly StreamPiece[], side: SidePiece | null): boolean {
    if (side && this.side && !this.side.agrees(side)) return true;
    return pieces.some(({ entry }) => {
      const known = this.streams.get(entry.id);
      return known !== undefined && !agrees(known, entry);
    });
  }

  /** Side information and every block of every coded stream have come, and something of every analog one. */
  get complete(): boolean {
    if (this.side && !this.side.ok) return false;
    for (const s of this.streams.values()) {
      if (s.kind === 'bits' ? s.decoder.states.some((b) => !b.ok) : s.combiner.receptions === 0) return false;
    }
    return this.streams.size > 0 || this.side !== null;
  }

  /** Every known stream as it stands, in the order in which they came first: most important first. */
  standing(): StreamStanding[] {
    return [...this.streams].map(([id, s]) => {
      const weight = scoreWeight(s.score);
      if (s.kind === 'bits') return { id, weight, missing: s.decoder.states.some((b) => !b.ok) };
      return { id, weight, snrDb: s.combiner.effectiveSnrDb(), grantedDb: this.granted.get(id) };
    });
  }

  /** Bytes held so that a repetition adds to what has come; analog symbols that came are no such bytes. */
  get softBytes(): number {
    let bytes = this.side?.softBytes ?? 0;
    for (const s of this.streams.values()) if (s.kind === 'bits') bytes += s.decoder.softBytes;
    return bytes;
  }

  releaseSoft(): void {
    this.side?.releaseSoft();
    for (const s of this.streams.values()) if (s.kind === 'bits') s.decoder.releaseSoft();
  }

  /**
   * States for the streams of a burst that are not known yet, and a check of those that are. Nothing is changed, so a
   * burst that contradicts what came before is refused whole: FormatError `streams` or `blocks`.
   */
  prepare(pieces: readonly StreamPiece[], side: SidePiece | null = null): Map<number, StreamState> {
    if (side && this.side && !this.side.agrees(side)) {
      throw new FormatError('sideBytes', 'differ from those of the burst repeated');
    }
    const fresh = new Map<number, StreamState>();
    const room = this.roomFor(pieces);
    for (const piece of pieces) {
      const { entry, blocks } = piece;
      const known = this.streams.get(entry.id);
      const state = known ?? newStream(piece, room);
      if (!known) fresh.set(entry.id, state);
      if (!agrees(state, entry)) {
        throw new FormatError('streams', `differ from those of the burst repeated: stream ${entry.id}`);
      }
      if (state.kind === 'bits' && blocks?.some((b) => b >= state.decoder.layout.blocks)) {
        throw new FormatError('blocks', `name blocks outside 0 to ${state.decoder.layout.blocks - 1}`);
      }
    }
    return fresh;
  }

  /** Memory for the combiners of the analog streams among these that are not known yet, taken from its beginning. */
  private roomFor(pieces: readonly StreamPiece[]): (symbols: number) => Float32Array {
    const isNew = ({ entry }: StreamPiece) => entry.analog === 1 && !this.streams.has(entry.id);
    const length = pieces.reduce((sum, piece) => sum + (isNew(piece) ? 3 * piece.entry.re : 0), 0);
    if (length === 0) return () => new Float32Array(0);
    const memory = this.store.take(length);
    let used = 0;
    return (symbols) => memory.subarray(used, (used += 3 * symbols));
  }

  /** Gives the memory of its analog symbols to the parts that come: nobody reads what came, and nothing is added to it any more. */
  recycle(): void {
    const buffers = new Set<ArrayBufferLike>();
    for (const [id, s] of this.streams) {
      if (s.kind !== 'analog') continue;
      buffers.add(s.combiner.buffer);
      this.streams.delete(id);
    }
    for (const buffer of buffers) this.store.giveBack(new Float32Array(buffer));
  }

  /** Takes what a burst brought; `fresh` from `prepare`. */
  add(
    pieces: readonly StreamPiece[],
    fresh: Map<number, StreamState>,
    rv: RedundancyVersion,
    side: SidePiece | null = null,
  ): void {
    if (side) {
      this.side ??= new SideState(side);
      this.side.add(side);
    }
    for (const [id, state] of fresh) this.streams.set(id, state);
    for (const { entry, qm, symbols, snr, blocks } of pieces) {
      const state = this.streams.get(entry.id)!;
      if (state.kind === 'analog') state.combiner.add(symbols, snr);
      else state.decoder.add(blocks ?? [...state.decoder.states.keys()], qm, symbols, snr, rv);
    }
  }
}

function newStream(
  { entry, qm, blocks, earlier = 0, later = 0 }: StreamPiece,
  room: (symbols: number) => Float32Array,
): StreamState {
  const place = { score: entry.score, earlier, later };
  if (entry.analog)
    return { ...place, kind: 'analog', re: entry.re, combiner: new AnalogCombiner(entry.re, room(entry.re)) };
  const graph = entry.baseGraph ? 2 : 1;
  // A retransmission's RE say nothing of how the blocks were first sent: bytes and base graph say what blocks they are.
  const layout = blocks ? TransportLayout.ofBlocks(entry.bytes, graph) : TransportLayout.ofData(entry.bytes, qm, graph);
  return { ...place, kind: 'bits', bytes: entry.bytes, decoder: new TransportDecoder(layout) };
}

function agrees(state: StreamState, entry: ExtensionStream): boolean {
  if (state.kind === 'analog') return entry.analog === 1 && entry.re <= state.re;
  const { baseGraphBit } = state.decoder.layout;
  return entry.analog === 0 && entry.bytes === state.bytes && entry.baseGraph === baseGraphBit;
}
