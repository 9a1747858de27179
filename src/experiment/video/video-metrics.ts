import { ExitCode } from '../../common/errors.ts';
import type { FrameCounts } from '../../link/video/frame-tally.ts';
import type { BoardIdentity } from '../../radio/board-identity.ts';
import type { LinkConfig } from '../config/link-config.ts';
import type { CorrectorGain } from './corrector-gain.ts';
import type { FrameBook } from './frame-book.ts';
import type { VideoSettings } from './video-config.ts';

/** The numbers of one video, sent or received: `--json` and metrics.json. What was not measured is null. */
export interface VideoMetrics {
  readonly schema: 'sct.video/1';
  ok: boolean;
  readonly command: 'stream' | 'watch';
  /** True: the air is a model, no radio was involved. */
  readonly modelled: boolean;
  readonly source: string;
  /** What the board says of itself, emulated or not; null without one. */
  readonly board: BoardIdentity | null;
  readonly channel: string | null;
  readonly snrDb: number | null;
  readonly seed: number | null;
  /** null: nothing came that says so. */
  readonly codec: string | null;
  readonly size: string | null;
  readonly numerology: number;
  readonly sizePx: number;
  /** Frames a second: of the grid, and those that were shown. */
  readonly fps: number;
  readonly shownFps: number | null;
  readonly durationS: number;
  readonly deadlineMs: number | null;
  readonly counts: FrameCounts;
  /** Why frames were left out or lost. */
  readonly reasons: Readonly<Record<string, number>>;
  readonly lateShare: number | null;
  readonly latencyMs: {
    /** From the capture to the screen, or what else was measured. */
    readonly of: 'capture-to-shown' | 'air-to-shown' | 'air-time' | null;
    readonly p50: number | null;
    readonly p99: number | null;
    readonly mean: number | null;
    readonly max: number | null;
  };
  readonly psnrDb: number | null;
  readonly psnrLeastDb: number | null;
  readonly symbolsPerPixel: number | null;
  readonly cbr: number | null;
  /** Maps that frames were sent with. */
  readonly maps: Readonly<Record<string, number>>;
  readonly csiAgeMs: number | null;
  readonly damagedFrames: number;
  readonly rememberedFrames: number;
  readonly corrector: CorrectorGain | null;
  readonly samples: number | null;
  readonly lostSamples: number | null;
  readonly droppedBursts: number | null;
  /** CPU time of all threads for each captured or received frame, ms of one core. */
  readonly cpuMsPerFrame: number | null;
  /** How far the modelled air was behind time at worst. */
  readonly airBehindMs: number | null;
  readonly notes: readonly string[];
  timings: Readonly<Record<string, number>>;
  files: Readonly<Record<string, string>>;
}

export interface MetricInputs {
  readonly command: 'stream' | 'watch';
  readonly modelled: boolean;
  readonly source: string;
  readonly board?: BoardIdentity | undefined;
  readonly config: LinkConfig;
  readonly video: VideoSettings;
  readonly book: FrameBook;
  /** What the frames say of themselves; absent: what the configuration says. */
  readonly sentWith?: { readonly codec: string | null; readonly size: string | null };
  readonly durationS: number;
  readonly latencyOf: VideoMetrics['latencyMs']['of'];
  readonly deadlineMs: number | null;
  readonly corrector: CorrectorGain | null;
  readonly samples: number | null;
  readonly lostSamples: number | null;
  readonly droppedBursts: number | null;
  readonly cpuMs: number | null;
  readonly airBehindMs: number | null;
  readonly notes: readonly string[];
}

export function videoMetrics(i: MetricInputs): VideoMetrics {
  const { config, video, book } = i;
  const { counts, latency, lateShare } = book.tally;
  const r = book.meanSymbolsPerPixel;
  const frames = counts.captured ?? counts.shown + counts.late;
  return {
    schema: 'sct.video/1',
    ok: false,
    command: i.command,
    modelled: i.modelled,
    source: i.source,
    board: i.board ?? null,
    channel: i.modelled ? config.channel : null,
    snrDb: i.modelled ? config.snrDb : null,
    seed: i.command === 'stream' ? config.seed : null,
    ...(i.sentWith ?? { codec: config.codec, size: config.codec === 'classical' ? null : (config.size ?? 'base') }),
    numerology: config.numerology,
    sizePx: video.sizePx,
    fps: video.fps,
    shownFps: i.durationS > 0 && i.command === 'stream' && i.modelled ? counts.shown / i.durationS : null,
    durationS: i.durationS,
    deadlineMs: i.deadlineMs,
    counts: { ...counts },
    reasons: { ...book.reasons },
    lateShare,
    latencyMs: {
      of: latency.count === 0 ? null : i.latencyOf,
      p50: latency.quantileMs(0.5),
      p99: latency.quantileMs(0.99),
      mean: latency.meanMs,
      max: latency.maxMs,
    },
    psnrDb: book.meanPsnrDb,
    psnrLeastDb: book.leastPsnrDb,
    symbolsPerPixel: r,
    cbr: r === null ? null : r / 3,
    maps: { ...book.maps },
    csiAgeMs: book.medianCsiAgeMs,
    damagedFrames: book.damagedFrames,
    rememberedFrames: book.rememberedFrames,
    corrector: i.corrector,
    samples: i.samples,
    lostSamples: i.lostSamples,
    droppedBursts: i.droppedBursts,
    cpuMsPerFrame: i.cpuMs === null || frames === 0 ? null : i.cpuMs / frames,
    airBehindMs: i.airBehindMs,
    notes: [...i.notes],
    timings: {},
    files: {},
  };
}

/** The exit code of a video by the contract, and why it is not 0. */
export function videoExit(
  m: VideoMetrics,
  limits: Pick<LinkConfig, 'minPsnrDb' | 'maxDrops'>,
): { readonly exitCode: ExitCode; readonly outcome: string | null } {
  const { counts } = m;
  const came = counts.shown + counts.late;
  const heard = m.command === 'watch' || m.modelled;
  if (heard && came === 0) {
    return { exitCode: ExitCode.noSignal, outcome: 'no frame came through' };
  }
  const { minPsnrDb, maxDrops } = limits;
  if (heard && counts.shown === 0)
    return { exitCode: ExitCode.quality, outcome: 'every frame came after its deadline' };
  if (minPsnrDb !== undefined && m.psnrDb !== null && m.psnrDb < minPsnrDb) {
    return {
      exitCode: ExitCode.quality,
      outcome: `PSNR ${m.psnrDb.toFixed(2)} dB is below --min-psnr ${minPsnrDb} dB`,
    };
  }
  if (maxDrops !== undefined && (m.lostSamples ?? 0) > maxDrops) {
    return {
      exitCode: ExitCode.samplesLost,
      outcome: `${m.lostSamples} samples were lost, more than --max-drops ${maxDrops}`,
    };
  }
  return { exitCode: ExitCode.ok, outcome: null };
}
