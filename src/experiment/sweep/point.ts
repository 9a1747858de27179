import type { LinkConfig } from '../config/link-config.ts';
import type { LinkMetrics } from '../metrics/metrics.ts';
import type { SpeechWords } from '../speech/speech-words.ts';

export const POINT_SCHEMA = 'sct.sweep-point/1';
export const RESULT_SCHEMA = 'sct.sweep-result/1';

/** What a file or folder is to a point. A worker elsewhere fetches it by its hash. */
export const INPUT_USES = [
  'photo',
  'speech',
  'truth',
  'models',
  'rx-models',
  'trace',
  'known',
  'lpips',
  'judge',
  'pair',
] as const;
export type InputUse = (typeof INPUT_USES)[number];

/** Something that a point reads besides its settings. */
export interface PointInput {
  readonly use: InputUse;
  /** On the machine that made the point, absolute. */
  readonly path: string;
  /** 64 hexadecimal digits: of a file's bytes; of a folder see `inputSha256`. */
  readonly sha256: string;
}

/** What a sweep can vary of speech. */
export type SpeechSetting = Partial<Pick<SpeechWords, 'kind' | 'priority' | 'maxSfvs' | 'symbols'>>;

/** Speech that is sent, with or without a photo beside it. */
export interface PointSpeech extends SpeechSetting {
  /** File name. */
  readonly name: string;
  /** No photo goes with it. */
  readonly alone: boolean;
}

/** One sending of one photo, of speech, or of both: a line of points.jsonl. */
export interface SweepPoint {
  readonly schema: typeof POINT_SCHEMA;
  /** 32 hexadecimal digits: the same settings and inputs have the same id in every sweep, wherever the files lie. */
  readonly id: string;
  /** Place in the sweep's order, from 0. */
  readonly index: number;
  /** Id of the points that differ in nothing but the seed, 32 hexadecimal digits. */
  readonly group: string;
  /** Place of this seed in its group, from 0, as the sweep's file lists them. */
  readonly seedIndex: number;
  /** File name of the photo; null: the demo photo, which is no input, or none where `speech` goes alone. */
  readonly photo: string | null;
  /** Absent for a photo alone. */
  readonly speech?: PointSpeech;
  readonly inputs: readonly PointInput[];
  /** Every setting, as `sct loopback` would resolve it; paths are those of `inputs`. */
  readonly config: LinkConfig;
}

/** The numbers of a link without what depends on the machine. */
export type PointMetrics = Omit<LinkMetrics, 'files' | 'timings'>;

/** What came of a point that was measured: a line of results.jsonl. A lost picture is a measurement like any other. */
export interface PointResult {
  readonly schema: typeof RESULT_SCHEMA;
  readonly id: string;
  readonly metrics: PointMetrics;
  /** As `sct loopback` would end: 0, 4, 5. */
  readonly exitCode: number;
  /** Differs from machine to machine: totalMs, of it overheadMs beside the link and the codec. */
  readonly timings: Readonly<Record<string, number>>;
}

/** A point that could not be measured (a file that is gone, a fault of the program): a line of failures.jsonl. */
export interface PointFailure {
  readonly id: string;
  readonly message: string;
  readonly exitCode: number;
}

/** `ofMachine`: memory was short, or a thread died. Another machine, or this one with fewer points at once, may measure it. */
export type PointOutcome =
  | { readonly kind: 'measured'; readonly result: PointResult }
  | { readonly kind: 'failed'; readonly failure: PointFailure; readonly ofMachine?: boolean };

/** Measures points one after another in this thread; networks are loaded when first needed and kept. */
export interface PointRunner {
  /** Never rejects: what goes wrong is a failure. */
  run(point: SweepPoint): Promise<PointOutcome>;
  close(): Promise<void>;
}

/** Where points are measured: threads of this process, or workers elsewhere. */
export interface PointQueue {
  /** Points worth having under way at once; may change as workers come and go, never below 1. */
  readonly width: number;
  /**
   * Hands a point out and gives its outcome once, however often it was delivered; the first outcome counts.
   * Rejects only where the queue itself can go on no more, which ends the sweep.
   */
  run(point: SweepPoint): Promise<PointOutcome>;
  /** The results of these points are on the sweep's disk itself: what the queue holds of them may go. */
  kept?(ids: readonly string[]): void;
  /** One line for logs. */
  describe(): string;
  /** Points under way are given up. */
  close(): Promise<void>;
}
