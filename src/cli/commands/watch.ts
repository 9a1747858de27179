import { type AddCommand, runIo } from '../context.ts';
import { addCommonOptions, addConfigOption, addLinkOptions, addOutputOption } from '../options.ts';
import { noteTrigger, requireRadio } from '../radios.ts';
import { addVideoOptions, fitLinkHelp, printVideo, resolveVideoSettings, type VideoOptions } from '../video.ts';

/** `sct watch --from URI`: the receiving end of a video. */
export const addWatch: AddCommand = (program, context, done) => {
  const command = program
    .command('watch')
    .summary('receive a video from a radio or a file')
    .description('Receives frames until the source ends, -n frames have come, or --duration is over.')
    .option('--from <uri>', 'radio: hackrf[:SERIAL], pluto:usb, pluto:ip:HOST, file:PATH (?pace=1: in its own time)');
  addVideoOptions(command, 'receiver');
  addLinkOptions(command, ['modem', 'models', 'receive', 'wayBack', 'limits', 'duration', 'count']);
  fitLinkHelp(command, 'receiver');
  addConfigOption(command);
  addOutputOption(command, 'run directory (default runs/TIME_NAME_watch_ID)');
  addCommonOptions(command).addHelpText(
    'after',
    `
Examples:
  sct watch --from file:video --keep-frames 10
  sct watch --from 'file:video?pace=1' --video shown.mp4
  sct watch --from hackrf -f 868.3M --feedback ws://0.0.0.0:8470 --feedback-token t
`,
  );
  command.action(async (options: VideoOptions & { from?: string; output?: string }) => {
    const { config, video, run } = await resolveVideoSettings(command, options, ['from']);
    const from = await requireRadio('--from', options.from ?? run.from, 'sct stream SOURCE --to loopback');
    await noteTrigger(context, from);
    const { runWatch } = await import('../../experiment/video/watch-run.ts');
    done(await printVideo(context, await runWatch({ ...config, from, video }, runIo(context, options.output))));
  });
};
