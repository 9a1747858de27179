import type { ReceiverRecord } from '../phy/burst/record.ts';
import type { DcIqEstimate } from '../phy/frontend/dc-iq.ts';
import type { LossRecord } from '../radio/radio.ts';

/** The modem's sample `modem` is the device's sample `device`; told when the stream begins and after a gap that is not bridged. */
export interface OriginRecord {
  readonly type: 'origin';
  readonly modem: number;
  readonly device: number;
}

/** Samples that never came to the receiver; told before everything that was heard behind them. */
export interface LossNote {
  readonly type: 'loss';
  readonly loss: LossRecord;
}

/** How far the front half has come: counters since the stream began. */
export interface ProgressRecord {
  readonly type: 'progress';
  /** Device samples taken. */
  readonly samples: number;
  /** Values that were no numbers (or absurdly large) and became 0. */
  readonly nonFiniteSamples: number;
  readonly carriersRemoved: number;
  /** Last DC and IQ estimate at the device; null before the first. */
  readonly imbalance: DcIqEstimate | null;
}

/** What the front half of the receiver (samples in, demodulated bursts out) tells the back half, in order. Plain data. */
export type FrontRecord = ReceiverRecord | OriginRecord | LossNote | ProgressRecord;
