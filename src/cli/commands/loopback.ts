import { type AddCommand, runIo } from '../context.ts';
import { addCommonOptions, addConfigOption, addLinkOptions, addOutputOption, resolveSettings } from '../options.ts';
import { paceGiven, paceOption } from '../pace.ts';
import { photoSource } from '../photo.ts';
import { printResult } from '../result.ts';

/** A picture is some hundredths of a second on the air: slower by this it can be watched. */
const WATCHED_PACE = 0.05;

/** `sct loopback PHOTO|FOLDER`: transmitter, modelled channel and receiver in one process. */
export const addLoopback: AddCommand = (program, context, done) => {
  const command = program
    .command('loopback')
    .summary('send a photo through a modelled channel, no hardware')
    .description('Sends a photo, or every photo of a folder, through the modem and a modelled channel.')
    .argument('[photo]', 'PNG, JPEG, WebP or AVIF up to 8192x8192, or a folder of them')
    .option('--demo', 'use the demo photo')
    .addOption(paceOption('0.05'));
  addLinkOptions(command, [
    'codec',
    'models',
    'receiverModels',
    'budget',
    'channel',
    'snr',
    'impairments',
    'modem',
    'transmit',
    'csi',
    'receive',
    'limits',
    'quality',
  ]);
  addConfigOption(command);
  addOutputOption(command);
  addCommonOptions(command).addHelpText(
    'after',
    `
Examples:
  sct loopback --demo
  sct loopback photo.png --channel epa --snr 15 --seed 7
  sct loopback kodak/ --snr 5 --cbr 1/16 --json
  sct loopback photo.png --channel trace:runs/first   the channel and noise that this run was received with
  sct loopback photo.png --profile hackrf --cfo 12k --jammer subband:10,centre=1M,width=360k
`,
  );
  command.action(async (path: string | undefined, options: { demo?: boolean; pace?: string; output?: string }) => {
    const { config, run } = await resolveSettings(command, ['photo']);
    const photo = await photoSource(path, options.demo === true, run.photo);
    const { runLoopback } = await import('../../experiment/loopback/loopback-run.ts');
    const io = { ...runIo(context, options.output), ...paceGiven(options.pace, context, WATCHED_PACE) };
    done(await printResult(context, await runLoopback({ ...config, photo }, io)));
  });
};
