import type { TransmissionPlan } from '../../link/transmission.ts';
import type { DecodedImage } from '../../sct/codec/codec.ts';
import type { DecodedMixed } from '../../sct/codec/mixed.ts';
import { segmentalSnrDb } from '../../sct/quality/segmental-snr.ts';
import { stoi } from '../../sct/quality/stoi.ts';
import { SPEECH_RATE_HZ, type Speech } from '../../sct/speech/speech.ts';
import type { DecodedSpeech, SpeechSfvOutcome } from '../../sct/speech/speech-decoder.ts';
import type { SpeechKind } from '../../sct/speech/speech-side.ts';

/** What a run says of speech; null what this end cannot know (docs/metrics.md). */
export interface SpeechFigures {
  readonly kind: SpeechKind | null;
  readonly seconds: number | null;
  /** 0 in an outage, as for silence; null without the original, and where there is too little speech to tell. */
  readonly stoi: number | null;
  readonly segmentalSnrDb: number | null;
  readonly outage: 0 | 1 | null;
  readonly note: string | null;
  /** Importance of a bit of speech as a multiple of a bit of the picture's; null without one. */
  readonly priority: number | null;
  /** Of streams of speech; null for a file of bits. */
  readonly symbols: number | null;
  /** SNR of a channel of the same capacity as the places of either by the CSI report, dB; null for bits, and without a picture. */
  readonly speechSnrDb: number | null;
  readonly pictureSnrDb: number | null;
  readonly sfvs: readonly SpeechSfvOutcome[];
}

/** What of a sender's facts concerns speech. */
export type SpeechFacts = Pick<TransmissionPlan, 'settings'> & {
  readonly unsent?: object | null;
  readonly grants: readonly {
    readonly id: number;
    readonly size: number;
    readonly snrDb?: number | null | undefined;
  }[];
};

/** The speech of what was decoded; undefined for a picture alone. */
export function heardSpeech(decoded: DecodedImage | undefined): DecodedSpeech | undefined {
  return decoded && 'speech' in decoded ? (decoded as DecodedMixed).speech : undefined;
}

/** The codec's name where speech was sent and nothing heard; undefined for a picture alone. */
export function sentSpeechCodec(facts: Pick<SpeechFacts, 'settings'> | null): 'speech' | 'mixed' | undefined {
  if (typeof facts?.settings.speech !== 'string') return undefined;
  return facts.settings.pictureStreams === undefined ? 'speech' : 'mixed';
}

/** Figures of speech that was heard or, by the sender's word, was to be heard; undefined for a picture alone. */
export function speechFigures(
  decoded: DecodedImage | undefined,
  facts: SpeechFacts | null,
  reference: Speech | undefined,
): SpeechFigures | undefined {
  const heard = heardSpeech(decoded);
  const sent = facts && typeof facts.settings.speech === 'string' ? (facts.settings.speech as SpeechKind) : null;
  if (!heard && sent === null) return undefined;
  const samples = heard?.speech?.samples;
  const length = samples?.length ?? reference?.samples.length;
  const kind = sent ?? (heard?.decodable ? (heard.sfvs ? 'analog' : 'coded') : null);
  return {
    kind,
    seconds: length === undefined ? null : length / SPEECH_RATE_HZ,
    ...judged(samples, reference),
    outage: heard?.decodable ? 0 : 1,
    note: heard ? (heard.note ?? null) : facts?.unsent ? 'nothing was sent' : 'nothing was received',
    ...(facts && sent ? sentFigures(facts, sent) : NOT_KNOWN),
    sfvs: heard?.sfvs ?? [],
  };
}

/** What a sender alone says of it: nothing of what arrives. */
export function sentSpeechFigures(facts: SpeechFacts, speech: Speech): SpeechFigures {
  const kind = facts.settings.speech as SpeechKind;
  const seconds = speech.samples.length / SPEECH_RATE_HZ;
  const heard = { stoi: null, segmentalSnrDb: null, outage: null, note: null };
  return { kind, seconds, ...heard, ...sentFigures(facts, kind), sfvs: [] };
}

const NOT_KNOWN = { priority: null, symbols: null, speechSnrDb: null, pictureSnrDb: null };

/** Against the original; what has another length is another source's, and what did not come counts as silence. */
function judged(samples: Float32Array | undefined, reference: Speech | undefined) {
  const length = reference?.samples.length;
  if (!reference || (samples && samples.length !== length)) return { stoi: null, segmentalSnrDb: null };
  const own = samples ?? new Float32Array(reference.samples.length);
  return {
    stoi: stoi(reference.samples, own, SPEECH_RATE_HZ),
    segmentalSnrDb: segmentalSnrDb(reference.samples, own, SPEECH_RATE_HZ),
  };
}

/** What the sender alone knows. */
function sentFigures({ grants, settings }: SpeechFacts, kind: SpeechKind) {
  const mixed = typeof settings.pictureStreams === 'number';
  const first = mixed ? Number(settings.pictureStreams) : 0;
  const own = grants.filter((g) => g.id >= first);
  const analog = kind === 'analog';
  return {
    priority: mixed ? Number(settings.priority) : null,
    symbols: analog ? own.reduce((sum, g) => sum + g.size, 0) : null,
    speechSnrDb: analog ? capacitySnrDb(own) : null,
    pictureSnrDb: mixed ? capacitySnrDb(grants.filter((g) => g.id < first)) : null,
  };
}

/** 10 log10(2^(mean capacity) - 1) over the symbols of several streams, each at its own SNR. */
function capacitySnrDb(grants: SpeechFacts['grants']): number | null {
  const known = grants.filter((g) => typeof g.snrDb === 'number');
  const symbols = known.reduce((sum, g) => sum + g.size, 0);
  const bits = known.reduce((sum, g) => sum + g.size * Math.log2(1 + 10 ** (g.snrDb! / 10)), 0);
  return symbols > 0 ? 10 * Math.log10(2 ** (bits / symbols) - 1) : null;
}
