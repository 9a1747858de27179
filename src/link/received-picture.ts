import { FormatError } from '../common/errors.ts';
import type { CodecId, Extension } from '../phy/frame/extension.ts';
import type { ReceivedSource, ReceivedStream } from '../sct/codec/codec.ts';
import { MAX_STREAM_SYMBOLS } from '../sct/codec/symbol-order.ts';
import { FloatStack } from './float-stack.ts';
import type { ReceivedPart, StreamState } from './harq/received-part.ts';

/** Pictures kept at once; an older one is given up when a new one begins. */
const MAX_IMAGES = 4;
/** Combined analog symbols kept over all pictures: 22 million. */
export const MAX_ANALOG_BYTES = 1 << 28;

type CodedState = Extract<StreamState, { kind: 'bits' }>;
type AnalogState = Extract<StreamState, { kind: 'analog' }>;

/** One picture as far as it has come. */
export interface ReceivedPicture {
  readonly session: number;
  readonly image: number;
  readonly codec: CodecId;
  /** First 32 bits of the model set's hash, of the first burst heard of it; 0 where none is needed. */
  readonly modelSet: number;
  readonly parts: (ReceivedPart | null)[];
}

/** Gives the memory of a picture's analog symbols to those that come; nobody decodes it, and nothing is added to it, any more. */
export function recycle(picture: ReceivedPicture): void {
  for (const part of picture.parts) part?.recycle();
}

/** Whether every block of every part has arrived. */
export function isComplete(picture: ReceivedPicture): boolean {
  return picture.parts.every((part) => part?.complete === true);
}

/** The pictures of a session of which something has come. */
export class PictureStore {
  private readonly pictures = new Map<number, ReceivedPicture>();
  private readonly retire: (picture: ReceivedPicture) => void;

  /** @param retire told of every picture that is given up, before it is forgotten */
  constructor(retire: (picture: ReceivedPicture) => void = () => undefined) {
    this.retire = retire;
  }

  /** Oldest first. */
  get all(): ReceivedPicture[] {
    return [...this.pictures.values()];
  }

  clear(): void {
    for (const picture of this.all) this.forget(picture);
  }

  /** What is held of the part that an extension names. */
  partOf(e: Extension, codec: CodecId): ReceivedPart | null {
    const picture = this.pictures.get(e.image);
    return picture && fits(picture, e, codec) ? picture.parts[e.part] : null;
  }

  /** Puts a part into its picture, which begins with it where there is none yet. */
  put(e: Extension, codec: CodecId, from: { session: number; modelSet: number }, part: ReceivedPart): ReceivedPicture {
    let picture = this.pictures.get(e.image);
    if (!picture || !fits(picture, e, codec)) {
      if (picture) this.forget(picture);
      if (this.pictures.size >= MAX_IMAGES) this.forget(this.all[0]);
      const { session, modelSet } = from;
      picture = { session, image: e.image, codec, modelSet, parts: new Array(e.partsLess1 + 1).fill(null) };
      this.pictures.set(e.image, picture);
    }
    picture.parts[e.part] = part;
    return picture;
  }

  /** Makes room for so many analog symbols (or bytes announced) of a picture by giving up older ones; FormatError where that is not enough. */
  makeRoom(symbols: number, image: number): void {
    const bytes = 12 * symbols;
    while (this.analogBytes + bytes > MAX_ANALOG_BYTES) {
      const oldest = this.all.find((p) => p.image !== image);
      if (!oldest)
        throw new FormatError('streams', `are more than the ${MAX_ANALOG_BYTES >> 20} MiB kept of analog symbols`);
      this.forget(oldest);
    }
  }

  private forget(picture: ReceivedPicture): void {
    this.retire(picture);
    this.pictures.delete(picture.image);
  }

  private get analogBytes(): number {
    let bytes = 0;
    for (const { parts } of this.pictures.values()) {
      for (const part of parts) {
        for (const s of part?.streams.values() ?? [])
          bytes += 12 * (s.earlier + s.later) + (s.kind === 'analog' ? s.combiner.byteLength : 0);
      }
    }
    return bytes;
  }
}

function fits(picture: ReceivedPicture, e: Extension, codec: CodecId): boolean {
  return picture.parts.length === e.partsLess1 + 1 && picture.codec === codec;
}

/**
 * Everything that came of a picture, stream by stream: the parts' shares in order.
 *
 * @param room where given, analog symbols and their SNRs stand there
 */
export function sourceOf(picture: ReceivedPicture, room: FloatStack = new FloatStack()): ReceivedSource {
  const ids = new Set<number>();
  for (const part of picture.parts) for (const id of part?.streams.keys() ?? []) ids.add(id);
  const streams = [...ids].sort((a, b) => a - b).flatMap((id) => streamOf(picture, id, room) ?? []);
  return { sideInfo: sideInfoOf(picture), streams };
}

/** Empty where all parts came and none carried any; undefined where it, or the part that may have had it, did not arrive. */
function sideInfoOf({ parts }: ReceivedPicture): Uint8Array | undefined {
  const carried = parts.find((part) => part?.side);
  if (carried) return carried.side!.payload ?? undefined;
  return parts.every((part) => part !== null) ? new Uint8Array(0) : undefined;
}

function streamOf(picture: ReceivedPicture, id: number, room: FloatStack): ReceivedStream | null {
  const states = picture.parts.map((part) => part?.streams.get(id) ?? null).filter((s) => s !== null);
  const coded = states.filter((s) => s.kind === 'bits');
  if (coded.length === 0)
    return analogStream(
      states.filter((s) => s.kind === 'analog'),
      id,
      room,
    );
  return coded.length === states.length ? codedStream(coded, id) : null;
}

/**
 * All bytes of a stream in order, each part's in their place (`earlier`, `later`); those of parts that never came are missing. null where
 * the parts contradict each other.
 */
function codedStream(states: readonly CodedState[], id: number): ReceivedStream | null {
  const length = states[0].earlier + states[0].bytes + states[0].later;
  const payload = new Uint8Array(length);
  const missing: { from: number; to: number }[] = [];
  let at = 0;
  for (const { earlier, bytes, later, decoder } of states) {
    if (earlier < at || earlier + bytes + later !== length) return null;
    if (earlier > at) missing.push({ from: at, to: earlier });
    const { file, missing: gaps } = decoder.file();
    payload.set(file, earlier);
    for (const gap of gaps) missing.push({ from: earlier + gap.from, to: earlier + gap.to });
    at = earlier + bytes;
  }
  if (at < length) missing.push({ from: at, to: length });
  return { id, kind: 'bits', payload, missing, score: states[0].score };
}

/** Likewise for symbols: those that never came have no SNR. null too for more symbols than a stream can have. */
function analogStream(states: readonly AnalogState[], id: number, room: FloatStack): ReceivedStream | null {
  const length = states[0].earlier + states[0].re + states[0].later;
  if (length > MAX_STREAM_SYMBOLS || states.some((s) => s.earlier + s.re + s.later !== length)) return null;
  const symbolsReIm = room.take(2 * length);
  const snrDb = room.take(length);
  let at = 0;
  for (const { combiner, earlier, re } of states) {
    blank(symbolsReIm, snrDb, at, earlier);
    combiner.read(symbolsReIm, snrDb, earlier);
    at = Math.max(at, earlier + re);
  }
  blank(symbolsReIm, snrDb, at, length);
  return { id, kind: 'analog', symbolsReIm, snrDb, score: states[0].score };
}

/** Nothing came of the symbols from..to. */
function blank(symbolsReIm: Float32Array, snrDb: Float32Array, from: number, to: number): void {
  symbolsReIm.fill(0, 2 * from, 2 * to);
  snrDb.fill(Number.NEGATIVE_INFINITY, from, to);
}
