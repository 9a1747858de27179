/**
 * What every radio looks like to the rest of the testbed: USB board, file between two processes, or loopback in one.
 *
 * Time is the absolute sample index of a stream. It counts samples since the stream's start, including those known to
 * be lost, so that `index - indexOfOther` divided by the rate is a time even across gaps.
 */

import type { BoardIdentity } from './board-identity.ts';
import type { ClockCorrection } from './clock-error.ts';

/** Layout of one complex sample as the device delivers it; names are SigMF datatypes. */
export type SampleFormat = 'ci8' | 'ci16_le' | 'cf32_le';

/** Native samples, interleaved [sample][i, q]. */
export type SampleData = Int8Array | Int16Array | Float32Array;

/**
 * Samples that never arrived before a block. Host-side losses are exact (min = max); of device-side ones only bounds
 * may be known. The loss happened somewhere in the stream-index span [from, to]; `to` is the index of the block that
 * carries the record.
 */
export interface LossRecord {
  /** True: a half-duplex radio was not listening, because it was sending. Nothing was lost that it had heard. */
  readonly deaf?: boolean;
  readonly min: number;
  readonly max: number;
  readonly exact: boolean;
  readonly from: number;
  readonly to: number;
}

/**
 * A run of consecutive native samples. Rule of every stream: `index` = end of the block before + `lostBefore.min`
 * (so an inexact loss makes later indices lower bounds). The receiver of a block owns `data`; a source never
 * writes to it again.
 */
export interface SampleBlock {
  readonly data: SampleData;
  readonly format: SampleFormat;
  /** The native value that stands for amplitude 1.0. */
  readonly fullScale: number;
  /** Absolute index of the first sample; an exact integer. */
  readonly index: number;
  readonly lostBefore: LossRecord | null;
  /** Host's estimate of the first sample's time, ns since 1970 UTC; null where the source has no clock. */
  readonly timestampNs: bigint | null;
}

export interface NumberRange {
  readonly min: number;
  readonly max: number;
  /** Allowed values are min + k step; 0 = continuous. */
  readonly step: number;
}

export interface GainStage extends NumberRange {
  readonly name: string;
  readonly direction: 'rx' | 'tx';
  readonly unit: 'dB';
}

export interface RadioCapabilities {
  readonly name: string;
  readonly formats: readonly SampleFormat[];
  readonly duplex: 'full' | 'half';
  readonly rx: boolean;
  readonly tx: boolean;
  readonly frequencyHz: NumberRange;
  readonly rateHz: NumberRange;
  /** Highest rate that streams without gaps; above it only bursts of one device buffer. */
  readonly maxContinuousRateHz: number;
  readonly gains: readonly GainStage[];
  /** False: the source waits for its reader, so a slow reader loses nothing. */
  readonly realtime: boolean;
}

/** What a caller asks for; absent fields keep the device's default. Values are refused, never rounded. */
export interface StreamRequest {
  readonly frequencyHz?: number;
  readonly rateHz?: number;
  readonly bandwidthHz?: number;
  /** Gain of each named stage, dB. */
  readonly gainsDb?: Readonly<Record<string, number>>;
}

/** What the device really does, read back where it can be. */
export interface StreamSettings {
  readonly frequencyHz: number;
  readonly rateHz: number;
  readonly bandwidthHz: number | null;
  readonly gainsDb: Readonly<Record<string, number>>;
  readonly format: SampleFormat;
  readonly fullScale: number;
  /** Error of the board's clock that is taken out of frequency and rate; absent for none. */
  readonly clockPpm?: number;
}

export interface RxCounters {
  /** Samples delivered to the reader. */
  samples: number;
  lostMin: number;
  lostMax: number;
  /** Number of loss records. */
  gaps: number;
  /** Complex samples of which I or Q stood at the converter's limit. */
  clippedSamples: number;
}

export interface TxCounters {
  /** Samples sent, silence between bursts included. */
  samples: number;
  bursts: number;
  /** Complex samples limited to full scale on conversion to the native format. */
  clippedSamples: number;
  /** NaN or infinite components, sent as zero. */
  nonFinite: number;
  /** Times the device ran out of samples inside a burst. */
  underruns: number;
}

/**
 * Why a receiver's iteration ended: the source said it was at its end, it went silent without saying so (writer of a
 * file killed), or close() was called.
 */
export type StreamEnd = 'source-ended' | 'source-silent' | 'closed';

/** A running receiver. Iterate once; the iteration ends when the source ends or after close(). */
export interface RxStream extends AsyncIterable<SampleBlock> {
  readonly settings: StreamSettings;
  readonly counters: Readonly<RxCounters>;
  /** Null while samples may still come. */
  readonly ended: StreamEnd | null;
  /** What the source found wrong with itself by its end; null where nothing, and where it cannot tell. */
  readonly warning?: string | null;
  /**
   * Sets gain stages while it runs, where the board can; returns all stages as they are then. Values are refused, never rounded;
   * samples on their way still have the gain before.
   */
  setGains?(gainsDb: Readonly<Record<string, number>>): Promise<Readonly<Record<string, number>>>;
  /** Stops receiving; pending and later reads end. Safe to call twice. */
  close(): Promise<void>;
  describe(): string;
}

/** A running transmitter: silent unless a burst is being sent, silent after close(). */
export interface TxStream {
  readonly settings: StreamSettings;
  readonly counters: Readonly<TxCounters>;
  /** What the counters cannot tell on this board; null where nothing. */
  readonly warning?: string | null;
  /**
   * Queues one burst. `reIm` is interleaved [sample][re, im] with full scale 1.0 and is copied; `atIndex` is the
   * absolute index of its first sample, default right after what is queued. An index in the past is a DeviceError.
   * Returns where the burst went.
   */
  write(reIm: Float32Array, atIndex?: number): Promise<{ index: number; samples: number }>;
  /** Resolves when everything queued is in the air (or in the file). */
  drain(): Promise<void>;
  /** As RxStream.setGains, between bursts: what is queued is sent with the gain before. */
  setGains?(gainsDb: Readonly<Record<string, number>>): Promise<Readonly<Record<string, number>>>;
  /** Drains, then stops. Safe to call twice. */
  close(): Promise<void>;
  describe(): string;
}

export interface Radio {
  readonly uri: string;
  readonly capabilities: RadioCapabilities;
  /** What the board says of itself; absent where there is none. */
  readonly boardIdentity?: BoardIdentity;
  /** Error of its clock that is taken out of every frequency and rate; null for none, absent where there is no clock. */
  readonly clock?: ClockCorrection | null;
  /** DeviceError if the device is gone, busy, or half-duplex and transmitting. */
  openRx(request: StreamRequest): Promise<RxStream>;
  /** DeviceError if the device is gone, busy, or half-duplex and receiving. */
  openTx(request: StreamRequest): Promise<TxStream>;
  /** Of the board, degrees Celsius; null where it cannot be asked now. Absent where there is no thermometer. */
  temperatureC?(): Promise<number | null>;
  close(): Promise<void>;
  describe(): string;
}

export function newRxCounters(): RxCounters {
  return { samples: 0, lostMin: 0, lostMax: 0, gaps: 0, clippedSamples: 0 };
}

export function newTxCounters(): TxCounters {
  return { samples: 0, bursts: 0, clippedSamples: 0, nonFinite: 0, underruns: 0 };
}

/** Number of complex samples in a block. */
export function blockLength(block: SampleBlock): number {
  return block.data.length >> 1;
}

/** Adds a block to the counters of the stream that delivers it (clipping is counted by the source). */
export function countBlock(counters: RxCounters, block: SampleBlock): void {
  counters.samples += blockLength(block);
  if (block.lostBefore && !block.lostBefore.deaf) {
    counters.lostMin += block.lostBefore.min;
    counters.lostMax += block.lostBefore.max;
    counters.gaps++;
  }
}

/** An exact loss of the samples [from, to). */
export function exactLoss(from: number, to: number): LossRecord {
  return { min: to - from, max: to - from, exact: true, from, to };
}

/** Joins two losses with no delivered sample between them, the earlier one first. */
export function joinLosses(earlier: LossRecord | null, later: LossRecord | null): LossRecord | null {
  if (!earlier || !later) return earlier ?? later;
  return {
    ...(earlier.deaf && later.deaf ? { deaf: true } : {}),
    min: earlier.min + later.min,
    max: earlier.max + later.max,
    exact: earlier.exact && later.exact,
    from: Math.min(earlier.from, later.from),
    to: Math.max(earlier.to, later.to),
  };
}
