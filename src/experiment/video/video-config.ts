import { inRange, UsageError } from '../../common/errors.ts';
import type { LinkConfig } from '../config/link-config.ts';
import { STREAM_SIZES_PX, type StreamSizePx } from './video-source.ts';

/** Settings of a stream or its reception beside those of the link; everything may be absent. */
export interface VideoInput {
  readonly sizePx?: number;
  readonly fps?: number;
  readonly deadlineMs?: number;
  readonly keepFrames?: number;
  /** Video file of the frames as they were shown, through ffmpeg. */
  readonly videoFile?: string;
}

export interface VideoSettings {
  readonly sizePx: StreamSizePx;
  readonly fps: number;
  /** From capture to screen. */
  readonly deadlineMs: number;
  /** Frames that are kept as pictures, the first of them. */
  readonly keepFrames: number;
  readonly videoFile: string | null;
}

export interface StreamConfig extends LinkConfig {
  readonly source: string;
  readonly to: string;
  readonly video: VideoSettings;
}

export interface WatchConfig extends LinkConfig {
  readonly from: string;
  readonly video: VideoSettings;
}

/** What a video's link has where nothing else is said: no repetitions, the small models, 15 subbands. */
export const VIDEO_LINK_DEFAULTS = { harq: 0, size: 'live', numerology: 15 } as const;

const DEFAULTS = { sizePx: 256, fps: 30, deadlineMs: 120, keepFrames: 0 } as const;
/** Pictures of frames in a run's directory. */
const MOST_KEPT_FRAMES = 10_000;

/** Checks the settings and fills in the defaults. UsageError naming the flag and what is allowed. */
export function resolveVideo(input: VideoInput): VideoSettings {
  const { sizePx = DEFAULTS.sizePx, fps = DEFAULTS.fps, deadlineMs = DEFAULTS.deadlineMs, keepFrames = 0 } = input;
  if (!isStreamSize(sizePx)) {
    throw new UsageError(`--size-px ${sizePx}: allowed ${STREAM_SIZES_PX.join(', ')}`);
  }
  inRange('--fps', fps, 0.5, 120, 'frames/s');
  inRange('--deadline', deadlineMs, 20, 10_000, 'ms');
  inRange('--keep-frames', keepFrames, 0, MOST_KEPT_FRAMES, 'frames');
  if (!Number.isInteger(keepFrames)) throw new UsageError(`--keep-frames ${keepFrames}: must be a whole number`);
  return { sizePx, fps, deadlineMs, keepFrames, videoFile: input.videoFile ?? null };
}

/** UsageError where the link is asked for what a stream of frames cannot have. */
export function checkVideoLink(config: LinkConfig): void {
  if (config.harq > 0) {
    throw new UsageError(
      `--harq ${config.harq}: a frame that is asked for again comes too late`,
      'a video is sent without repetitions: leave it out',
    );
  }
  if (config.task === 'machine') throw new UsageError('--task machine: a video is for the eye', 'leave it out');
  if (config.codec.startsWith('onnx:')) {
    throw new UsageError('--codec onnx: is for single pictures', 'give --codec integrated, modular or classical');
  }
}

function isStreamSize(px: number): px is StreamSizePx {
  return (STREAM_SIZES_PX as readonly number[]).includes(px);
}

/** Frames after which a stream ends; infinite where only the source ends it. */
export function mostFrames({ count, durationS, video }: StreamConfig): number {
  const timed = durationS === undefined ? Number.POSITIVE_INFINITY : Math.max(1, Math.round(durationS * video.fps));
  return Math.min(count ?? Number.POSITIVE_INFINITY, timed);
}

/** UsageError where a frame takes longer on the air than there is time between two. */
export function checkAirTime(airMs: number, { fps }: VideoSettings): void {
  const periodMs = 1e3 / fps;
  if (airMs < periodMs) return;
  throw new UsageError(
    `a frame takes ${airMs.toFixed(1)} ms on the air, and at --fps ${fps} there are ${periodMs.toFixed(1)} ms between two`,
    'give less --symbols-per-pixel, a larger --numerology or less --fps',
  );
}

/** Session of a video on the air, 1 to 255: another seed is another session. */
export function videoSession({ seed }: Pick<LinkConfig, 'seed'>): number {
  return 1 + (seed % 255);
}
