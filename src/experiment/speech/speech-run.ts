import { ExitCode, inRange, UsageError } from '../../common/errors.ts';
import { countedRe, type SymbolBudget } from '../../link/accounting.ts';
import { USUAL_SFVS } from '../../link/plan/control-part.ts';
import type { TransmissionPlan } from '../../link/transmission.ts';
import { CODEC_IDS, type CodecId } from '../../phy/frame/extension.ts';
import { type DecodedMixed, MixedCodec, SpeechLinkCodec } from '../../sct/codec/mixed.ts';
import { type RgbImage, rgbImage } from '../../sct/image/rgb-image.ts';
import { psnrDb } from '../../sct/quality/psnr.ts';
import { segmentalSnrDb } from '../../sct/quality/segmental-snr.ts';
import { stoi } from '../../sct/quality/stoi.ts';
import { SPEECH_RATE_HZ, type Speech } from '../../sct/speech/speech.ts';
import { SpeechCodec } from '../../sct/speech/speech-codec.ts';
import type { SpeechSfvOutcome } from '../../sct/speech/speech-decoder.ts';
import type { SpeechKind } from '../../sct/speech/speech-side.ts';
import { LoopbackExchange } from '../exchange.ts';
import { senderCodec } from '../link-codecs.ts';
import type { LinkConfig } from '../link-config.ts';
import { setupLink } from '../link-setup.ts';
import { checkModelledFeedback } from '../loopback-run.ts';
import { recordedChannel } from '../recorded-channel.ts';

export interface SpeechRunInput {
  readonly speech: Speech;
  /** Sent beside it, in the same budget. */
  readonly image?: RgbImage | undefined;
  /** Default analog. */
  readonly kind?: SpeechKind | undefined;
  /** Importance of a bit of speech as a multiple of a bit of the picture's; default 1. */
  readonly priority?: number | undefined;
  /** Most SFVs of speech; default 12. */
  readonly maxSfvs?: number | undefined;
  /** Complex symbols of everything; default 0.25 for a sample of speech and the configuration's for a pixel. */
  readonly symbols?: number | undefined;
  /** What is missing sounds like noise of the right spectrum. */
  readonly perceptual?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export const SPEECH_SCHEMA = 'sct.speech/1';
/** Of a sample at 16 kHz: 4000 symbols a second. */
const SYMBOLS_PER_SAMPLE = 0.25;

/** One transmission of speech, alone or beside a picture. */
export interface SpeechMetrics {
  readonly schema: typeof SPEECH_SCHEMA;
  readonly ok: boolean;
  readonly codec: 'speech' | 'mixed';
  readonly kind: SpeechKind;
  readonly mapping: string;
  readonly channel: string;
  readonly snrDb: number | null;
  readonly seed: number;
  readonly seconds: number;
  /** 0 in an outage, as for silence; null where there is too little speech to tell. */
  readonly stoi: number | null;
  readonly segmentalSnrDb: number | null;
  /** Of the picture beside it; null without one. */
  readonly psnrDb: number | null;
  readonly priority: number;
  /** Counted as for pictures: payload, side information, control, padding, repetitions. */
  readonly symbols: number;
  readonly symbolsPerSecond: number;
  /** Of streams of speech; null for a file of bits. */
  readonly speechSymbols: number | null;
  /** SNR of a channel of the same capacity as the places of either by the CSI report, dB; null for a file of bits, and without a picture. */
  readonly speechSnrDb: number | null;
  readonly pictureSnrDb: number | null;
  readonly sideInfoBytes: number;
  readonly budget: SymbolBudget;
  readonly outage: 0 | 1;
  readonly note: string | null;
  readonly sfvs: readonly SpeechSfvOutcome[];
}

/** What came of it. */
export interface SpeechRunResult {
  readonly metrics: SpeechMetrics;
  readonly received: Speech | undefined;
  readonly image: RgbImage | undefined;
  readonly exitCode: number;
}

/** Speech through the modem and a modelled channel, as `sct loopback` sends a picture. UsageError for what does not fit. */
export async function runSpeech(config: LinkConfig, input: SpeechRunInput): Promise<SpeechRunResult> {
  checkModelledFeedback(config);
  const { speech, image, kind = 'analog', priority = 1 } = input;
  const codec = new SpeechCodec({ kind, maxSfvs: input.maxSfvs });
  const recorded = await recordedChannel(config);
  const coding = image ? await senderCodec(config) : null;
  const codecId = coding ? CODEC_IDS.indexOf(coding.codec.name as CodecId) : 0;
  const both = coding
    ? { codec: new MixedCodec(coding.codec, speech, { priority, codecId }, codec), modelSet: coding.modelSet }
    : { codec: new SpeechLinkCodec(speech, codec), modelSet: 0 };
  // As many SFVs of speech as asked for, and beside them as many as a picture has.
  const maxSfvs = Math.min(255, (input.maxSfvs ?? USUAL_SFVS) + (image ? USUAL_SFVS : 0));
  const setup = { ...setupLink(config, recorded, both), transmitter: { maxSfvs } };
  const exchange = new LoopbackExchange(config, setup, input.signal ? { signal: input.signal } : {});
  try {
    await exchange.open();
    const pixels = image ? image.width * image.height : 0;
    const symbols = input.symbols ?? SYMBOLS_PER_SAMPLE * speech.samples.length + config.symbolsPerPixel * pixels;
    inRange('symbols', symbols, 1, 2 ** 26);
    const plan = await exchange.sendWithin(image ?? rgbImage(1, 1, new Uint8Array(3)), symbols);
    await exchange.close();
    const { receiver } = exchange.chain;
    const picture = receiver.received.at(-1);
    const decoded = picture && (await receiver.picture(picture, { perceptual: input.perceptual }));
    const heard = decoded && 'speech' in decoded ? (decoded as DecodedMixed) : undefined;
    const { budget } = exchange.transmitter;
    const counted = countedRe(budget);
    const seconds = speech.samples.length / SPEECH_RATE_HZ;
    const judged = heard?.speech.speech?.samples ?? new Float32Array(speech.samples.length);
    // Another length would be another source's.
    const same = judged.length === speech.samples.length ? judged : new Float32Array(speech.samples.length);
    const decodable = heard?.speech.decodable ?? false;
    const metrics: SpeechMetrics = {
      schema: SPEECH_SCHEMA,
      ok: decodable,
      codec: image ? 'mixed' : 'speech',
      kind,
      mapping: plan.map,
      channel: config.channel,
      snrDb: config.snrDb,
      seed: config.seed,
      seconds,
      stoi: stoi(speech.samples, same, SPEECH_RATE_HZ),
      segmentalSnrDb: segmentalSnrDb(speech.samples, same, SPEECH_RATE_HZ),
      psnrDb: image ? psnrDb(image, shown(heard, image)) : null,
      priority,
      symbols: counted,
      symbolsPerSecond: counted / seconds,
      speechSymbols: kind === 'coded' ? null : image ? Number(plan.settings.speechSymbols) : budget.payload,
      ...reportedSnrs(plan, image !== undefined),
      sideInfoBytes: plan.sideInfoBytes,
      budget,
      outage: decodable ? 0 : 1,
      note: heard?.speech.note ?? (heard ? null : 'nothing was received'),
      sfvs: heard?.speech.sfvs ?? [],
    };
    const exitCode = !picture ? ExitCode.noSignal : decodable ? ExitCode.ok : ExitCode.quality;
    return { metrics, received: heard?.speech.speech, image: heard?.image, exitCode };
  } finally {
    await exchange.close();
  }
}

/** What the places of both modalities are worth by the report that the plan was made by. */
function reportedSnrs({ grants, settings }: TransmissionPlan, mixed: boolean) {
  const first = mixed ? Number(settings.pictureStreams) : 0;
  const over = (own: TransmissionPlan['grants']): number | null => {
    const known = own.filter((g) => g.snrDb !== undefined);
    const symbols = known.reduce((sum, g) => sum + g.size, 0);
    const bits = known.reduce((sum, g) => sum + g.size * Math.log2(1 + 10 ** (g.snrDb! / 10)), 0);
    return symbols > 0 ? 10 * Math.log10(2 ** (bits / symbols) - 1) : null;
  };
  return {
    speechSnrDb: over(grants.filter((g) => g.id >= first)),
    pictureSnrDb: mixed ? over(grants.filter((g) => g.id < first)) : null,
  };
}

/** An outage is judged as flat mid-grey, as everywhere. */
function shown(heard: DecodedMixed | undefined, { width, height }: RgbImage): RgbImage {
  const { image, decodable } = heard ?? {};
  if (image && decodable && image.width === width && image.height === height) return image;
  return rgbImage(width, height, new Uint8Array(3 * width * height).fill(128));
}

/** UsageError unless the words are a kind of speech codec. */
export function speechKind(word: string): SpeechKind {
  if (word === 'analog' || word === 'coded') return word;
  throw new UsageError(`--kind "${word.slice(0, 40)}" is not one of analog, coded`);
}
