import { type AddCommand, runIo } from '../context.ts';
import { addCommonOptions, addConfigOption, addLinkOptions, addOutputOption, resolveSettings } from '../options.ts';
import { noteTrigger, requireRadio } from '../radios.ts';
import { printResult } from '../result.ts';

/** `sct receive --from URI`: the receiver alone, knowing only what comes over the air. */
export const addReceive: AddCommand = (program, context, done) => {
  const command = program
    .command('receive')
    .summary('receive photos from a radio or a file')
    .description('Receives until the source ends, -n pictures have come, or --duration is over.')
    .option('--from <uri>', 'radio: hackrf[:SERIAL], pluto:usb, pluto:ip:HOST, file:PATH (may still be growing)')
    .option('--reference <photo>', 'original (photo or WAV file) to compare with; without it quality is not measured');
  addLinkOptions(command, [
    'modem',
    'pair',
    'models',
    'receive',
    'wayBack',
    'answering',
    'limits',
    'quality',
    'duration',
    'count',
  ]);
  addConfigOption(command);
  addOutputOption(command, 'run directory (default runs/TIME_NAME_air_ID)');
  addCommonOptions(command).addHelpText(
    'after',
    `
Examples:
  sct receive --from file:air --reference photo.png
  sct receive --from file:air -n 1 --json
  sct receive --from 'file:air?pace=1&loop=10' --max-drops 0   # as a board delivers it: nothing waits (docs/realtime.md)
  sct receive --from hackrf -f 868.3M --feedback ws://0.0.0.0:8470 --feedback-token token.txt
`,
  );
  command.action(async (options: { from?: string; reference?: string; output?: string }) => {
    const { config, run } = await resolveSettings(command, ['from', 'reference']);
    const from = await requireRadio('--from', options.from ?? run.from);
    const reference = options.reference ?? (typeof run.reference === 'string' ? run.reference : undefined);
    await noteTrigger(context, from);
    const { runReceive } = await import('../../experiment/receive/receive-run.ts');
    const more = reference === undefined ? {} : { reference };
    done(await printResult(context, await runReceive({ ...config, from, ...more }, runIo(context, options.output))));
  });
};
