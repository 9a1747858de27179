import { UsageError } from '../../common/errors.ts';
import { type AddCommand, runIo } from '../context.ts';
import { addCommonOptions, addConfigOption, addLinkOptions, addOutputOption, resolveSettings } from '../options.ts';
import { noteTrigger, requireRadio } from '../radios.ts';
import { printResult } from '../result.ts';
import { addSpeechOptions, type SourceFlags, spokenOrSeen } from '../speech-options.ts';

interface Flags extends SourceFlags {
  to?: string;
  output?: string;
}

/** `sct send PHOTO --to URI`: the transmitter alone. */
export const addSend: AddCommand = (program, context, done) => {
  const command = program
    .command('send')
    .summary('transmit a photo or speech to a radio or a file')
    .description(
      'Transmits a photo, or speech of a WAV file, or both. Without a way back (--feedback ws://) the robust map and --assume-snr are used.',
    )
    .argument('[photo]', 'PNG, JPEG, WebP or AVIF up to 8192x8192, or a WAV file up to 65 s')
    .option('--demo', 'use the demo photo')
    .option('--to <uri>', 'radio: hackrf[:SERIAL], pluto:usb, pluto:ip:HOST, file:PATH');
  addSpeechOptions(command, 'beside a photo');
  addLinkOptions(command, ['codec', 'models', 'budget', 'modem', 'transmit', 'sendSeed', 'csi', 'listening']);
  addConfigOption(command);
  addOutputOption(command);
  addCommonOptions(command).addHelpText(
    'after',
    `
Examples:
  sct send photo.png --to file:air.sigmf-meta
  sct send voice.wav --to file:air
  sct send photo.png --speech voice.wav --priority 4 --to file:air
  sct send photo.png --to file:air --profile hackrf --assume-snr 10
  sct send photo.png --to hackrf -f 868.3M --cabled 60 --feedback ws://other-host:8470 --feedback-token token.txt
`,
  );
  command.action(async (path: string | undefined, options: Flags) => {
    const { config, run } = await resolveSettings(command, ['photo', 'speech', 'to']);
    const to = await requireRadio('--to', options.to ?? run.to);
    const { photo, speech } = await spokenOrSeen(path, options, run);
    if (photo?.kind === 'folder') throw new UsageError(`${photo.path} is a folder`, 'send takes one photo');
    await noteTrigger(context, to);
    const { runSend } = await import('../../experiment/send/send-run.ts');
    done(
      await printResult(
        context,
        await runSend(
          { ...config, ...(photo ? { photo } : {}), ...(speech ? { speech } : {}), to },
          runIo(context, options.output),
        ),
      ),
    );
  });
};
