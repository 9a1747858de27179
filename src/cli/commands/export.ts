import { ExitCode, UsageError } from '../../common/errors.ts';
import { type AddCommand, outJson } from '../context.ts';
import { addCommonOptions } from '../options.ts';

/** `sct export RUN --to npz|csv|mat`: what the receiver measured, for NumPy, spreadsheets and MATLAB. */
export const addExport: AddCommand = (program, context, done) => {
  const command = program
    .command('export')
    .summary('numbers of a run for NumPy, spreadsheets, MATLAB')
    .description(
      'Writes bursts, RB SNR and noise, H(f,t) and payload symbols of a run, as its received capture gives them.',
    )
    .argument('<run>', 'run directory or its run.json')
    .option('--to <format>', 'npz, csv or mat')
    .option('-o, --output <path>', 'file, or folder for csv (default export.npz, export.mat, export-csv in the run)');
  addCommonOptions(command)
    .addHelpText('after', '\nExample:\n  sct export runs/first --to npz -o first.npz\n')
    .action(async (run: string, options: { to?: string; output?: string }) => {
      const { EXPORT_FORMATS, exportRun } = await import('../../experiment/export/export-run.ts');
      const format = EXPORT_FORMATS.find((f) => f === options.to);
      if (!format) {
        const what = options.to === undefined ? '--to is missing' : `--to "${options.to}" is no export format`;
        throw new UsageError(what, `formats: ${EXPORT_FORMATS.join(', ')}`);
      }
      const result = await exportRun(run, format, options.output);
      if (context.json) outJson(context, { ...result, ok: true });
      else {
        const rows = Object.entries(result.rows).map(([name, count]) => `${name} ${count}`);
        context.out(`${result.files.join('\n')}\nrows: ${rows.join(', ')}\n`);
      }
      done(ExitCode.ok);
    });
};
