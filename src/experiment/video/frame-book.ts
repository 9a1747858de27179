import type { Telemetry } from '../../link/telemetry.ts';
import { type FrameState, FrameTally } from '../../link/video/frame-tally.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import { shownJpeg } from '../telemetry/picture-telemetry.ts';

/** One line of frames.jsonl. Times in UTC ms; what is not known is null. */
export interface FrameLine {
  readonly frame: number;
  /** `sent`: this end does not know what became of it. */
  readonly state: FrameState | 'sent';
  readonly reason: string | null;
  readonly capturedMs: number | null;
  /** When its burst began. */
  readonly onAirMs: number | null;
  readonly shownMs: number | null;
  readonly latencyMs: number | null;
  readonly psnrDb: number | null;
  readonly snrDb: number | null;
  readonly map: string | null;
  readonly csiAgeMs: number | null;
  readonly symbolsPerPixel: number | null;
  readonly damagedShare: number | null;
  /** Of the damaged cells those that were restored with the frame before. */
  readonly remembered: number | null;
}

/** Where frames and what is known of them go. */
export interface FrameBookOptions {
  readonly bothEnds: boolean;
  readonly deadlineMs: number | null;
  readonly sizePx: number;
  line(line: FrameLine): void;
  readonly telemetry?: Telemetry | undefined;
}

/** With a picture a frame is told at most so often, ms: making it costs the same cores that the video needs. */
const PICTURE_EVERY_MS = 100;
const NOTHING = {
  reason: null,
  capturedMs: null,
  onAirMs: null,
  shownMs: null,
  latencyMs: null,
  psnrDb: null,
  snrDb: null,
  map: null,
  csiAgeMs: null,
  symbolsPerPixel: null,
  damagedShare: null,
  remembered: null,
} as const;

/** What became of every frame: one line each, counts, means, and what a dashboard shows. */
export class FrameBook {
  readonly tally: FrameTally;
  readonly reasons: Record<string, number> = {};
  readonly maps: Record<string, number> = {};
  private readonly options: FrameBookOptions;
  private readonly psnr = { sum: 0, count: 0, least: Number.POSITIVE_INFINITY };
  private readonly rate = { sum: 0, count: 0 };
  private readonly ages: number[] = [];
  /** Frames with damage, and those of them that the frame before helped to restore. */
  damagedFrames = 0;
  rememberedFrames = 0;
  private pictureAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: FrameBookOptions) {
    this.options = options;
    this.tally = new FrameTally(options.bothEnds);
  }

  captured(): void {
    this.tally.counts.captured = (this.tally.counts.captured ?? 0) + 1;
  }

  sent(map: string, csiAgeMs: number | null, symbolsPerPixel: number): void {
    this.tally.counts.sent = (this.tally.counts.sent ?? 0) + 1;
    this.maps[map] = (this.maps[map] ?? 0) + 1;
    this.rate.sum += symbolsPerPixel;
    this.rate.count++;
    if (csiAgeMs !== null && this.ages.length < MOST_AGES) this.ages.push(csiAgeMs);
  }

  /** A frame's way has ended; `image` where it was shown. */
  ended(frame: Pick<FrameLine, 'frame' | 'state'> & Partial<FrameLine>, image: RgbImage | null, nowMs: number): void {
    const line: FrameLine = { ...NOTHING, ...frame };
    const { counts } = this.tally;
    if (line.state === 'shown') this.tally.shown(nowMs, line.latencyMs);
    else if (line.state === 'dropped') counts.dropped = (counts.dropped ?? 0) + 1;
    else if (line.state !== 'sent') counts[line.state]++;
    if (line.state === 'late' && line.latencyMs !== null) this.tally.latency.add(line.latencyMs);
    if (line.reason !== null) this.reasons[line.reason] = (this.reasons[line.reason] ?? 0) + 1;
    if (line.psnrDb !== null && line.state === 'shown') {
      this.psnr.sum += line.psnrDb;
      this.psnr.count++;
      this.psnr.least = Math.min(this.psnr.least, line.psnrDb);
    }
    if (line.damagedShare) this.damagedFrames++;
    if (line.remembered) this.rememberedFrames++;
    this.options.line(line);
    this.tell(line, image, nowMs);
  }

  get meanPsnrDb(): number | null {
    return this.psnr.count === 0 ? null : this.psnr.sum / this.psnr.count;
  }

  get leastPsnrDb(): number | null {
    return this.psnr.count === 0 ? null : this.psnr.least;
  }

  /** Mean channel symbols per pixel of the frames that were sent. */
  get meanSymbolsPerPixel(): number | null {
    return this.rate.count === 0 ? null : this.rate.sum / this.rate.count;
  }

  get medianCsiAgeMs(): number | null {
    const sorted = [...this.ages].sort((a, b) => a - b);
    return sorted.length === 0 ? null : sorted[sorted.length >> 1];
  }

  private tell(line: FrameLine, image: RgbImage | null, nowMs: number): void {
    const { telemetry, sizePx, deadlineMs } = this.options;
    if (!telemetry || line.state === 'sent') return;
    const shows = image !== null && nowMs - this.pictureAtMs >= PICTURE_EVERY_MS;
    if (shows) this.pictureAtMs = nowMs;
    const { latency, counts } = this.tally;
    const event = {
      ...({ topic: 'video', frame: line.frame, state: line.state, width: sizePx, height: sizePx } as const),
      mediaType: 'image/jpeg' as const,
      capturedAtMs: line.capturedMs,
      shownAtMs: line.shownMs,
      latencyMs: line.latencyMs,
      deadlineMs,
      psnrDb: line.psnrDb,
      conditioned: line.remembered === null ? null : line.remembered > 0,
      counts: { ...counts },
      fps: this.tally.fps(nowMs),
      latencyP50Ms: latency.quantileMs(0.5),
      latencyP99Ms: latency.quantileMs(0.99),
    };
    const tell = (bytes: Uint8Array) => telemetry.tell({ ...event, bytes });
    if (shows) void shownJpeg(image).then(tell, () => tell(new Uint8Array(0)));
    else tell(new Uint8Array(0));
  }
}

const MOST_AGES = 100_000;
