import { ExitCode, UsageError } from '../../common/errors.ts';
import { type AddCommand, outJson } from '../context.ts';
import { addCommonOptions } from '../options.ts';

/** `sct bench`: the channel code against published vectors, the modem against its requirements. */
export const addBench: AddCommand = (program, context, done) => {
  const group = program
    .command('bench')
    .summary('check against vectors and requirements: ldpc, modem')
    .description('Checks parts against published vectors and stated requirements.')
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

  const modem = group
    .command('modem')
    .summary('measure the modem against the requirements of the air interface')
    .description('Seeded trials with real synchronisation; exit 8 if a requirement is missed beyond its interval.')
    .option('--quick', 'few trials, well under a minute')
    .option('--requirements', 'the trial numbers of the documented table (hours)');
  addCommonOptions(modem)
    .addHelpText('after', '\nExample:\n  sct bench modem --quick --json\n')
    .action(async (options: { quick?: boolean; requirements?: boolean }) => {
      if (options.quick && options.requirements) throw new UsageError('--quick and --requirements exclude each other');
      const { benchModem } = await import('../../experiment/bench/modem.ts');
      const { quick = false, requirements = false } = options;
      const report = benchModem({ quick, requirements, progress: (what) => context.progress.update(what) });
      const ok = report.failed === 0;
      if (context.json) outJson(context, { ...report, ok });
      else {
        const width = Math.max(...report.rows.map((r) => r.name.length));
        const figure = (v: number | null) => (v === null ? '-' : String(Number(v.toPrecision(4))));
        const lines = report.rows.map(
          (r) =>
            `${r.state.padEnd(6)} ${r.name.padEnd(width)}  ${String(r.subbands).padStart(2)} subbands  ${figure(r.value)} ${r.unit}` +
            ` (${figure(r.low)} to ${figure(r.high)}, ${r.trials} trials; asked ${r.asked})`,
        );
        context.out(`${[...lines, `${report.passed} met, ${report.failed} missed`].join('\n')}\n`);
      }
      done(ok ? ExitCode.ok : ExitCode.checkFailed);
    });
};
