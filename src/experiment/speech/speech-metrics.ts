import { countedRe, type SymbolBudget } from '../../link/accounting.ts';
import { SPEECH_RATE_HZ } from '../../sct/speech/speech.ts';
import type { SpeechSfvOutcome } from '../../sct/speech/speech-decoder.ts';
import type { SpeechKind } from '../../sct/speech/speech-side.ts';
import type { LinkConfig } from '../config/link-config.ts';
import type { TransmitFacts } from '../metrics/transmit-facts.ts';
import type { SpeechFigures } from './speech-figures.ts';
import type { SpeechSending } from './speech-sending.ts';

export const SPEECH_SCHEMA = 'sct.speech/1';

/** One transmission of speech, alone or beside a picture, as `sct speech` prints it. */
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
  /** What the run directory holds; absent where there is none. */
  readonly files?: Readonly<Record<string, string>>;
}

/** What a transmission was, and what became of it. */
export interface SpeechOutcome {
  readonly config: LinkConfig;
  readonly sending: SpeechSending;
  readonly facts: TransmitFacts;
  readonly figures: SpeechFigures;
  readonly psnrDb: number | null;
  readonly ok: boolean;
}

export function speechMetrics({ config, sending, facts, figures, psnrDb, ok }: SpeechOutcome): SpeechMetrics {
  const { speech, photo } = sending;
  const symbols = countedRe(facts.budget);
  const seconds = speech.samples.length / SPEECH_RATE_HZ;
  return {
    schema: SPEECH_SCHEMA,
    ok,
    codec: photo ? 'mixed' : 'speech',
    kind: figures.kind!,
    mapping: facts.mapping,
    channel: config.channel,
    snrDb: config.snrDb,
    seed: config.seed,
    seconds,
    stoi: figures.stoi,
    segmentalSnrDb: figures.segmentalSnrDb,
    psnrDb,
    priority: figures.priority ?? 1,
    symbols,
    symbolsPerSecond: symbols / seconds,
    speechSymbols: figures.symbols,
    speechSnrDb: figures.speechSnrDb,
    pictureSnrDb: figures.pictureSnrDb,
    sideInfoBytes: facts.sideInfoBytes,
    budget: facts.budget,
    outage: figures.outage === 0 ? 0 : 1,
    note: figures.note,
    sfvs: figures.sfvs,
  };
}
