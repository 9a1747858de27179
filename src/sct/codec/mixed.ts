import { FormatError, inRange, UsageError } from '../../common/errors.ts';
import type { RgbImage } from '../image/rgb-image.ts';
import type { Speech } from '../speech/speech.ts';
import { SpeechCodec, type SpeechPlan } from '../speech/speech-codec.ts';
import { type DecodedSpeech, decodeSpeech } from '../speech/speech-decoder.ts';
import type {
  AnalyseHints,
  Codec,
  DecodedImage,
  DecodeOptions,
  EncodedSource,
  ReceivedSource,
  SourcePlan,
  StreamGrant,
} from './codec.ts';
import { decodeMixedSide, encodeMixedSide, MIXED_HEAD_BYTES } from './mixed-side.ts';
import { mergeModalities } from './modality-budget.ts';

/** What a picture's plan says of its entropy, where its codec knows. */
interface WithEntropy {
  readonly analysis?: { readonly entropy: { readonly data: ArrayLike<number> } };
}

/** Bits of a picture's cell that are taken where its codec does not say: of 768 numbers, a fifth of a bit each. */
const USUAL_BITS_PER_CELL = 150;
/** Share of the SFVs that a link allows which go to speech, at most. */
const SPEECH_SFV_SHARE = 0.5;

/** A picture, or none was sent, and the speech that came with it. */
export interface DecodedMixed extends DecodedImage {
  readonly speech: DecodedSpeech;
}

/** Speech alone as the link's codec: the picture that the link hands over is not looked at. */
export class SpeechLinkCodec implements Codec {
  readonly name = 'speech';
  /** What the next picture's place is taken by. */
  speech: Speech | null;
  private readonly codec: SpeechCodec;

  constructor(speech: Speech | null = null, codec: SpeechCodec = new SpeechCodec()) {
    this.speech = speech;
    this.codec = codec;
  }

  describe(): string {
    return this.codec.describe();
  }

  async analyse(_image: RgbImage, hints?: AnalyseHints): Promise<SpeechPlan> {
    if (!this.speech) throw new UsageError('no speech was given to this end');
    return this.codec.analyse(this.speech, hints);
  }

  async decode(received: ReceivedSource, options: DecodeOptions = {}): Promise<DecodedMixed> {
    const speech = decodeSpeech(received, options);
    const { decodable, complete, note } = speech;
    return { image: undefined, decodable, complete, mask: undefined, note, speech };
  }
}

export interface MixedOptions {
  /** How much a bit of speech matters as a multiple of a bit of the picture, 2^-10 to 2^10; default 1. */
  readonly priority?: number | undefined;
  /** Id of the picture's codec in extensions. */
  readonly codecId: number;
}

/** A picture and speech in one budget: one allocation over the streams of both, by importance on one scale. */
export class MixedCodec implements Codec {
  readonly name = 'mixed';
  /** What goes with the next picture. */
  speech: Speech | null;
  private readonly pictures: Codec;
  private readonly codec: SpeechCodec;
  private readonly options: Required<MixedOptions>;

  /** @throws UsageError for a priority out of range */
  constructor(pictures: Codec, speech: Speech | null, options: MixedOptions, codec: SpeechCodec = new SpeechCodec()) {
    const priority = inRange('priority of speech', options.priority ?? 1, 2 ** -10, 2 ** 10);
    this.pictures = pictures;
    this.speech = speech;
    this.codec = codec;
    this.options = { priority, codecId: inRange('codec id', options.codecId, 1, 7) };
  }

  describe(): string {
    return `${this.pictures.describe()}; ${this.codec.describe()}; a bit of speech counts ${this.options.priority}`;
  }

  async analyse(image: RgbImage, hints: AnalyseHints = {}): Promise<SourcePlan> {
    if (!this.speech) throw new UsageError('no speech was given to this end');
    const most = hints.maxSfvs;
    const forSpeech = most === undefined ? undefined : Math.max(1, Math.floor(SPEECH_SFV_SHARE * most));
    const speech = await this.codec.analyse(this.speech, { ...hints, maxSfvs: forSpeech });
    const left = most === undefined ? undefined : Math.max(1, most - speech.streams.length);
    const picture = await this.pictures.analyse(image, { ...hints, maxSfvs: left });
    const first = picture.streams.length;
    if (first < 1) throw new UsageError('the picture has no stream to send');
    const { priority } = this.options;
    const { streams, ranking } = mergeModalities([
      { plan: picture, importance: Math.max(1, contentBits(picture, image)), priority: 1 },
      { plan: speech, importance: priority * Math.max(1, speech.analysis.contentBits), priority },
    ]);
    return {
      streams,
      ranking,
      sideInfoBytes: MIXED_HEAD_BYTES + picture.sideInfoBytes + speech.sideInfoBytes,
      budgetIn: 'symbols',
      settings: this.settingsOf(picture, speech),
      ...(picture.timingsMs ? { timingsMs: picture.timingsMs } : {}),
      encode: (grants) => this.encode(picture, speech, grants),
    };
  }

  private async encode(
    picture: SourcePlan,
    speech: SpeechPlan,
    grants: readonly StreamGrant[],
  ): Promise<EncodedSource> {
    const first = picture.streams.length;
    const seen = await picture.encode(grants.filter((g) => g.id < first));
    const own = grants.filter((g) => g.id >= first).map((g) => ({ ...g, id: g.id - first }));
    const heard = await speech.encode(own);
    const behind = new Map(heard.streams.map((s) => [s.id + first, { ...s, id: s.id + first }]));
    const before = new Map(seen.streams.map((s) => [s.id, s]));
    const streams = grants.flatMap((g) => before.get(g.id) ?? behind.get(g.id) ?? []);
    const { codecId } = this.options;
    const sideInfo = encodeMixedSide({
      codec: codecId,
      streams: first,
      picture: seen.sideInfo,
      speech: heard.sideInfo,
    });
    const speechSymbols = own.reduce((sum, g) => sum + g.size, 0);
    const settings = {
      ...seen.settings,
      ...this.settingsOf(picture, speech),
      speechStreams: own.length,
      speechSymbols,
    };
    return { sideInfo, streams, settings, ...(seen.timingsMs ? { timingsMs: seen.timingsMs } : {}) };
  }

  private settingsOf(picture: SourcePlan, { settings }: SpeechPlan): EncodedSource['settings'] {
    return { speech: settings.speech, priority: this.options.priority, pictureStreams: picture.streams.length };
  }

  /** Both halves; side information that is missing or contradicts itself is an outage of both. */
  async decode(received: ReceivedSource, options: DecodeOptions = {}): Promise<DecodedMixed> {
    const split = splitReceived(received);
    if (typeof split === 'string') return mixedOutage(split);
    const { codecId } = this.options;
    if (split.codec !== codecId) {
      return mixedOutage(`the picture was sent with codec ${split.codec}, this end has ${codecId}`);
    }
    return decodeBoth(this.pictures, split, options);
  }
}

/** The receiver's half alone: the picture's codec is the one that the side information names. */
export class MixedReceiver implements Codec {
  readonly name = 'mixed';
  private readonly find: (codecId: number) => Promise<Codec>;

  /** @param find throws UsageError for an id that this end does not have, or that is no picture's */
  constructor(find: (codecId: number) => Promise<Codec>) {
    this.find = find;
  }

  describe(): string {
    return 'a picture and speech, as they come';
  }

  async analyse(): Promise<SourcePlan> {
    throw new UsageError('this end only receives pictures with speech');
  }

  async decode(received: ReceivedSource, options: DecodeOptions = {}): Promise<DecodedMixed> {
    const split = splitReceived(received);
    return typeof split === 'string' ? mixedOutage(split) : decodeBoth(await this.find(split.codec), split, options);
  }
}

async function decodeBoth(
  pictures: Codec,
  { picture, speech }: Exclude<ReturnType<typeof splitReceived>, string>,
  options: DecodeOptions,
): Promise<DecodedMixed> {
  return { ...(await pictures.decode(picture, options)), speech: decodeSpeech(speech, options) };
}

/** Without side information it is not even known whose picture this is. */
function mixedOutage(note: string): DecodedMixed {
  const speech: DecodedSpeech = { speech: undefined, decodable: false, complete: false, note };
  return { image: undefined, decodable: false, complete: false, mask: undefined, note, speech };
}

/** What belongs to which modality, or why that cannot be told. */
function splitReceived({ sideInfo, streams }: ReceivedSource) {
  if (!sideInfo) return 'the side information did not arrive';
  try {
    const side = decodeMixedSide(sideInfo);
    const first = side.streams;
    return {
      codec: side.codec,
      picture: { sideInfo: side.picture, streams: streams.filter((s) => s.id < first) },
      speech: {
        sideInfo: side.speech,
        streams: streams.filter((s) => s.id >= first).map((s) => ({ ...s, id: s.id - first })),
      },
    };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return error.message;
  }
}

/** Bits of a picture: the sum of its entropy map where the codec has one. */
function contentBits(plan: SourcePlan & WithEntropy, { width, height }: RgbImage): number {
  const entropy = plan.analysis?.entropy;
  if (entropy) return Array.from(entropy.data).reduce((a, b) => a + b, 0);
  return Math.ceil(width / 16) * Math.ceil(height / 16) * USUAL_BITS_PER_CELL;
}
