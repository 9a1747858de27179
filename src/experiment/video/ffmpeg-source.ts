import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { DeviceError, UsageError } from '../../common/errors.ts';
import { FfmpegChild } from './ffmpeg-child.ts';
import { FrameSplitter } from './frame-splitter.ts';
import type { SourceFrame, StreamSizePx, VideoSource } from './video-source.ts';

export interface FfmpegSourceOptions {
  /** A video file, or a v4l2 device. */
  readonly path: string;
  readonly kind: 'file' | 'camera';
  readonly sizePx: StreamSizePx;
  readonly fps: number;
  /** A file begins anew at its end. */
  readonly loop: boolean;
  readonly program?: string;
}

/** Frames of a file that wait to be asked for; further ones wait in the pipe. */
const MOST_WAITING = 8;
/** Largest picture that is decoded; larger ones are refused by ffmpeg. */
const MOST_PIXELS = 8192 * 8192;
/** A camera that sends nothing for so long is no camera, ms. */
const CAMERA_SILENT_MS = 10_000;

/**
 * Frames of a video file or camera through ffmpeg: it crops the middle, scales, brings the frames to the wanted rate and writes
 * them as raw rgb24. A file waits for its reader; of a camera only the newest frame is kept.
 */
export class FfmpegSource implements VideoSource {
  private readonly options: FfmpegSourceOptions;
  private readonly child: FfmpegChild;
  private readonly splitter: FrameSplitter;
  private readonly frames: SourceFrame[] = [];
  private wake: (() => void) | null = null;
  private over = false;
  private closed = false;
  private count = 0;
  /** Frames of a camera that a newer one replaced before they were asked for. */
  replaced = 0;

  private constructor(options: FfmpegSourceOptions) {
    this.options = options;
    const { program, sizePx, kind } = options;
    this.splitter = new FrameSplitter(sizePx * sizePx * 3);
    this.child = FfmpegChild.start({
      args: ffmpegArguments(options),
      stdin: false,
      stdout: true,
      ...(program === undefined ? {} : { program }),
    });
    const stdout = this.child.stdout!;
    stdout.on('data', (bytes: Buffer) => {
      for (const data of this.splitter.push(bytes)) this.add(data);
      if (kind === 'file' && this.frames.length >= MOST_WAITING) stdout.pause();
    });
    const end = () => {
      this.over = true;
      this.wake?.();
    };
    this.child.ended.then(end, end);
  }

  /**
   * Starts ffmpeg and waits for the first frame.
   *
   * @throws UsageError where the file is not there or not a video; DeviceError without ffmpeg, or where the camera gives nothing
   */
  static async open(options: FfmpegSourceOptions): Promise<FfmpegSource> {
    await checkPath(options);
    const source = new FfmpegSource(options);
    try {
      if (!(await source.waits())) await source.fail();
    } catch (error) {
      await source.close();
      throw error;
    }
    return source;
  }

  async next(): Promise<SourceFrame | null> {
    if (this.frames.length === 0 && !(await this.waits())) {
      // What ended early says why; a file that was read to its end does not.
      if (!this.closed && (await this.child.ended) !== 0) await this.fail();
      return null;
    }
    const frame = this.frames.shift()!;
    if (this.frames.length < MOST_WAITING / 2) this.child.stdout?.resume();
    return frame;
  }

  async close(): Promise<void> {
    this.closed = true;
    this.over = true;
    this.wake?.();
    await this.child.close();
  }

  describe(): string {
    const { kind, path, sizePx, fps } = this.options;
    return `${kind === 'camera' ? 'camera' : 'video'} ${basename(path)} through ffmpeg, centre ${sizePx}x${sizePx}, ${fps} frames/s`;
  }

  private add(data: Uint8Array): void {
    const { sizePx, kind } = this.options;
    const image = { width: sizePx, height: sizePx, data };
    this.count++;
    if (kind === 'camera') {
      this.replaced += this.frames.length;
      this.frames.length = 0;
      this.frames.push({ image, capturedAtMs: performance.timeOrigin + performance.now() });
    } else this.frames.push({ image, capturedAtMs: null });
    this.wake?.();
  }

  /** Waits for a frame; false where none will come. */
  private async waits(): Promise<boolean> {
    const until = this.options.kind === 'camera' ? performance.now() + CAMERA_SILENT_MS : Number.POSITIVE_INFINITY;
    while (this.frames.length === 0 && !this.over) {
      await new Promise<void>((resolve) => {
        const timer = Number.isFinite(until) ? setTimeout(resolve, CAMERA_SILENT_MS) : null;
        this.wake = () => {
          if (timer) clearTimeout(timer);
          resolve();
        };
      });
      this.wake = null;
      if (performance.now() >= until) break;
    }
    return this.frames.length > 0;
  }

  private async fail(): Promise<never> {
    const { kind, path } = this.options;
    if (this.over) await this.child.ended;
    const said = this.child.complaint;
    const why = said ? ` (ffmpeg: ${said})` : '';
    if (kind === 'camera') {
      throw new DeviceError(`${path} gives no pictures${why}`, 'v4l2-ctl --list-devices lists the cameras');
    }
    if (this.count > 0) throw new UsageError(`${path} is damaged after ${this.count} frames${why}`);
    throw new UsageError(`${path} is no video that can be read${why}`, 'give a video file, or a folder of pictures');
  }
}

async function checkPath({ path, kind }: FfmpegSourceOptions): Promise<void> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => error.code ?? 'error');
  if (kind === 'camera') {
    if (typeof found === 'string') {
      throw new DeviceError(`${path}: no such camera (${found})`, 'cameras are /dev/video0, /dev/video1, …');
    }
    if (!found.isCharacterDevice()) throw new DeviceError(`${path} is not a device`, 'cameras are /dev/video0, …');
    return;
  }
  if (typeof found === 'string') {
    throw new UsageError(`${path}: ${found === 'ENOENT' ? 'no such file or folder' : `cannot be read (${found})`}`);
  }
  if (!found.isFile()) throw new UsageError(`${path} is not a regular file`);
  if (found.size === 0) throw new UsageError(`${path} is empty`);
}

/** The arguments behind those that every ffmpeg here has. */
export function ffmpegArguments({ path, kind, sizePx, fps, loop }: FfmpegSourceOptions): string[] {
  const square = "crop='min(iw,ih)':'min(iw,ih)'";
  // A file names no other file or host: playlists and the like find nothing but local files, and only by their own format.
  const input =
    kind === 'camera'
      ? ['-f', 'v4l2', '-framerate', String(fps), '-i', path]
      : [
          ...(loop ? ['-stream_loop', '-1'] : []),
          ...['-protocol_whitelist', 'file', '-max_pixels', String(MOST_PIXELS), '-i', `file:${resolve(path)}`],
        ];
  return [
    ...['-threads', '1', ...input],
    ...['-map', '0:v:0', '-an', '-sn', '-dn'],
    ...['-vf', `fps=${fps},${square},scale=${sizePx}:${sizePx}:flags=area,format=rgb24`],
    ...['-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'],
  ];
}
