import type { SpeechFigures } from '../speech/speech-figures.ts';

/**
 * The numbers of one link run: what `--json` prints and metrics.json holds. Every key is always there; what was not
 * measured is null. Definitions: docs/metrics.md (their version is METRIC_DEFINITIONS).
 */
export const METRICS_SCHEMA = 'sct.metrics/1';

/** Version of the metric definitions; changes when the meaning (not the mere precision) of a number changes. */
export const METRIC_DEFINITIONS = '1';

export type SfvState = 'received' | 'repaired' | 'synthesised' | 'lost';

export interface SfvMetrics {
  id: number;
  label: string;
  importance: number | null;
  symbols: number;
  rbs: number[];
  snrDb: number | null;
  state: SfvState;
}

/** Repetitions of a run; what only the other end knows is null. */
export interface HarqMetrics {
  /** Most repetitions of one part of the picture, and all retransmission bursts. */
  rounds: number | null;
  bursts: number | null;
  /** Streams (SFVs) in these bursts, each as often as it was repeated; and all their channel symbols. */
  streams: number | null;
  symbols: number | null;
  /** Bursts that nobody acknowledged in time. */
  timeouts: number | null;
  /** Blocks that the sender gave up without an acknowledgement. */
  unacknowledged: number | null;
  lateAcks: number | null;
  duplicateAcks: number | null;
  refusedAcks: number | null;
  /** At the receiver: bursts that repeated known blocks; stood in for one never understood; were heard twice. */
  repetitions: number | null;
  recovered: number | null;
  duplicates: number | null;
  /** Processes whose soft buffers new data flushed; that gave theirs up for want of memory. */
  flushes: number | null;
  evictions: number | null;
}

/** What a machine receiver found in the features that came (`--task machine`); its latency is `timings.machineMs`. */
export interface MachineMetrics {
  /** Street classes, [class]: how sure the heads are that it is there, and its share of the picture's pixels. */
  classes: { name: string; probability: number; present: boolean; share: number }[];
  /** How sure the heads are that this is a street scene at all. */
  streetProbability: number;
  /** Against the heads on the original's own features; against `--truth`; and those against truth, the upper bound. null: not known. */
  withClean: MachineAgreement | null;
  withTruth: MachineAgreement | null;
  cleanWithTruth: MachineAgreement | null;
}

/** Two label maps of one picture: mean IoU over the classes that occur in either, share of pixels alike, presence that differs. */
export interface MachineAgreement {
  mIoU: number | null;
  pixelAccuracy: number | null;
  missed: string[];
  invented: string[];
}

export interface LinkMetrics {
  schema: string;
  /** The picture was decoded and the exit code is 0. */
  ok: boolean;
  codec: string;
  mode: string | null;
  mapping: string | null;
  /** Why this mapping, in words. */
  mappingReason: string | null;
  channel: string | null;
  snrDb: number | null;
  seed: number | null;
  psnrDb: number | null;
  msSsim: number | null;
  lpips: number | null;
  roiPsnrDb: number | null;
  ssim: number | null;
  importanceWeightedPsnrDb: number | null;
  mIoU: number | null;
  /** By the user's judge, of the received picture and of the original. */
  judgeMIoU: number | null;
  judgeCleanMIoU: number | null;
  task: string | null;
  /** Which distortion the chain was set for: both, task or pixel; null for a codec without that choice. */
  distortion: string | null;
  machine: MachineMetrics | null;
  /** Complex channel symbols per pixel, R; cbr = R/3. */
  symbolsPerPixel: number | null;
  cbr: number | null;
  sideInfoBytes: number | null;
  sideInfoSymbols: number | null;
  controlSymbols: number | null;
  padSymbols: number | null;
  pilotSymbols: number | null;
  preambleSymbols: number | null;
  soundingSymbols: number | null;
  reverseSymbols: number | null;
  retransmissions: number | null;
  harq: HarqMetrics | null;
  /** Power of each subband's payload with --power-loading, dB; null for equal power. */
  powerLoadingDb: number[] | null;
  bler: number | null;
  /** Of the first transmissions: code blocks, and those of them that failed; bler is their ratio. */
  codeBlocks: number | null;
  codeBlockErrors: number | null;
  /** 1 when side information or the file could not be decoded, else 0. */
  outage: 0 | 1 | null;
  /** Why the sender kept the picture back, which makes it an outage; null where it was sent, and where that is not known. */
  unsent: 'budget' | null;
  /** Mean RB SNR of each subband of the image bursts, dB. */
  rbSnrDb: (number | null)[] | null;
  evmDb: number | null;
  csiAgeMs: number | null;
  numerology: number | null;
  cfoHz: number | null;
  samples: number | null;
  lostSamples: number | null;
  /** Bursts that were heard and not decoded because the receiver could not keep up. */
  droppedBursts: number | null;
  clippedSamples: number | null;
  modelSet: string | null;
  timings: Record<string, number>;
  files: Record<string, string>;
  sfvs: SfvMetrics[];
  /** Where speech was sent, alone or beside a picture; absent otherwise. */
  speech?: SpeechFigures;
}

/** All metrics unmeasured; a run overwrites what it measures. */
export function emptyMetrics(codec: string): LinkMetrics {
  return {
    schema: METRICS_SCHEMA,
    ok: false,
    codec,
    mode: null,
    mapping: null,
    mappingReason: null,
    channel: null,
    snrDb: null,
    seed: null,
    psnrDb: null,
    msSsim: null,
    lpips: null,
    roiPsnrDb: null,
    ssim: null,
    importanceWeightedPsnrDb: null,
    mIoU: null,
    judgeMIoU: null,
    judgeCleanMIoU: null,
    task: null,
    distortion: null,
    machine: null,
    symbolsPerPixel: null,
    cbr: null,
    sideInfoBytes: null,
    sideInfoSymbols: null,
    controlSymbols: null,
    padSymbols: null,
    pilotSymbols: null,
    preambleSymbols: null,
    soundingSymbols: null,
    reverseSymbols: null,
    retransmissions: null,
    harq: null,
    powerLoadingDb: null,
    bler: null,
    codeBlocks: null,
    codeBlockErrors: null,
    outage: null,
    unsent: null,
    rbSnrDb: null,
    evmDb: null,
    csiAgeMs: null,
    numerology: null,
    cfoHz: null,
    samples: null,
    lostSamples: null,
    droppedBursts: null,
    clippedSamples: null,
    modelSet: null,
    timings: {},
    files: {},
    sfvs: [],
  };
}

/** Keys that metrics.json did not have from the beginning: a run recorded before lacks them, and its replay is not held against it. */
export const ADDED_KEYS: readonly string[] = ['codeBlocks', 'codeBlockErrors', 'judgeMIoU', 'judgeCleanMIoU', 'unsent'];

/** The keys in the order of the contract; metrics.json and `--json` follow it. */
export const METRIC_KEYS: readonly string[] = Object.keys(emptyMetrics(''));
