import { inRange } from '../common/errors.ts';
import type { Numerology } from '../phy/numerology.ts';
import type { Mapping } from '../sct/allocation/allocate.ts';
import type { Codec } from '../sct/codec/codec.ts';
import type { HarqRule } from './harq/asking.ts';
import { ackTimeoutS } from './harq/sender-entity.ts';
import { USUAL_SFVS } from './plan/control-part.ts';

export interface TransmitterOptions {
  readonly numerology: Numerology;
  readonly codec: Codec;
  readonly session?: number;
  readonly mapping?: Mapping;
  /** True when --mapping was given: then a stale report does not lead to the robust map. */
  readonly mappingForced?: boolean;
  readonly maxCsiAgeS?: number;
  /** Most repetition rounds; 0 = none. */
  readonly harq?: number;
  /** What a repetition without room for all that is asked for carries: whole streams by importance (default), or of each alike. */
  readonly harqBy?: HarqRule;
  /** RE that a picture may take with its repetitions, as a multiple of its budget, from 1; default 1: repetitions are inside it. */
  readonly repeatBudget?: number;
  /** False: nobody answers, so nothing is repeated and nothing kept for it. Default true. */
  readonly answers?: boolean;
  /** Channel's Doppler spread if known, Hz: how far a report can be trusted after its age. */
  readonly dopplerHz?: number | null;
  /** SNR assumed when there has never been a report, dB. */
  readonly assumedSnrDb?: number;
  /** Time after a burst's end without an acknowledgement after which it is repeated. */
  readonly ackTimeoutS?: number;
  /** Water-filling over the subbands of a fresh report. */
  readonly powerLoading?: boolean;
  /** Of streams of bits (BitsWishes): extra margin of the more important half, dB; one MCS for all, default false. */
  readonly protectionDb?: number | undefined;
  readonly oneMcs?: boolean;
  /** Most SFVs of a picture, 1 to 255. */
  readonly maxSfvs?: number;
  readonly modelSet?: number;
  readonly seed?: number;
  /**
   * The samples of a picture's bursts are made before the next picture is sent: the memory of its analog streams then serves
   * that one, too. Default false.
   */
  readonly oneAtATime?: boolean;
}

/** Another model set of the same codec: a sender takes it between pictures. */
export type CodecChange = Required<Pick<TransmitterOptions, 'codec' | 'modelSet'>>;

/** With every default; what is not known stays null or undefined. */
export type CompleteOptions = Required<Omit<TransmitterOptions, 'dopplerHz' | 'protectionDb'>> & {
  readonly dopplerHz: number | null;
  readonly protectionDb: number | undefined;
};

/** Way back assumed where none is said: the default CSI delay. */
const DEFAULT_LATENCY_S = 0.02;

/** Fills in the defaults. UsageError for a repeat budget outside 1 to 1000. */
export function completeOptions(options: TransmitterOptions): CompleteOptions {
  const out: CompleteOptions = {
    session: 1,
    mapping: 'matched',
    mappingForced: false,
    maxCsiAgeS: 0.2,
    harq: 3,
    harqBy: 'importance',
    repeatBudget: 1,
    answers: true,
    assumedSnrDb: 5,
    ackTimeoutS: ackTimeoutS(DEFAULT_LATENCY_S),
    powerLoading: false,
    oneMcs: false,
    maxSfvs: USUAL_SFVS,
    modelSet: 0,
    seed: 1,
    oneAtATime: false,
    ...options,
    dopplerHz: options.dopplerHz ?? null,
    protectionDb: options.protectionDb,
  };
  inRange('repeat budget', out.repeatBudget, 1, 1000);
  inRange('most SFVs', out.maxSfvs, 1, 255);
  return out;
}
