import { UsageError } from '../../common/errors.ts';
import { parseRadioUri } from '../../radio/uri.ts';
import { tracePath } from '../config/link-config.ts';
import type { RunIo } from '../run/run-io.ts';
import { runFileStream } from './file-stream.ts';
import { runLoopbackStream } from './loopback-stream.ts';
import { openSource } from './open-source.ts';
import { runRadioStream } from './radio-stream.ts';
import type { StreamConfig } from './video-config.ts';
import type { VideoResult } from './video-run.ts';

/**
 * `sct stream SOURCE --to URI`. A folder or video file begins anew at its end where a duration or a number of frames is asked for;
 * else it is sent once.
 */
export async function runStream(config: StreamConfig, io: RunIo): Promise<VideoResult> {
  const uri = parseRadioUri(config.to);
  if (tracePath(config.channel) !== null) {
    throw new UsageError(
      '--channel trace: a recorded channel is too short for a video',
      'give a model: awgn, epa, eva',
    );
  }
  if (config.powerLoading && config.feedback === 'none') {
    throw new UsageError('--power-loading needs the CSI report, and --feedback none brings none');
  }
  if (config.minPsnrDb !== undefined && uri.kind !== 'loopback') {
    throw new UsageError('--min-psnr: nothing is shown at this end', 'only --to loopback knows the PSNR');
  }
  const { sizePx, fps } = config.video;
  const loop = config.durationS !== undefined || config.count !== undefined;
  const source = await openSource(config.source, { sizePx, fps, loop });
  try {
    if (uri.kind === 'loopback') return await runLoopbackStream(config, source, io);
    if (config.video.videoFile !== null || config.video.keepFrames > 0) {
      throw new UsageError('--video, --keep-frames: nothing is shown at this end', 'give them to sct watch');
    }
    if (uri.kind === 'file') return await runFileStream(config, uri.path, source, io);
    return await runRadioStream(config, source, io);
  } finally {
    await source.close();
  }
}
