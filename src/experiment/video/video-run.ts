import { basename } from 'node:path';
import { ExitCode, SctError } from '../../common/errors.ts';
import { numerology } from '../../phy/numerology.ts';
import type { LinkConfig } from '../config/link-config.ts';
import { type BegunRun, beginRun } from '../run/begin-run.ts';
import { canonical } from '../run/canonical-json.ts';
import { endManifest, type RunManifest } from '../run/manifest.ts';
import { RUN_FILES } from '../run/run-files.ts';
import type { RunIo } from '../run/run-io.ts';
import { watchRun } from '../telemetry/run-facts.ts';
import type { RunWatch } from '../telemetry/run-watch.ts';
import { FrameBook, type FrameLine } from './frame-book.ts';
import type { VideoSettings } from './video-config.ts';
import { type VideoMetrics, videoExit } from './video-metrics.ts';
import { type FramePoint, videoPage } from './video-page.ts';
import { FrameKeeper } from './video-writer.ts';

/** What a video's run is called and made from. */
export interface VideoRunStart {
  readonly command: 'stream' | 'watch';
  /** Source or radio, for names. */
  readonly name: string;
  readonly channel: string;
  readonly modelled: boolean;
  readonly config: LinkConfig;
  /** As config.resolved.yaml says it. */
  readonly settings: object;
  readonly video: VideoSettings;
  /** Both ends are in this process. */
  readonly bothEnds: boolean;
  readonly deadlineMs: number | null;
  readonly loOffsetHz: number;
  readonly session?: number;
  readonly device?: object;
}

export interface VideoResult {
  readonly metrics: VideoMetrics;
  readonly directory: string;
  readonly exitCode: number;
  readonly outcome: string | null;
}

/** Points of the report that are kept: of a longer video every second one, and so on. */
const MOST_POINTS = 1 << 16;
/** Width of the histogram's bars, as the page draws them. */
const BAR_MS = 2;

/** The run directory of a video while it goes on. */
export class VideoRun {
  begun: BegunRun;
  readonly book: FrameBook;
  readonly keeper: FrameKeeper;
  readonly watch: RunWatch | null;
  private readonly start: VideoRunStart;
  private readonly io: RunIo;
  private points: FramePoint[] = [];
  private everyNth = 1;

  private constructor(start: VideoRunStart, io: RunIo, begun: BegunRun, keeper: FrameKeeper) {
    this.start = start;
    this.io = io;
    this.begun = begun;
    this.keeper = keeper;
    const { config, name, channel, modelled, loOffsetHz, deadlineMs, video, bothEnds } = start;
    this.watch = watchRun(
      io.telemetry,
      { config, numerology: numerology(config.numerology), title: basename(name), channel, modelled, loOffsetHz },
      begun,
    );
    this.book = new FrameBook({
      bothEnds,
      deadlineMs,
      sizePx: video.sizePx,
      telemetry: io.telemetry,
      line: (line) => this.line(line),
    });
  }

  /** Makes the run's directory; the files that are asked for are opened. */
  static async begin(start: VideoRunStart, io: RunIo): Promise<VideoRun> {
    const { name, channel, command, config, settings, session, device, video } = start;
    const begun = await beginRun(
      {
        name,
        channel: command === 'watch' ? 'watch' : channel,
        directory: io.outputDirectory,
        seed: command === 'stream' ? config.seed : null,
        config: settings,
        ...(session === undefined ? {} : { session }),
        ...(device === undefined ? {} : { device }),
      },
      io,
    );
    try {
      return new VideoRun(start, io, begun, await FrameKeeper.open(begun.run, video));
    } catch (error) {
      await fails(begun, io, error);
      throw error;
    }
  }

  /** Writes into run.json what is known of the radio once it is open, and of the way back at the end. */
  async opened(device: object): Promise<void> {
    const { run, manifest } = this.begun;
    const known = canonical({ ...manifest.device, ...device }) as NonNullable<RunManifest['device']>;
    this.begun = { run, manifest: { ...manifest, device: known } };
    await run.writeManifest(this.begun.manifest);
  }

  /** A line of progress. */
  progress(nowMs: number): void {
    const { counts, latency } = this.book.tally;
    const p50 = latency.quantileMs(0.5);
    const { sent, dropped } = counts;
    if (!this.start.modelled && sent !== null) {
      this.io.progress.update(`stream  ${sent} sent  ${dropped} left out`);
      return;
    }
    const parts = [
      `${counts.shown} shown (${this.book.tally.fps(nowMs)}/s)`,
      `${counts.late} late`,
      ...(dropped === null ? [] : [`${dropped} left out`]),
      `${counts.lost} lost`,
      ...(p50 === null ? [] : [`latency ${p50.toFixed(0)} ms`]),
    ];
    this.io.progress.update(`${this.start.command}  ${parts.join('  ')}`);
  }

  /** Writes metrics, report and the end of run.json. */
  async end(metrics: VideoMetrics): Promise<VideoResult> {
    const { begun, io, book } = this;
    const { run } = begun;
    const notes = await this.keeper.close();
    for (const note of notes) io.progress.note(note);
    const limits = this.start.config;
    const verdict = videoExit(metrics, limits);
    const exitCode = io.signal.aborted ? ExitCode.interrupted : verdict.exitCode;
    metrics.ok = exitCode === ExitCode.ok;
    metrics.files = {
      directory: run.path,
      run: run.file(RUN_FILES.manifest),
      report: run.file(RUN_FILES.report),
      frames: run.file('frames.jsonl'),
      ...(this.start.video.videoFile === null ? {} : { video: this.start.video.videoFile }),
    };
    await run.write(RUN_FILES.report, videoPage(metrics, book.tally.latency.histogram(BAR_MS), this.points));
    await run.writeMetrics(metrics);
    await run.writeManifest(endManifest(begun.manifest, io.now(), exitCode, verdict.outcome));
    this.watch?.ended(exitCode, verdict.outcome ?? goodEnd(metrics), { ...metrics });
    run.close();
    return { metrics, directory: run.path, exitCode, outcome: verdict.outcome };
  }

  /** Whatever went wrong, run.json says so. */
  async failed(error: unknown): Promise<void> {
    await this.keeper.abandon();
    await fails(this.begun, this.io, error);
    this.watch?.ended(codeOf(error), (error as Error).message, null);
  }

  private line(line: FrameLine): void {
    this.begun.run.appendFrame(line);
    const { frame, state, latencyMs, psnrDb } = line;
    if (frame % this.everyNth === 0) this.points.push({ frame, state, latencyMs, psnrDb });
    if (this.points.length < MOST_POINTS) return;
    this.everyNth *= 2;
    this.points = this.points.filter((p) => p.frame % this.everyNth === 0);
  }
}

/** How a video went that went well. */
function goodEnd({ counts, lateShare, psnrDb, latencyMs }: VideoMetrics): string {
  const { captured, sent, shown, late, lost } = counts;
  if (shown + late + lost === 0 && sent !== null) return `${sent} of ${captured} frames sent`;
  const all = captured ?? shown + late + lost;
  const measured = [
    ...(latencyMs.p50 === null ? [] : [`latency ${latencyMs.p50.toFixed(0)} ms`]),
    ...(psnrDb === null ? [] : [`PSNR ${psnrDb.toFixed(2)} dB`]),
    ...(lateShare === null ? [] : [`${(100 * lateShare).toFixed(2)} % not in time`]),
  ];
  return `${[`${shown} of ${all} frames shown`, ...measured].join(', ')}`;
}

function codeOf(error: unknown): ExitCode {
  return error instanceof SctError ? error.exitCode : ExitCode.internal;
}

async function fails({ run, manifest }: BegunRun, io: RunIo, error: unknown): Promise<void> {
  await run.writeManifest(endManifest(manifest, io.now(), codeOf(error), (error as Error).message));
  run.close();
}
