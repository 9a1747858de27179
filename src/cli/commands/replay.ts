import { ExitCode } from '../../common/errors.ts';
import { type AddCommand, runIo } from '../context.ts';
import { LinesOn } from '../lines-on.ts';
import { addCommonOptions, addLinkOptions, addOutputOption, linkInput } from '../options.ts';
import { printResult } from '../result.ts';

/** Differences printed at most. */
const MAX_SHOWN = 20;

/** `sct replay CAPTURE|RUN [--check]`: the receiver once more, on recorded samples. */
export const addReplay: AddCommand = (program, context, done) => {
  const command = program
    .command('replay')
    .summary('run the receiver again on a recording')
    .description('Decodes a capture, or the received capture of a run with the settings of that run.')
    .argument('<source>', 'PATH[.sigmf-meta] of a capture, a run directory, or its run.json')
    .option(
      '--check',
      'compare with metrics.json of the run; exit 7 if they differ (bursts that the run dropped are left out again)',
    )
    .option('--reference <photo>', 'original to compare with');
  addLinkOptions(command, ['modem', 'models', 'receive', 'limits', 'quality']);
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
    const { parseLinkInput } = await import('../../experiment/config/link-config.ts');
    const given = parseLinkInput(linkInput(command));
    const { runReplay, runSteeredReplay } = await import('../../experiment/replay/replay.ts');
    const { verdictOf } = await import('../../experiment/replay/replay-check.ts');
    const reference = options.reference === undefined ? {} : { reference: options.reference };
    const config = { source, check: options.check === true, given, ...reference };
    const io = runIo(context, options.output);
    // Who watches may steer as well.
    const result = await (context.telemetry
      ? runSteeredReplay(config, io, new LinesOn(process.stdin))
      : runReplay(config, io));
    if (!result) return done(ExitCode.ok);
    for (const d of (result.differences ?? []).slice(0, MAX_SHOWN)) {
      context.progress.note(
        `${d.path}: ${JSON.stringify(d.a)} in the run, ${JSON.stringify(d.b)} now (${d.reason})`,
        true,
      );
    }
    done(await printResult(context, result, result.differences ? verdictOf(result.differences) : undefined));
  });
};
