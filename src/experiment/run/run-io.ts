import type { Telemetry } from '../../link/telemetry.ts';
import type { LinkConfig, LinkInput } from '../config/link-config.ts';
import type { LinkMetrics } from '../metrics/metrics.ts';
import type { TransmitFacts } from '../metrics/transmit-facts.ts';
import type { EarlierPictures, PictureMetrics } from '../receive/picture-ledger.ts';
import type { ReportData } from '../report/data.ts';
import type { Progress } from '../report/progress.ts';
import type { SpeechWords } from '../speech/speech-words.ts';

/** What a run has around it; the command line fills it, tests can too. */
export interface RunIo {
  readonly progress: Progress;
  /** The command line, for run.json. */
  readonly argv: readonly string[];
  now(): Date;
  /** `-o DIR`; absent: a directory that the run names itself. */
  readonly outputDirectory?: string;
  /** Where such directories are; absent: `runs`. */
  readonly runsFolder?: string;
  /** `--json` was given: then nothing but the result goes to stdout, which the command line writes. */
  readonly json: boolean;
  /** Aborted by the first Ctrl-C: stop transmitting, keep what was recorded, return or throw soon. */
  readonly signal: AbortSignal;
  /** Who watches; absent: nobody. */
  readonly telemetry?: Telemetry;
  /** How fast simulated time may go, s of it a second of the wall clock; absent: as fast as it can. */
  readonly pace?: number;
}

/** Where the pictures come from. */
export type PhotoSource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'folder'; readonly path: string; readonly files: readonly string[] }
  | { readonly kind: 'demo' };

export interface LoopbackConfig extends LinkConfig {
  readonly photo: PhotoSource;
}

export interface SendConfig extends LinkConfig {
  /** May be absent where there is speech. */
  readonly photo?: PhotoSource;
  /** Sent alone or beside the photo, in one budget. */
  readonly speech?: SpeechWords;
  /** Radio URI, checked. */
  readonly to: string;
}

export interface ReceiveConfig extends LinkConfig {
  readonly from: string;
  /** Original to compare with, a photo or a WAV file; without it quality is null. */
  readonly reference?: string;
}

export interface SoundConfig extends LinkConfig {
  readonly tx: string;
  readonly rx: string;
  /** One sounding burst each `periodMs`; absent: one burst. */
  readonly periodMs?: number;
}

export interface ReplayConfig {
  /** Base name or .sigmf-meta of a capture, or a run directory or its run.json. */
  readonly source: string;
  readonly check: boolean;
  readonly reference?: string;
  /** Flags that were given; where absent, what run.json or the capture says holds. */
  readonly given: LinkInput;
}

/** One picture, or one capture. */
export interface RunResult {
  readonly metrics: LinkMetrics;
  readonly report: ReportData;
  /** Each of several pictures of a stream, in order; absent where there was one. The metrics above are the last one's. */
  readonly pictures?: readonly PictureMetrics[];
  /** Those of a long stream before them. */
  readonly earlier?: EarlierPictures;
  readonly directory: string;
  readonly exitCode: number;
  /** What the transmitter knew, where it is here. */
  readonly facts?: TransmitFacts;
  /** What run.json says of the end, where that is not "well". */
  readonly outcome?: string;
  /** What the exit code means here, where it is not what it usually means. */
  readonly reason?: string;
}

/** A folder of pictures. */
export interface FolderResult {
  readonly images: readonly (LinkMetrics & { readonly photo?: string })[];
  /** Means over the pictures of every numeric metric that was measured in all of them. */
  readonly means: Readonly<Record<string, number | null>>;
  readonly directory?: string;
  readonly exitCode: number;
}
