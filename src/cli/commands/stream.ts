import { UsageError } from '../../common/errors.ts';
import { type AddCommand, runIo } from '../context.ts';
import { addCommonOptions, addConfigOption, addLinkOptions, addOutputOption } from '../options.ts';
import { noteTrigger } from '../radios.ts';
import { addVideoOptions, fitLinkHelp, printVideo, resolveVideoSettings, type VideoOptions } from '../video.ts';

/** `sct stream SOURCE --to URI`: the frames of a folder, video file or camera, one after another in time. */
export const addStream: AddCommand = (program, context, done) => {
  const command = program
    .command('stream')
    .summary('send a video: a folder of pictures, a video file, a camera')
    .description(
      'Sends frame after frame, each by its deadline or not at all. Into a file as fast as it can, else in real time.',
    )
    .argument('[source]', 'folder of pictures, video file (through ffmpeg), camera:/dev/video0')
    .option('--to <uri>', 'loopback, file:PATH, or a radio: hackrf[:SERIAL], pluto:usb, pluto:ip:HOST');
  addVideoOptions(command, 'sender');
  addLinkOptions(command, [
    ...(['codec', 'models', 'budget', 'channel', 'snr', 'impairments', 'modem', 'transmit', 'csi', 'receive'] as const),
    ...(['limits', 'duration', 'count'] as const),
  ]);
  fitLinkHelp(command, 'sender');
  addConfigOption(command);
  addOutputOption(command, 'run directory (default runs/TIME_SOURCE_CHANNEL_ID)');
  addCommonOptions(command).addHelpText(
    'after',
    `
Examples:
  sct stream frames/ --to loopback --channel epa --snr 10 --duration 60
  sct stream film.mp4 --to loopback --symbols-per-pixel 1/2 --json
  sct stream frames/ --to file:video -n 90           then: sct watch --from file:video
  sct stream camera:/dev/video0 --to hackrf -f 868.3M --cabled 60 --feedback ws://other-host:8470 --feedback-token t
`,
  );
  command.action(async (source: string | undefined, options: VideoOptions & { to?: string; output?: string }) => {
    const { config, video, run } = await resolveVideoSettings(command, options, ['source', 'to']);
    const from = source ?? (typeof run.source === 'string' ? run.source : undefined);
    if (from === undefined) {
      throw new UsageError('no source given', 'name a folder of pictures, a video file or camera:/dev/video0');
    }
    const to = options.to ?? (typeof run.to === 'string' ? run.to : undefined);
    if (to === undefined) throw new UsageError('--to URI is missing', 'for example --to loopback, or --to file:video');
    const { parseRadioUri } = await import('../../radio/uri.ts');
    parseRadioUri(to);
    await noteTrigger(context, to);
    const { runStream } = await import('../../experiment/video/stream-run.ts');
    done(
      await printVideo(
        context,
        await runStream({ ...config, source: from, to, video }, runIo(context, options.output)),
      ),
    );
  });
};
