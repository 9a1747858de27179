import { ExitCode, UsageError } from '../../common/errors.ts';
import { type AddCommand, outJson } from '../context.ts';
import { addCommonOptions, addOutputOption } from '../options.ts';
import { addModemBench } from './bench-modem.ts';
import { addSemanticsBench } from './bench-semantics.ts';
import { addSpeedBench } from './bench-speed.ts';
import { shownCommand } from './shown-command.ts';

/** `sct bench`: speed; the channel code against published vectors, the modem against its requirements, the model sets' figures, semantic coding. */
export const addBench: AddCommand = (program, context, done) => {
  const group = program
    .command('bench')
    .summary('speed beside peers; checks against vectors and requirements: ldpc, modem, models, semantics')
    .description(
      'By itself: CPU time of one core beside the rate that the modem needs, at every numerology, and what it grows with, in about two minutes (`sct bench speed --help`). With another command: checks of a part against published vectors and stated requirements.',
    )
    .helpCommand(false);
  addSpeedBench(group, context, done);

  const ldpc = group
    .command('ldpc')
    .summary('check the channel code against vector files')
    .description('Compares LDPC encoder, rate matching and CRCs with vector files. Exit 8 if one differs.')
    .option('--vectors <path>', 'a vector file, or a folder of them');
  addCommonOptions(ldpc)
    .addHelpText('after', '\nExample:\n  sct bench ldpc --vectors test/vectors/ldpc\n')
    .action(async (options: { vectors?: string }) => {
      if (options.vectors === undefined) throw new UsageError('--vectors PATH is missing');
      const { benchLdpcVectors } = await import('../../experiment/bench/ldpc/ldpc.ts');
      const report = benchLdpcVectors(options.vectors);
      const ok = report.failed === 0;
      if (context.json) outJson(context, { ...report, ok });
      else {
        const lines = report.cases
          .filter((c) => !c.ok || context.verbose)
          .map((c) => `${c.ok ? 'ok  ' : 'FAIL'} ${c.name}`);
        context.out(`${[...lines, `${report.passed} passed, ${report.failed} failed`].join('\n')}\n`);
      }
      done(ok ? ExitCode.ok : ExitCode.checkFailed);
    });

  addModemBench(group, context, done);

  const models = group
    .command('models')
    .summary("measure the model sets: every figure of the networks' page")
    .description(
      'Regenerates the figures of the model sets from the ONNX files as they ship. Exit 8 if a limit is missed; targets are only shown.',
    )
    .option('--data <dir>', 'folder with kodak, camvid/test and saliency/test (docs/models.md)')
    .option('--models <dir>', 'model folder (default: the one that ships)')
    .option('--only <parts>', 'latency, entropy, kodak, labels, saliency, faithfulness, repair; comma separated')
    .option('--quick', 'a few pictures, under two minutes');
  addOutputOption(
    models,
    'folder for models.json, faithfulness pictures and picture sheets (default: nothing is written)',
  );
  addCommonOptions(models)
    .addHelpText(
      'after',
      `
Examples:
  sct bench models --data DIR --quick
  sct bench models --data DIR -o out --only kodak,labels --json
`,
    )
    .action(async (options: ModelsFlags) => {
      if (options.data === undefined) throw new UsageError('--data DIR is missing');
      const { benchModels, parseParts } = await import('../../experiment/bench/models/models.ts');
      const { modelsTable } = await import('../../experiment/bench/models/models-text.ts');
      const report = await benchModels({
        data: options.data,
        models: options.models,
        out: options.output,
        quick: options.quick ?? false,
        only: options.only === undefined ? undefined : parseParts(options.only),
        command: shownCommand(context.argv),
        progress: (what) => context.progress.update(what),
        note: (what) => context.progress.note(what),
      });
      const ok = report.limitsMissed === 0;
      if (context.json) outJson(context, { ...report, ok });
      else context.out(modelsTable(report));
      done(ok ? ExitCode.ok : ExitCode.checkFailed);
    });

  addSemanticsBench(group, context, done);
};

interface ModelsFlags {
  readonly data?: string;
  readonly models?: string;
  readonly only?: string;
  readonly quick?: boolean;
  readonly output?: string;
}
