import { basename } from 'node:path';
import { inRange } from '../../common/errors.ts';
import { USUAL_SFVS } from '../../link/plan/control-part.ts';
import { CODEC_IDS, type CodecId } from '../../phy/frame/extension.ts';
import { RB_DATA_RE } from '../../phy/numerology.ts';
import { MixedCodec, SpeechLinkCodec } from '../../sct/codec/mixed.ts';
import { type RgbImage, rgbImage } from '../../sct/image/rgb-image.ts';
import type { Speech } from '../../sct/speech/speech.ts';
import { SpeechCodec } from '../../sct/speech/speech-codec.ts';
import { type LinkCodec, senderCodec } from '../config/link-codecs.ts';
import type { LinkConfig } from '../config/link-config.ts';
import { loadPhoto } from '../run/photo.ts';
import type { PhotoSource } from '../run/run-io.ts';
import { loadSpeech } from './speech-file.ts';
import type { SpeechWords } from './speech-words.ts';

/** Speech and perhaps a picture, ready for a link. */
export interface SpeechSending {
  readonly name: string;
  readonly speech: Speech;
  /** Sent beside it; undefined for speech alone. */
  readonly photo: RgbImage | undefined;
  /** What the link is handed as the picture. */
  readonly image: RgbImage;
  readonly coding: LinkCodec;
  /** RE of everything. */
  readonly budgetRe: number;
}

/** Of a sample at 16 kHz: 4000 symbols a second. */
const SYMBOLS_PER_SAMPLE = 0.25;
/** Least of all, however short the speech is: a slot with control and side information fits at the usual SNR. */
const LEAST_SYMBOLS = 4000;
const LEAST_SLOTS = 1.5;

/** Speech and photo of a command's words, read and checked before anything is sent. */
export async function openSpeech(
  config: LinkConfig,
  words: SpeechWords,
  photo: Exclude<PhotoSource, { kind: 'folder' }> | undefined,
): Promise<SpeechSending> {
  const speech = await loadSpeech(words.path);
  const image = photo && (await loadPhoto(photo));
  const name = [basename(words.path), ...(image ? [image.name] : [])].join(' and ');
  return speechSending(config, { ...words, name, speech, image: image?.image });
}

/**
 * @param pictures the codec of a picture beside it; default the one that the configuration names
 * @throws UsageError for a word out of range
 */
export async function speechSending(
  config: LinkConfig,
  source: Omit<SpeechWords, 'path'> & { name: string; speech: Speech; image?: RgbImage | undefined },
  pictures: () => Promise<LinkCodec> = () => senderCodec(config),
): Promise<SpeechSending> {
  const { name, speech, image, kind = 'analog', priority = 1, maxSfvs } = source;
  const codec = new SpeechCodec({ kind, maxSfvs });
  const pixels = image ? image.width * image.height : 0;
  const usual = SYMBOLS_PER_SAMPLE * speech.samples.length + config.symbolsPerPixel * pixels;
  const least = Math.max(LEAST_SYMBOLS, LEAST_SLOTS * config.numerology * RB_DATA_RE);
  const budgetRe = inRange('symbols', source.symbols ?? Math.max(usual, least), 1, 2 ** 26);
  return {
    name,
    speech,
    photo: image,
    budgetRe,
    image: image ?? rgbImage(1, 1, new Uint8Array(3)),
    coding: {
      ...(image
        ? mixedCoding(await pictures(), speech, priority, codec)
        : { codec: new SpeechLinkCodec(speech, codec), modelSet: 0, labels: null, knowledge: null }),
      // As many SFVs of speech as asked for, and beside them as many as a picture has.
      maxSfvs: Math.min(255, (maxSfvs ?? USUAL_SFVS) + (image ? (config.maxSfvs ?? USUAL_SFVS) : 0)),
    },
  };
}

/** The set is the picture's, and stays: what the ends agree on in a session changes the codec of a picture alone. */
function mixedCoding(
  { codec: pictures, modelSet, models }: LinkCodec,
  speech: Speech,
  priority: number,
  codec: SpeechCodec,
): LinkCodec {
  const codecId = CODEC_IDS.indexOf(pictures.name as CodecId);
  const mixed = new MixedCodec(pictures, speech, { priority, codecId }, codec);
  return { codec: mixed, modelSet, labels: null, knowledge: null, ...(models ? { models } : {}) };
}
