import { FormatError } from '../common/errors.ts';
import type { CodecId, Extension } from '../phy/frame/extension.ts';
import type { ReceivedSource, ReceivedStream } from '../sct/codec/codec.ts';
import type { ReceivedPart } from './harq/received-part.ts';

/** Pictures kept at once; an older one is given up when a new one begins. */
const MAX_IMAGES = 4;
/** Combined analog symbols kept over all pictures: 22 million. */
export const MAX_ANALOG_BYTES = 1 << 28;

/** One picture as far as it has come. */
export interface ReceivedPicture {
  readonly image: number;
  readonly codec: CodecId;
  readonly parts: (ReceivedPart | null)[];
}

/** Whether every block of every part has arrived. */
export function isComplete(picture: ReceivedPicture): boolean {
  return picture.parts.every((part) => part?.complete === true);
}

/** The pictures of a session of which something has come. */
export class PictureStore {
  private readonly pictures = new Map<number, ReceivedPicture>();

  /** Oldest first. */
  get all(): ReceivedPicture[] {
    return [...this.pictures.values()];
  }

  clear(): void {
    this.pictures.clear();
  }

  /** What is held of the part that an extension names. */
  partOf(e: Extension, codec: CodecId): ReceivedPart | null {
    const picture = this.pictures.get(e.image);
    return picture && fits(picture, e, codec) ? picture.parts[e.part] : null;
  }

  put(e: Extension, codec: CodecId, part: ReceivedPart): void {
    let picture = this.pictures.get(e.image);
    if (!picture || !fits(picture, e, codec)) {
      this.pictures.delete(e.image);
      if (this.pictures.size >= MAX_IMAGES) this.pictures.delete(this.pictures.keys().next().value!);
      picture = { image: e.image, codec, parts: new Array(e.partsLess1 + 1).fill(null) };
      this.pictures.set(e.image, picture);
    }
    picture.parts[e.part] = part;
  }

  /** Makes room for so many analog symbols of a picture by giving up older ones; FormatError where that is not enough. */
  makeRoom(symbols: number, image: number): void {
    const bytes = 12 * symbols;
    while (this.analogBytes + bytes > MAX_ANALOG_BYTES) {
      const oldest = this.all.find((p) => p.image !== image);
      if (!oldest)
        throw new FormatError('streams', `are more than the ${MAX_ANALOG_BYTES >> 20} MiB kept of analog symbols`);
      this.pictures.delete(oldest.image);
    }
  }

  private get analogBytes(): number {
    let bytes = 0;
    for (const { parts } of this.pictures.values()) {
      for (const part of parts) {
        for (const s of part?.streams.values() ?? []) if (s.kind === 'analog') bytes += s.combiner.byteLength;
      }
    }
    return bytes;
  }
}

function fits(picture: ReceivedPicture, e: Extension, codec: CodecId): boolean {
  return picture.parts.length === e.partsLess1 + 1 && picture.codec === codec;
}

/** Everything that came of a picture, stream by stream: the parts' shares in order. */
export function sourceOf(picture: ReceivedPicture): ReceivedSource {
  const ids = new Set<number>();
  for (const part of picture.parts) for (const id of part?.streams.keys() ?? []) ids.add(id);
  const streams = [...ids].sort((a, b) => a - b).map((id) => streamOf(picture, id));
  return { sideInfo: new Uint8Array(0), streams };
}

function streamOf(picture: ReceivedPicture, id: number): ReceivedStream {
  const states = picture.parts.map((part) => part?.streams.get(id) ?? null);
  return states.find((s) => s !== null)?.kind === 'analog' ? analogStream(picture, id) : codedStream(picture, id);
}

/** All bytes of a stream in order; a part that never came is one missing range up to what follows. */
function codedStream(picture: ReceivedPicture, id: number): ReceivedStream {
  const chunks: Uint8Array[] = [];
  const missing: { from: number; to: number }[] = [];
  let at = 0;
  for (const part of picture.parts) {
    const state = part?.streams.get(id);
    // A part that came without this stream carries none of it.
    if (part && !state) continue;
    if (state?.kind !== 'bits') {
      // Its length is unknown; one byte stands for it, so that nothing behind it counts as intact.
      chunks.push(new Uint8Array(1));
      missing.push({ from: at, to: at + 1 });
      at += 1;
      continue;
    }
    const { file, missing: gaps } = state.decoder.file();
    chunks.push(file);
    for (const gap of gaps) missing.push({ from: at + gap.from, to: at + gap.to });
    at += file.length;
  }
  return { id, kind: 'bits', payload: joined(chunks, at), missing };
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const out = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}

function analogStream(picture: ReceivedPicture, id: number): ReceivedStream {
  const combiners = picture.parts.flatMap((part) => {
    const state = part?.streams.get(id);
    return state?.kind === 'analog' ? [state.combiner] : [];
  });
  const length = combiners.reduce((sum, c) => sum + c.length, 0);
  const symbolsReIm = new Float32Array(2 * length);
  const snrDb = new Float32Array(length);
  let at = 0;
  for (const combiner of combiners) {
    symbolsReIm.set(combiner.mmse(), 2 * at);
    snrDb.set(
      combiner.snr().map((s) => 10 * Math.log10(s)),
      at,
    );
    at += combiner.length;
  }
  return { id, kind: 'analog', symbolsReIm, snrDb };
}
