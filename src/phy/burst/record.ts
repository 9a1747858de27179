import type { Header } from '../frame/header.ts';

/** Everything a receiver knows of one burst from the air alone. Plain data: it can be cloned to another thread. */
export interface BurstRecord {
  readonly type: 'burst';
  /** Sample of the modem-rate stream at which the preamble starts. */
  readonly startSample: number;
  readonly lengthSamples: number;
  readonly header: Header;
  /** Extension bytes; null when there are none or they could not be decoded (`extensionOk`). */
  readonly extension: Uint8Array | null;
  readonly extensionOk: boolean;
  /** Slots received; fewer than the header's when the stream ended or broke inside the burst. */
  readonly slots: number;
  readonly truncated: boolean;
  /** What speaks against the slots (samples missing or silent, another signal on top), in words; else null. */
  readonly suspect: string | null;
  readonly detectionRho: number;
  readonly cfoHz: number;
  readonly sfoPpm: number;
  /** Receiver DC removed over the burst, relative to the burst's RMS, dB. */
  readonly dcDb: number;
  /** Mean noise variance per RE and mean channel power, arbitrary common unit; their ratio is the band SNR. */
  readonly noiseVariance: number;
  readonly snrDb: number;
  /** Payload RE after the MMSE equaliser, descrambled, [slot x nSubbands + subband][RB_DATA_RE][re, im]. */
  readonly payload: Float32Array;
  /** SNR of each payload RE (linear), [slot x nSubbands + subband][RB_DATA_RE]. */
  readonly payloadSnr: Float32Array;
  /** Noise variance per RE, in the unit of `noiseVariance`, [slot x nSubbands + subband]. */
  readonly rbNoise: Float32Array;
  /** Relative standard error of each, likewise. */
  readonly rbNoiseError: Float32Array;
  readonly rbSnrDb: Float32Array;
  readonly rbSnrErrorDb: Float32Array;
  readonly subbandSnrDb: Float32Array;
  readonly subbandSnrErrorDb: Float32Array;
  /** Channel in the middle of each slot, [slot][nCarriers][re, im]. */
  readonly channel: Float32Array;
  /**
   * What was taken out of `channel` in each slot, [slot][phase (rad), delay (samples)]: against the receiver's own oscillator,
   * with phase 0 at `startSample`, and its own sample clock it is channel_k exp(i (phase - 2 pi k delay / N)).
   */
  readonly slotTurn: Float64Array;
  /** Channel at the symbols of each slot that BurstReceiver.keptSymbols names, [slot][symbol][nCarriers][re, im]. */
  readonly channelDetail: Float32Array;
  /** Error variance of an estimated channel coefficient over the noise variance. */
  readonly channelError: number;
  /** Common phase of every symbol after frequency correction, rad, [symbols]. */
  readonly phase: Float64Array;
  /** What the channel estimator assumed, one line. */
  readonly estimator: string;
}

/** A preamble was seen, but no header that this receiver understands could be decoded after it. */
export interface MissRecord {
  readonly type: 'miss';
  readonly startSample: number;
  readonly detectionRho: number;
  readonly reason: 'no preamble' | 'no header' | 'other version' | 'stream ended';
  /** Air interface version of the header that was refused for it, else null. */
  readonly version: number | null;
}

/** A burst whose header was read and whose payload was not, for want of time: it is dropped whole. */
export interface SkipRecord {
  readonly type: 'skip';
  readonly startSample: number;
  readonly lengthSamples: number;
  readonly header: Header;
  readonly reason: 'overload';
}

export type ReceiverRecord = BurstRecord | MissRecord | SkipRecord;
