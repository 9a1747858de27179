import type { Command } from 'commander';
import { UsageError } from '../common/errors.ts';
import { parseQuantity } from '../common/units.ts';
import type { LinkConfig } from '../experiment/config/link-config.ts';
import type { VideoSettings } from '../experiment/video/video-config.ts';
import type { VideoMetrics } from '../experiment/video/video-metrics.ts';
import type { VideoResult } from '../experiment/video/video-run.ts';
import { type CliContext, outJson } from './context.ts';
import { linkInput, resolveSettings } from './options.ts';

/** Flags of `stream` and `watch` as commander hands them on. */
export interface VideoOptions {
  readonly sizePx?: string;
  readonly fps?: string;
  readonly deadline?: string;
  readonly keepFrames?: string;
  readonly video?: string;
}

/** Adds the flags of a video. */
export function addVideoOptions(command: Command, end: 'sender' | 'receiver'): Command {
  command.optionsGroup('Video:');
  if (end === 'sender') {
    command
      .option('--size-px <px>', 'side of the square pictures: the middle of the source, 256 (default) or 512')
      .option('--fps <n>', 'frames a second (default 30)');
  } else {
    command
      .option('--size-px <px>', 'side of the pictures of --video: 256 (default) or 512')
      .option('--fps <n>', 'frames a second of --video (default 30)');
  }
  return command
    .option('--deadline <ms>', 'from capture to screen; what is later is left out and counted (default 120)')
    .option('--keep-frames <n>', 'keep the first n frames shown as PNG in the run directory (default 0)')
    .option('--video <file>', 'write the frames shown to a video file through ffmpeg');
}

/** Link flags that mean nothing to a video. */
const LINK_FLAG_WORDS = {
  harqBy: '--harq-by',
  repeatBudget: '--repeat-budget',
  task: '--task',
  distortion: '--distortion',
  known: '--known',
  soundings: '--soundings',
  soundingEveryMs: '--sounding-every',
} as const;
const IDLE = Object.keys(LINK_FLAG_WORDS) as (keyof typeof LINK_FLAG_WORDS)[];
/** What a video has where a picture has something else. */
const OWN_WORDS: Readonly<Record<string, string>> = {
  '--size': 'model set of the semantic codecs: live (default) or base, which two cores do not code in time',
  '--harq': 'repetitions: 0, as a frame that is asked for again comes too late',
  '--numerology': 'subbands: 6, 15 (default), 25, 50, 4',
  '--cbr': 'channel bandwidth ratio R/3 of each frame (default 1/16)',
  '--duration': 'stop after this time; folders and files then begin anew at their end',
  '--count': 'number of frames; folders and files then begin anew at their end',
};
const WATCHING_WORDS: Readonly<Record<string, string>> = {
  '--duration': 'stop after so much of the received stream',
  '--count': 'number of frames shown',
};

/** After the link flags: help says a video's own defaults, and leaves out what means nothing to it. */
export function fitLinkHelp(command: Command, end: 'sender' | 'receiver'): void {
  for (const option of command.options) {
    const words = (end === 'receiver' ? WATCHING_WORDS[option.long ?? ''] : undefined) ?? OWN_WORDS[option.long ?? ''];
    if (words) option.description = words;
    if (IDLE.some((key) => LINK_FLAG_WORDS[key] === option.long)) option.hideHelp();
  }
}

/** Settings of link and video from flags and `-c`, with a video's own defaults. */
export async function resolveVideoSettings(
  command: Command,
  options: VideoOptions,
  runKeys: readonly string[],
): Promise<{ config: LinkConfig; video: VideoSettings; run: Record<string, unknown> }> {
  const { checkVideoLink, resolveVideo, VIDEO_LINK_DEFAULTS } = await import('../experiment/video/video-config.ts');
  const keys = ['sizePx', 'fps', 'deadlineMs', 'keepFrames', 'videoFile'] as const;
  const given = linkInput(command);
  const idle = IDLE.filter((key) => given[key] !== undefined).map((key) => LINK_FLAG_WORDS[key]);
  if (idle.length > 0) throw new UsageError(`${idle.join(', ')}: means nothing to a video`, 'leave it out');
  const { size, ...others } = VIDEO_LINK_DEFAULTS;
  const classical = given.codec === 'classical' || (given.codec === undefined && given.format !== undefined);
  const defaults = command.name() === 'watch' || classical ? others : { size, ...others };
  const { config, run } = await resolveSettings(command, [...runKeys, ...keys], defaults);
  checkVideoLink(config);
  const number = (flag: string, text: string | undefined, unit: string, key: (typeof keys)[number]) => {
    if (text !== undefined) return { [key]: parseQuantity(flag, text, unit) };
    return typeof run[key] === 'number' ? { [key]: run[key] } : {};
  };
  const file = options.video ?? run.videoFile;
  const video = resolveVideo({
    ...number('--size-px', options.sizePx, '', 'sizePx'),
    ...number('--fps', options.fps, '', 'fps'),
    ...number('--deadline', options.deadline, 'ms', 'deadlineMs'),
    ...number('--keep-frames', options.keepFrames, '', 'keepFrames'),
    ...(typeof file === 'string' ? { videoFile: file } : {}),
  });
  return { config, video, run };
}

/** Prints the result of a video and returns its exit code. */
export async function printVideo(context: CliContext, result: VideoResult): Promise<number> {
  context.progress.done();
  const { metrics, exitCode, directory, outcome } = result;
  if (context.json) outJson(context, metrics);
  else context.out(`${summary(metrics)}run ${directory}\n`);
  if (outcome && !context.signal.aborted) process.stderr.write(`sct: ${outcome}\n`);
  return exitCode;
}

/** A few lines on a video. */
export function summary(m: VideoMetrics): string {
  const { counts, latencyMs: l, corrector } = m;
  const number = (v: number | null, digits: number) => (v === null ? '-' : v.toFixed(digits));
  const comma = counts.captured === null ? '' : ', ';
  const here = m.command === 'watch' || m.modelled;
  const received = here ? `${comma}${counts.shown} shown, ${counts.late} late, ${counts.lost} lost` : '';
  const lines = [
    `${m.source}: ${m.sizePx}x${m.sizePx} at ${m.fps} frames/s, ${m.codec ?? 'nothing came'}${m.size ? ` (${m.size})` : ''}${m.modelled ? `, MODELLED air (${m.channel}, ${m.snrDb} dB)` : ''}`,
    `frames   ${counts.captured === null ? '' : `${counts.captured} captured, ${counts.sent} sent`}${received}${counts.dropped === null ? '' : `, ${counts.dropped} left out`}`,
    ...(m.lateShare === null || m.deadlineMs === null ? [] : [`not in time   ${(100 * m.lateShare).toFixed(3)} %`]),
    ...(l.of === null ? [] : [`latency  p50 ${number(l.p50, 1)} ms, p99 ${number(l.p99, 1)} ms (${l.of})`]),
    ...((m.lostSamples ?? 0) > 0 || (m.droppedBursts ?? 0) > 0
      ? [`samples lost ${m.lostSamples ?? 0}, bursts dropped ${m.droppedBursts ?? 0}`]
      : []),
    ...(m.psnrDb === null ? [] : [`PSNR     ${number(m.psnrDb, 2)} dB`]),
    ...(m.symbolsPerPixel === null ? [] : [`R        ${number(m.symbolsPerPixel, 4)} symbols per pixel`]),
    ...(corrector === null
      ? []
      : [
          `damaged places of ${corrector.frames} frames: ${number(corrector.withDb, 2)} dB with the frame before, ${number(corrector.withoutDb, 2)} dB without`,
        ]),
  ];
  return `${[...lines, ...(m.command === 'watch' ? m.notes : [])].join('\n')}\n`;
}
