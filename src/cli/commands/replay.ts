import { runIo } from '../context.ts';
import { addCommonOptions, addLinkOptions, addOutputOption, linkInput } from '../options.ts';
import type { AddCommand } from '../program.ts';
import { printResult } from '../result.ts';

/** `sct replay CAPTURE|RUN [--check]`: the receiver once more, on recorded samples. */
export const addReplay: AddCommand = (program, context, done) => {
  const command = program
    .command('replay')
    .summary('run the receiver again on a recording')
    .description('Decodes a capture, or the received capture of a run with the settings of that run.')
    .argument('<source>', 'PATH[.sigmf-meta] of a capture, a run directory, or its run.json')
    .option('--check', 'compare with metrics.json of the run; exit 7 if they differ')
    .option('--reference <photo>', 'original to compare with');
  addLinkOptions(command, ['modem', 'receive', 'limits']);
  addOutputOption(command, 'run directory of the replay');
  addCommonOptions(command).addHelpText(
    'after',
    `
Examples:
  sct replay runs/first --check
  sct replay air.sigmf-meta --estimator ls
`,
  );
  command.action(async (source: string, options: { check?: boolean; reference?: string; output?: string }) => {
    const { parseLinkInput } = await import('../../experiment/link-config.ts');
    const given = parseLinkInput(linkInput(command));
    const { runReplay } = await import('../../experiment/replay.ts');
    const reference = options.reference === undefined ? {} : { reference: options.reference };
    const config = { source, check: options.check === true, given, ...reference };
    done(await printResult(context, await runReplay(config, runIo(context, options.output))));
  });
};
