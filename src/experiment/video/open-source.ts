import { stat } from 'node:fs/promises';
import { UsageError } from '../../common/errors.ts';
import { FfmpegSource } from './ffmpeg-source.ts';
import { FolderSource } from './folder-source.ts';
import type { StreamSizePx, VideoSource } from './video-source.ts';

export interface SourceOptions {
  readonly sizePx: StreamSizePx;
  readonly fps: number;
  /** Files and folders begin anew at their end. */
  readonly loop: boolean;
}

const CAMERA_PREFIX = 'camera:';

/** The v4l2 device that SOURCE names; null where it names none. UsageError for `camera:` without a device. */
export function cameraPath(source: string): string | null {
  const path = source.startsWith(CAMERA_PREFIX) ? source.slice(CAMERA_PREFIX.length) : source;
  if (/^\/dev\/video\d{1,3}$/.test(path)) return path;
  if (!source.startsWith(CAMERA_PREFIX)) return null;
  throw new UsageError(`${source.slice(0, 80)} names no camera`, 'for example camera:/dev/video0');
}

/**
 * Opens SOURCE of `sct stream`: a folder of pictures, `camera:/dev/videoN` or /dev/videoN, or a video file.
 *
 * @throws UsageError where it is not there or none of these; DeviceError without ffmpeg or without a camera
 */
export async function openSource(source: string, options: SourceOptions): Promise<VideoSource> {
  if (source.includes('\0')) throw new UsageError('SOURCE has a zero byte');
  const camera = cameraPath(source);
  if (camera !== null) return FfmpegSource.open({ ...options, path: camera, kind: 'camera' });
  const found = await stat(source).catch(() => null);
  if (!found)
    throw new UsageError(
      `${source}: no such file or folder`,
      'give a folder of pictures, a video file or camera:/dev/video0',
    );
  if (found.isDirectory()) {
    const folder = await FolderSource.open(source, options.sizePx, options.loop);
    await folder.warm();
    return folder;
  }
  return FfmpegSource.open({ ...options, path: source, kind: 'file' });
}
