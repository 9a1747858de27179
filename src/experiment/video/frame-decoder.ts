import type { FrontRecord } from '../../link/front-record.ts';
import { recycle, sourceOf } from '../../link/received-picture.ts';
import { type ReceivedPicture, Receiver } from '../../link/receiver.ts';
import type { CsiReport } from '../../link/reverse/reverse-messages.ts';
import { RxBack } from '../../link/rx-back.ts';
import type { CodecId } from '../../phy/frame/extension.ts';
import type { Frontend } from '../../phy/frontend/frontend.ts';
import type { Numerology } from '../../phy/numerology.ts';
import type { Codec, DecodedImage, DecodeOptions, ReceivedSource, ReceivedStream } from '../../sct/codec/codec.ts';
import { FrameMemory } from '../../sct/correction/frame-memory.ts';
import { flatImage, type RgbImage } from '../../sct/image/rgb-image.ts';
import { ReceiverCodecs } from '../config/link-codecs.ts';
import type { LinkConfig } from '../config/link-config.ts';
import { PRECISION } from './frame-coder.ts';

/** A frame of which everything has come that will come. */
export interface HeardFrame {
  readonly picture: ReceivedPicture;
  /** Number on the air, 0 to 255. */
  readonly airNumber: number;
  readonly session: number;
  /** Capture time as the extension says it (phy/frame/capture-time); null where it does not. */
  readonly capturedCode: number | null;
  /** Of the received stream, s. */
  readonly startS: number;
  readonly endS: number;
  readonly snrDb: number;
}

/** A frame as it is shown. */
export interface DecodedFrame {
  readonly image: RgbImage | null;
  readonly decodable: boolean;
  readonly complete: boolean;
  /** Share of the picture's cells that are damaged, and how much each is, [row][column]; null where the codec cannot tell. */
  readonly damagedShare: number | null;
  readonly damage: Float32Array | null;
  readonly columns: number;
  /** Share of the damaged cells that were restored with the frame before; null without damage. */
  readonly remembered: number | null;
  readonly note: string | null;
  readonly decodeMs: number;
}

/** What a record brought. */
export interface Heard {
  /** Measured on this burst; null for what is none. */
  readonly report: CsiReport | null;
  readonly frames: readonly HeardFrame[];
  /** Something was there that could not be read. */
  readonly missed: boolean;
}

const REHEARSALS = 3;
const REHEARSAL_SNR_DB = 10;

const NOTHING: Heard = { report: null, frames: [], missed: false };

/** A frame that was restored with the one before, kept to measure what that was worth. */
interface KeptFrame {
  readonly key: number;
  readonly source: ReceivedSource;
  readonly picture: ReceivedPicture;
}

/** Who may still read or write a picture's symbols: the receiver, and so many frames that are not decoded yet. */
interface PictureUsers {
  readonly receiving: boolean;
  readonly frames: number;
}

/** Frames that are kept so at most. */
export const MOST_KEPT = 32;

/** The receiving end of a video behind the demodulator: records in, frames out, the last correctly received one in mind. */
export class FrameDecoder {
  readonly back: RxBack;
  private readonly receiver: Receiver;
  private readonly codecs: ReceiverCodecs;
  private readonly config: LinkConfig;
  private readonly modemRateHz: number;
  private readonly memory = new FrameMemory();
  private open: HeardFrame | null = null;
  private session: number | null = null;
  private codec: string | null = null;
  private readonly kept: KeptFrame[] = [];
  private readonly users = new WeakMap<ReceivedPicture, PictureUsers>();

  constructor(config: LinkConfig, numerology: Numerology, frontend: Frontend, codecs = videoCodecs(config)) {
    this.config = config;
    this.modemRateHz = numerology.sampleRateHz;
    this.codecs = codecs;
    this.receiver = new Receiver({
      numerology,
      codecs: this.codecs,
      estimator: config.estimator,
      passing: true,
      // No burst of a video is sent again.
      asking: null,
      retire: (picture) => this.doneWith(picture, { receiving: false }),
    });
    this.back = new RxBack(frontend, this.receiver);
  }

  /** Takes the next record of the demodulator. */
  take(record: FrontRecord): Heard {
    const event = this.back.take(record);
    if (event === null) return NOTHING;
    if (event.type !== 'burst') return { ...NOTHING, missed: event.type === 'miss' };
    const { csi: report, extension, picture } = event;
    if (event.use !== 'data' || !extension || !picture) return { ...NOTHING, report };
    const { header, startSample, lengthSamples, snrDb } = event.record;
    if (this.session !== header.session) this.begin(header.session);
    this.codec = picture.codec;
    const frames: HeardFrame[] = [];
    // A part of the next frame ends the one before, whatever is missing of it.
    if (this.open && this.open.airNumber !== extension.image) frames.push(this.open);
    const first = this.open?.airNumber === extension.image ? this.open : null;
    if (first?.picture !== picture) this.begun(picture);
    const heard: HeardFrame = {
      picture,
      airNumber: extension.image,
      session: header.session,
      snrDb,
      capturedCode: extension.time,
      startS: first?.startS ?? startSample / this.modemRateHz,
      endS: (startSample + lengthSamples) / this.modemRateHz,
    };
    const whole = extension.part === extension.partsLess1;
    this.open = whole ? null : heard;
    if (whole) frames.push(heard);
    return { report, frames, missed: false };
  }

  /** Codec and model set of the frames, as far as any came. */
  get sentWith(): { readonly codec: string | null; readonly size: string | null } {
    return { codec: this.codec, size: this.codecs.models?.set.name ?? null };
  }

  /** The stream ended: a frame of which parts are missing is as whole as it will be. */
  end(): HeardFrame[] {
    const { open } = this;
    this.open = null;
    return open ? [open] : [];
  }

  /**
   * Decodes a frame; in the order in which they came.
   *
   * @param key names the frame if it is kept for `compare`; absent: it is not
   * @throws UsageError where the sender's codec or model set is not here
   */
  async decode(frame: HeardFrame, key?: number): Promise<DecodedFrame> {
    const started = performance.now();
    const { picture } = frame;
    const decoded = await this.receiver.picture(picture, { ...this.options(), memory: this.memory });
    const shown = shownFrame(decoded, performance.now() - started);
    // A frame that is kept is decoded once more later, so its symbols are read out now.
    if (key !== undefined && (shown.remembered ?? 0) > 0 && this.kept.length < MOST_KEPT) {
      this.kept.push({ key, source: sourceOf(picture), picture });
    }
    this.doneWith(picture, { frames: -1 });
    return shown;
  }

  /** A frame will not be decoded. */
  skip({ picture }: HeardFrame): void {
    this.doneWith(picture, { frames: -1 });
  }

  /** The frames that were kept, decoded as if none had come before them. */
  async *compare(): AsyncGenerator<{ readonly key: number; readonly image: RgbImage }> {
    for (const { key, source, picture } of this.kept) {
      const codec = await this.codecs.find(picture.codec, picture.modelSet);
      const { image } = await codec.decode(source, this.options());
      if (image) yield { key, image };
    }
  }

  /** See `rehearse`. */
  rehearse(modelSet: number, sizePx: number): Promise<void> {
    return rehearse(this.codecs, this.config, modelSet, sizePx);
  }

  private options(): DecodeOptions {
    return optionsOf(this.config);
  }

  /** A frame is made of the picture. */
  private begun(picture: ReceivedPicture): void {
    const users = this.users.get(picture) ?? { receiving: true, frames: 0 };
    this.users.set(picture, { ...users, frames: users.frames + 1 });
  }

  /** One that had to do with a picture has not any more; the last one of all leaves its memory to other pictures. */
  private doneWith(picture: ReceivedPicture, change: { readonly receiving: false } | { readonly frames: -1 }): void {
    const users = this.users.get(picture);
    if (!users) return;
    const left = 'frames' in change ? { ...users, frames: users.frames - 1 } : { ...users, ...change };
    this.users.set(picture, left);
    if (!left.receiving && left.frames === 0) recycle(picture);
  }

  private begin(session: number): void {
    this.session = session;
    this.open = null;
    this.memory.reset();
  }
}

/** The codecs of a video's receiver. */
export function videoCodecs(config: LinkConfig): ReceiverCodecs {
  return new ReceiverCodecs(config, null, PRECISION);
}

function optionsOf({ correction, perceptual }: LinkConfig): DecodeOptions {
  return { correction, perceptual };
}

/**
 * Decodes pictures of its own, so that the first frame that counts does not wait for networks and tables to be made.
 *
 * @param modelSet as a burst would name it; 0: not known yet, so nothing can be done
 */
export async function rehearse(
  codecs: ReceiverCodecs,
  config: LinkConfig,
  modelSet: number,
  sizePx: number,
): Promise<void> {
  const { codec: name } = config;
  if (modelSet === 0 || name.startsWith('onnx:')) return;
  const codec = await codecs.find(name as CodecId, modelSet);
  for (let i = 0; i < REHEARSALS; i++)
    await decodeOwn(codec, flatImage(sizePx, sizePx, 60 + 40 * i, 128, 90), optionsOf(config));
}

/** Codes a picture and decodes it again, half of its streams damaged: every network has its turn. */
async function decodeOwn(codec: Codec, image: RgbImage, options: DecodeOptions): Promise<void> {
  const plan = await codec.analyse(image);
  const grants = plan.streams.map(({ id, minSize }) => ({ id, size: 4 * minSize, snrDb: REHEARSAL_SNR_DB }));
  const { sideInfo, streams } = await plan.encode(grants);
  const received = streams.map((stream): ReceivedStream => {
    if (stream.kind === 'bits') return { ...stream, missing: [] };
    const snrDb = new Float32Array(stream.symbolsReIm.length / 2).fill(REHEARSAL_SNR_DB);
    snrDb.fill(Number.NEGATIVE_INFINITY, 0, snrDb.length >> 1);
    return { ...stream, snrDb };
  });
  await codec.decode({ sideInfo, streams: received }, options);
}

function shownFrame(decoded: DecodedImage, decodeMs: number): DecodedFrame {
  const { image, decodable, complete, mask, note, fromMemory } = decoded;
  const damaged = mask ? mask.damage.reduce((n, d) => n + (d > 0 ? 1 : 0), 0) / mask.damage.length : null;
  return {
    image: image ?? null,
    decodable,
    complete,
    decodeMs,
    damagedShare: damaged,
    damage: damaged ? mask!.damage : null,
    columns: mask?.columns ?? 0,
    remembered: fromMemory ?? null,
    note: note ?? null,
  };
}
