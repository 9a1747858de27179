import { rm, stat } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { UsageError } from '../../common/errors.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import { encodePng } from '../../sct/image/save.ts';
import type { RunDirectory } from '../run/run-directory.ts';
import { FfmpegChild } from './ffmpeg-child.ts';
import type { VideoSettings } from './video-config.ts';

/** Files that MPEG-4 goes into: an encoder that every ffmpeg has, and that leaves the cores to the video. */
const ENDINGS: readonly string[] = ['.mp4', '.mkv', '.mov', '.avi'];
/** Frames that wait for ffmpeg at most, bytes; what comes then is left out of the file and counted. */
const MOST_WAITING_BYTES = 64 * 2 ** 20;
/** Longest gap that is filled with the picture before it, frames. */
const MOST_REPEATED = 300;

/** A video file of the frames as they were shown, through ffmpeg; where none was shown the picture before stands still. */
export class VideoFile {
  private readonly child: FfmpegChild;
  private readonly path: string;
  private last: { readonly frame: number; readonly data: Uint8Array } | null = null;
  left = 0;

  private constructor(child: FfmpegChild, path: string) {
    this.child = child;
    this.path = path;
  }

  /** @throws UsageError where the file exists already; DeviceError without ffmpeg */
  static async open(path: string, sizePx: number, fps: number): Promise<VideoFile> {
    if (path.includes('\0') || !ENDINGS.includes(extname(path).toLowerCase())) {
      throw new UsageError(`--video ${path.slice(0, 200)}: allowed ${ENDINGS.join(', ')}`);
    }
    if (await stat(path).catch(() => null)) {
      throw new UsageError(`--video ${path}: the file exists already`, 'give another name, or remove it');
    }
    const child = FfmpegChild.start({
      args: [
        ...['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', `${sizePx}x${sizePx}`, '-r', String(fps), '-i', 'pipe:0'],
        ...['-threads', '1', '-c:v', 'mpeg4', '-q:v', '2', '-pix_fmt', 'yuv420p', '-n', `file:${resolve(path)}`],
      ],
      stdin: true,
      stdout: false,
    });
    // Without ffmpeg this is told at once; what it dislikes later, by its exit code.
    await Promise.race([child.ended, new Promise((r) => setTimeout(r, START_MS))]);
    return new VideoFile(child, path);
  }

  add(frame: number, image: RgbImage): void {
    const { last } = this;
    const repeats = last ? Math.min(MOST_REPEATED, frame - last.frame - 1) : 0;
    for (let i = 0; i < repeats; i++) this.write(last!.data);
    this.write(image.data);
    this.last = { frame, data: image.data };
  }

  /** Waits until ffmpeg has written it all. @throws UsageError where it could not */
  async close(): Promise<void> {
    if (this.last === null) {
      await this.abandon();
      return;
    }
    await this.child.close(false);
    const code = await this.child.ended;
    if (code !== 0) {
      throw new UsageError(
        `--video ${this.path}: ffmpeg could not write it${this.child.complaint ? ` (${this.child.complaint})` : ''}`,
      );
    }
  }

  /** Ends it without waiting. */
  async abandon(): Promise<void> {
    await this.child.close();
    // Without a frame it is no film.
    if (this.last === null) await rm(this.path, { force: true });
  }

  private write(data: Uint8Array): void {
    const { stdin } = this.child;
    if (!stdin || stdin.destroyed || stdin.writableLength > MOST_WAITING_BYTES) this.left++;
    else stdin.write(data);
  }
}

const START_MS = 100;

/** What is kept of the frames that were shown: pictures in the run's directory, a video file. */
export class FrameKeeper {
  private readonly run: RunDirectory;
  private readonly settings: VideoSettings;
  private readonly video: VideoFile | null;
  private kept = 0;
  private writing: Promise<unknown> = Promise.resolve();
  private failure: Error | null = null;

  private constructor(run: RunDirectory, settings: VideoSettings, video: VideoFile | null) {
    this.run = run;
    this.settings = settings;
    this.video = video;
  }

  static async open(run: RunDirectory, settings: VideoSettings): Promise<FrameKeeper> {
    const { videoFile, sizePx, fps } = settings;
    return new FrameKeeper(run, settings, videoFile === null ? null : await VideoFile.open(videoFile, sizePx, fps));
  }

  shown(frame: number, image: RgbImage): void {
    const { sizePx, keepFrames } = this.settings;
    // A sender may use another size in between; a video file has one.
    if (image.width === sizePx && image.height === sizePx) this.video?.add(frame, image);
    if (this.kept >= keepFrames) return;
    this.kept++;
    const name = `frame-${String(frame).padStart(6, '0')}.png`;
    this.writing = this.writing
      .then(async () => this.run.write(name, await encodePng(image)))
      .catch((error: Error) => {
        this.failure ??= error;
      });
  }

  /** Waits until all is written. */
  async close(): Promise<readonly string[]> {
    await this.writing;
    await this.video?.close();
    if (this.failure) throw this.failure;
    return this.video && this.video.left > 0
      ? [`${this.video.left} frames are not in the video file: ffmpeg was too slow for them`]
      : [];
  }

  async abandon(): Promise<void> {
    await this.writing;
    await this.video?.abandon();
  }
}
