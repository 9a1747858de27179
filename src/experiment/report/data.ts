import type { SfvState } from '../../sct/codec/codec.ts';
import type { SideSplit } from '../../sct/codec/side-info.ts';
import type { Outline } from '../../sct/partition/outlines.ts';
import type { LinkMetrics } from '../metrics/metrics.ts';
import type { Json } from '../run/canonical-json.ts';
import type { RbShares } from './rb-shares.ts';
import type { Spectrogram } from './spectrogram.ts';
import type { Waterfall } from './waterfall.ts';

/**
 * What a run hands to its report: plain data (it can be cloned to another thread), filled by the link, drawn by html.ts
 * and terminal.ts. Arrays of numbers may be typed. null = not measured, shown as a dash with the reason.
 */
export type Numbers = ArrayLike<number>;

export type Modulation = 'QPSK' | '16-QAM' | '64-QAM' | '256-QAM' | 'analog';

export interface ReportPicture {
  /** data: URI of PNG, JPEG or WebP (pictureDataUri). */
  dataUri: string;
  width: number;
  height: number;
  /** For readers who cannot see it. */
  alt: string;
  /** File of the run directory with the exact pixels, linked from the picture. */
  file?: string;
  /** Shown under the picture, for example "differences times 8". */
  note?: string;
}

/** Sound of a run: its file beside the page, and data: URI of a WAV where it is short. */
export interface ReportSound {
  file: string;
  dataUri: string | null;
  spectrogram: Spectrogram;
}

/** Speech at both ends, as far as it is here. */
export interface ReportSpeech {
  source: ReportSound | null;
  received: ReportSound | null;
}

export interface ReportBurst {
  /** For example "sounding", "image 1 of 2", "retransmission 1". */
  kind: string;
  /** Absolute index of the first preamble sample in the received capture, and its length. */
  startSample: number;
  lengthSamples: number;
  /** Header fields in their order of transmission. */
  header: Record<string, string | number>;
  cfoHz: number | null;
  sfoPpm: number | null;
  /** Metric of the detector, 0..1. */
  detection: number | null;
  slots: number;
  evmDb: number | null;
  /** Mean RB SNR over the burst, dB. */
  snrDb: number | null;
  /** Samples were lost inside or clipped, or the header failed: what is wrong, else null. */
  suspect: string | null;
}

/** RB SNR of the image bursts and the report that allocation used. All arrays by subband unless said otherwise. */
export interface ReportRbSnr {
  subbands: number;
  /** Mean over the slots and its standard error, dB. */
  meanDb: Numbers;
  standardErrorDb: Numbers | null;
  /** Modulation of each subband; null where unused. */
  modulation: readonly (Modulation | null)[];
  /** What the CSI report said when the symbols were placed; null without a report. */
  reportedDb: Numbers | null;
  reportAgeMs: number | null;
  /** Per RB, dB [slot][subband]; NaN = not sent. */
  slots: number;
  perRbDb: Numbers;
  /** SNR that each modulation needs at its code rate, drawn as lines. */
  thresholds: readonly { modulation: Modulation; snrDb: number }[];
}

export interface ReportConstellation {
  modulation: Modulation;
  /** Equalised symbols, decimated, interleaved [point][re, im], unit mean power. */
  reIm: Numbers;
  /** Ideal points, interleaved; empty for analog symbols. */
  idealReIm: Numbers;
  evmDb: number | null;
}

export interface ReportChannel {
  /** Estimated frequency response over the occupied subcarriers; NaN at DC. */
  frequencyHz: Numbers;
  magnitudeDb: Numbers;
  phaseRad: Numbers;
  /** Power of the impulse response relative to its peak. */
  delayS: Numbers;
  impulseDb: Numbers;
  /** Delays that the cyclic prefix covers. */
  cpWindowS: readonly [number, number];
}

export interface ReportPhaseTrack {
  label: string;
  /** Time within the burst and common phase error of each symbol. */
  timeS: Numbers;
  phaseRad: Numbers;
}

export interface ReportBlock {
  block: number;
  what: string;
  bytes: number;
  modulation: string;
  rate: number;
  effectiveSnrDb: number | null;
  iterations: number | null;
  attempts: number;
  state: 'ok' | 'lost';
}

/** Resource elements by use. The first group counts in R, the second is reported beside it. */
export interface ReportBudget {
  pixels: number;
  payload: number;
  sideInfo: number;
  control: number;
  padding: number;
  retransmissions: number;
  preamble: number;
  pilots: number;
  sounding: number;
  reverse: number;
}

export interface ReportIdentification {
  /** Name of the picture or capture. */
  title: string;
  runId: string | null;
  /** UTC, ISO 8601. */
  time: string;
  /** The command line that reproduces the run, ready to paste. */
  command: string;
  codec: string;
  /** For example "AVIF quality 34, 4 412 bytes". */
  codecDetail: string | null;
  mapping: string | null;
  channel: string;
  snrDb: number | null;
  seed: number | null;
  /** One line: "25 subbands, FFT 512, 15 kHz, 7.68 Msps". */
  numerology: string;
  program: string;
  /** Further facts in order, shown as they are. */
  facts: Record<string, string>;
}

/** What a report draws of a run with SFVs: plain data, everything counted. */
export interface ReportSemantics {
  readonly width: number;
  readonly height: number;
  readonly grid: { readonly rows: number; readonly columns: number; readonly cellPx: number } | null;
  readonly outlines: readonly (readonly Outline[])[]; // [SFV id]
  readonly points: readonly { readonly x: number; readonly y: number; readonly depth: number }[]; // [SFV id], cells
  /** Most important first. */
  readonly sfvs: readonly ReportSfv[];
  /** Under the maps: the source, or what was received where the source is not known. */
  readonly photo: ReportPicture | null;
  readonly before: ReportPicture | null;
  readonly after: ReportPicture | null;
  /** Of each cell, [row][column]; importance against the mean cell, damage 0..1. */
  readonly importance: Numbers | null;
  readonly damage: Numbers | null;
  /** What the heads see in the received features, where the run asked for it. */
  readonly task: ReportTask | null;
  readonly bursts: readonly ReportBurstMap[];
  /** What correction did, dB; null without the source. */
  readonly correction: ReportCorrection | null;
  readonly sideSplit: SideSplit | null;
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  readonly timingsMs: Readonly<Record<string, number>>;
}

/** A machine's view: street classes on a grid four times finer than the cells. */
export interface ReportTask {
  readonly labels: Uint8Array; // [4 x rows][4 x columns]
  readonly palette: Uint8Array; // [label][r, g, b]
  readonly presence: readonly { readonly name: string; readonly probability: number; readonly present: boolean }[];
  readonly streetProbability: number;
  readonly latencyMs: number;
}

/** PSNR without and with correction: of the whole picture, and of the cells that the error mask names; null where it names none. */
export interface ReportCorrection {
  readonly damagedCells: number;
  readonly beforeDb: number;
  readonly afterDb: number;
  readonly damagedBeforeDb: number | null;
  readonly damagedAfterDb: number | null;
}

/** One SFV at both ends; null where that end is not known or nothing came. */
export interface ReportSfv {
  readonly id: number;
  readonly label: string;
  /** "#rrggbb" */
  readonly colour: string;
  /** Share of the picture's importance. */
  readonly importance: number | null;
  readonly cells: number | null;
  readonly symbols: number;
  /** Coded bytes that came; null for analog symbols. */
  readonly bytes: number | null;
  readonly rbs: number;
  /** SNR of a flat channel of the same capacity, dB: by the CSI report, and as measured. */
  readonly reportedDb: number | null;
  readonly measuredDb: number | null;
  readonly state: SfvState | null;
  /** Mean of the error mask over its cells, 0..1. */
  readonly damage: number | null;
  /** PSNR of its area without and with correction, dB; Infinity where nothing differs. */
  readonly beforeDb: number | null;
  readonly afterDb: number | null;
}

/** Who rides where in one burst. */
export interface ReportBurstMap {
  readonly burst: number;
  readonly subbands: number;
  readonly slots: number;
  readonly layout: 'ordered' | 'interleaved';
  /** Payload RE of an RB. */
  readonly rePerRb: number;
  /** RE that side information takes first in each RB, [slot][subband]; null = none anywhere. */
  readonly sideRe: Numbers | null;
  readonly shares: RbShares;
  readonly reportedDb: Numbers | null; // [subband]
  readonly measuredDb: Numbers | null; // [slot][subband], NaN = did not come
}

/** What of a picture arrived, whatever was made of it then. */
export interface ReportArrival {
  /** Everything that was sent of it arrived undamaged. */
  readonly complete: boolean;
  /** SFVs of which nothing was sent, and those that came in part. */
  readonly unsentSfvs: number;
  readonly damagedSfvs: number;
}

export interface ReportData {
  /** What the run was for: a picture over the link (default), sending without hearing what came of it, or sounding. */
  purpose?: 'picture' | 'sending' | 'sounding';
  identification: ReportIdentification;
  metrics: LinkMetrics;
  /** null where nothing of the picture could be read. */
  arrival?: ReportArrival | null;
  /** Reason of a null metric, by its key; common ones have a default. */
  notMeasured: Record<string, string>;
  pictures: { source: ReportPicture | null; received: ReportPicture | null; difference: ReportPicture | null };
  bursts: readonly ReportBurst[];
  rbSnr: ReportRbSnr | null;
  /** Only where speech was sent. */
  speech?: ReportSpeech | null;
  /** Only of codecs with SFVs. */
  semantics?: ReportSemantics | null;
  constellations: readonly ReportConstellation[];
  channel: ReportChannel | null;
  phaseTracks: readonly ReportPhaseTrack[];
  waterfall: Waterfall | null;
  blocks: readonly ReportBlock[];
  budget: ReportBudget | null;
  warnings: readonly string[];
  /** Worth knowing, and nothing wrong: how gains were found. */
  notes?: readonly string[];
  /** Sample rate of the received capture; places the bursts on the waterfall. */
  rateHz: number;
  /** run.json, shown at the end. */
  manifest: { [key: string]: Json } | null;
}

/** A shell command from argv: words with anything unusual are single-quoted. */
export function shellCommand(argv: readonly string[]): string {
  return argv.map((w) => (/^[A-Za-z0-9_./:=,@%+-]+$/.test(w) ? w : `'${w.replaceAll("'", "'\\''")}'`)).join(' ');
}
