import { ExitCode, UsageError } from '../../common/errors.ts';
import { type AddCommand, outJson } from '../context.ts';
import { addCommonOptions } from '../options.ts';

/** `sct bench ldpc`: checks against published vectors. */
export const addBench: AddCommand = (program, context, done) => {
  const group = program
    .command('bench')
    .summary('check against published vectors: ldpc')
    .description('Checks parts against published vectors.')
    .helpCommand(false);

  const ldpc = group
    .command('ldpc')
    .summary('check the channel code against vector files')
    .description('Compares LDPC encoder, rate matching and CRCs with vector files. Exit 8 if one differs.')
    .option('--vectors <path>', 'a vector file, or a folder of them');
  addCommonOptions(ldpc)
    .addHelpText('after', '\nExample:\n  sct bench ldpc --vectors test/vectors/ldpc\n')
    .action(async (options: { vectors?: string }) => {
      if (options.vectors === undefined) throw new UsageError('--vectors PATH is missing');
      const { benchLdpcVectors } = await import('../../experiment/bench/ldpc.ts');
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
};
