import type { Extension } from '../phy/frame/extension.ts';
import type { BurstLayout } from '../phy/resource-grid.ts';
import type { SourcePlan, StreamGrant } from '../sct/codec/codec.ts';
import type { BurstUse } from './accounting.ts';
import type { Loading } from './plan/adaptation.ts';
import type { ChannelKnowledge } from './plan/channel-knowledge.ts';

/** A burst ready for the air, at the modem rate. */
export interface TransmitBurst {
  readonly use: BurstUse;
  readonly burst: number;
  /** [layout.samples][re, im]; made each time it is read, so that a large picture's bursts never lie in memory at once. */
  readonly samples: Float32Array;
  /** The same, written to the beginning of `room`, which holds at least as many. */
  samplesIn(room: Float32Array): Float32Array;
  readonly layout: BurstLayout;
  readonly slots: number;
  readonly extension: Extension | null;
}

/** What was decided for one picture. */
export interface TransmissionPlan {
  readonly map: ChannelKnowledge['map'];
  /** Why this map, in words. */
  readonly mapReason: string;
  /** Extra margin of the more important half in the code rates of streams of bits, dB. */
  readonly protectionDb: number;
  readonly csiNumber: number;
  readonly csiAgeS: number | null;
  readonly loading: Loading;
  /** Subband SNRs that the report said, dB; null without one. */
  readonly reportedSnrDb: number[] | null;
  /** Power of each subband's payload, dB; null for equal power. */
  readonly powerDb: number[] | null;
  readonly payloadBytes: number;
  readonly sideInfoBytes: number;
  /** Of the first burst's code blocks; null where no bits are sent. */
  readonly codeRate: number | null;
  /** What the codec made of the picture before it knew its grants. */
  readonly source: SourcePlan;
  /** What each stream may take, most important first, and streams that get nothing. */
  readonly grants: readonly StreamGrant[];
  readonly dropped: readonly number[];
  /** What a user should know: what does not fit well. */
  readonly warnings: readonly string[];
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  /** Milliseconds of each step of the codec. */
  readonly timingsMs: Readonly<Record<string, number>>;
  /** Empty of a picture that is not sent. */
  readonly bursts: readonly TransmitBurst[];
  /** Why nothing of it is sent; null where it is. */
  readonly unsent: Unsent | null;
}

/** A picture that its sender kept back. */
export interface Unsent {
  /** `budget`: what the channel carries within the picture's budget, as far as its sender knows the channel, is less than any coding of it takes. */
  readonly reason: 'budget';
  /** In words, with what would do. */
  readonly why: string;
}
