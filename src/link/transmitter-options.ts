import type { Numerology } from '../phy/numerology.ts';
import type { Mapping } from '../sct/allocation/allocate.ts';
import type { Codec } from '../sct/codec/codec.ts';
import type { HarqRule } from './harq/asking.ts';

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
  readonly modelSet?: number;
  readonly seed?: number;
}
