import { BitReader, BitWriter } from '../../common/bits.ts';
import { FormatError, inRange } from '../../common/errors.ts';

const BITS = { codec: 3, spare: 5, streams: 8, bytes: 16 } as const;
/** Bytes before the picture's side information. */
export const MIXED_HEAD_BYTES = 4;

/** Side information of a picture and speech in one. */
export interface MixedSide {
  /** Id of the picture's codec, as extensions name it. */
  readonly codec: number;
  /** Streams of the picture: speech's ids begin behind them. */
  readonly streams: number;
  readonly picture: Uint8Array;
  readonly speech: Uint8Array;
}

/** UsageError naming a field that is out of range. */
export function encodeMixedSide({ codec, streams, picture, speech }: MixedSide): Uint8Array {
  const w = new BitWriter();
  w.write(inRange('codec', codec, 1, 2 ** BITS.codec - 1), BITS.codec);
  w.write(0, BITS.spare);
  w.write(inRange('streams of the picture', streams, 1, 254), BITS.streams);
  w.write(inRange('side information of the picture', picture.length, 0, 2 ** BITS.bytes - 1, 'bytes'), BITS.bytes);
  const out = new Uint8Array(MIXED_HEAD_BYTES + picture.length + speech.length);
  out.set(w.finish());
  out.set(picture, MIXED_HEAD_BYTES);
  out.set(speech, MIXED_HEAD_BYTES + picture.length);
  return out;
}

/** @throws FormatError naming the field */
export function decodeMixedSide(bytes: Uint8Array): MixedSide {
  const r = new BitReader(bytes);
  const codec = r.read(BITS.codec, 'codec');
  if (codec < 1) throw new FormatError('codec', '0, allowed 1 to 7');
  if (r.read(BITS.spare, 'padding') !== 0) throw new FormatError('padding', 'is not zero');
  const streams = r.read(BITS.streams, 'streams');
  if (streams < 1 || streams > 254) throw new FormatError('streams', `${streams}, allowed 1 to 254`);
  const length = r.read(BITS.bytes, 'picture bytes');
  const end = MIXED_HEAD_BYTES + length;
  if (end > bytes.length)
    throw new FormatError('picture bytes', `${length}, there are ${bytes.length - MIXED_HEAD_BYTES}`);
  return { codec, streams, picture: bytes.slice(MIXED_HEAD_BYTES, end), speech: bytes.slice(end) };
}
