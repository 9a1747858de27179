import { join, resolve } from 'node:path';
import { ExitCode, UsageError } from '../../common/errors.ts';
import { parseQuantity } from '../../common/units.ts';
import type { SweepReport } from '../../experiment/sweep-report/document.ts';
import { type AddCommand, outJson } from '../context.ts';
import { addCommonOptions, addOutputOption } from '../options.ts';
import { packageVersion } from '../version.ts';
import { between, distortion } from './bounds-flags.ts';

interface Flags {
  readonly figure?: string[];
  readonly where?: string[];
  readonly gain?: string[];
  readonly ds?: string;
  readonly dx?: string;
  readonly width?: string;
  readonly check?: boolean;
  readonly output?: string;
}

/** Most words of one flag that may be given again. */
const MAX_WORDS = 64;

const collect = (word: string, before: string[] | undefined) => [...(before ?? []), word];

const EXAMPLES = `
Examples:
  sct report sweeps/night                              tables on the terminal
  sct report sweeps/night -o report                    JSON, CSV, SVG, one page
  sct report sweeps/night --figure psnr-snr --where channel=eva > psnr.svg
  sct report sweeps/night --figure event-joint-snr --ds 0.5 --dx 0.005 -o figures
  sct report sweeps/before sweeps/after                the same photos and seeds, pair by pair
  sct report sweeps/night -o report --check            nothing written: exit code 8 where a byte differs
`;

/** `sct report DIR...`: tables and figures of sweeps and runs, with intervals. */
export const addReport: AddCommand = (program, context, done) => {
  const command = program
    .command('report')
    .summary('tables and figures of sweeps and runs, with confidence intervals')
    .description(
      'Quality against SNR and R, gains pair by pair, BLER, outage, delivery of SFVs, of sweeps, run directories and folders of runs. Several are compared with the first.',
    )
    .argument('<dir...>', 'sweeps, run directories, folders of runs')
    .option(
      '--figure <names>',
      'only these figures: SUBJECT-snr, SUBJECT-rate or SUBJECT-SETTING, e.g. psnr-snr, gain-mapping-roi-psnr-rate, outage-dopplerHz',
      collect,
    )
    .option('--where <key=values>', 'only these settings, e.g. channel=epa,eva; may be given again', collect)
    .option(
      '--gain <key=value>',
      'gains of a setting over this value of it, e.g. codec=modular; may be given again',
      collect,
    )
    .option('--ds <d>', 'with --dx: largest 1 - mIoU of the joint error event, above 0, or inf (default inf)')
    .option('--dx <d>', 'largest MSE/255^2 of the joint error event, above 0, or inf (default inf)')
    .option('--width <mm>', 'of a figure, 60 to 200 mm (default 88, a column; text is 8 pt at any width)')
    .option('--check', 'with -o: write nothing, exit code 8 where a file differs');
  addOutputOption(
    command,
    'folder for report.json, report.html, CSV and SVG; without it a single figure goes to stdout',
  );
  addCommonOptions(command)
    .addHelpText('after', EXAMPLES)
    .action(async (paths: string[], flags: Flags) => {
      const [{ makeSweepReport, reportJson }, { reportFiles, writeReportFiles, differingFiles }] = await Promise.all([
        import('../../experiment/sweep-report/document.ts'),
        import('../../experiment/sweep-report/write-report.ts'),
      ]);
      if (flags.check && flags.output === undefined)
        throw new UsageError('--check needs -o DIR, the folder to compare');
      if (flags.output !== undefined) checkOutput(flags.output, paths);
      const figures = flags.figure?.flatMap((word) => word.split(',', MAX_WORDS)) ?? null;
      const asked = flags.ds !== undefined || flags.dx !== undefined;
      const limits = asked ? { ds: limit(flags, 'ds'), dx: limit(flags, 'dx') } : null;
      const request = {
        paths,
        figures,
        limits,
        where: pairs('--where', flags.where).map(([key, text]) => ({ key, values: text.split(',', MAX_WORDS) })),
        gains: pairs('--gain', flags.gain).map(([key, baseline]) => ({ key, baseline })),
      };
      const widthMm = await widthOf(flags.width);
      const report = await makeSweepReport(request, between(context));
      context.progress.done();
      const onlyFigures = figures !== null;
      let files: { folder: string; names: string[] } | null = null;
      let differing: string[] = [];
      if (flags.output !== undefined) {
        const made = reportFiles(report, `sct ${packageVersion()}`, onlyFigures, widthMm);
        if (flags.check) differing = await differingFiles(flags.output, made);
        else await writeReportFiles(flags.output, made);
        files = { folder: flags.output, names: [...made.keys()] };
      }
      if (context.json) {
        const json = { ...reportJson(report), ok: differing.length === 0, ...(files ? { files: files.names } : {}) };
        outJson(context, flags.check ? { ...json, differing } : json);
      } else if (files) context.out(filesText(files, flags.check ? differing : null));
      else if (onlyFigures) context.out(await oneFigure(report, widthMm));
      else context.out((await import('../../experiment/sweep-report/text.ts')).reportText(report));
      done(differing.length > 0 ? ExitCode.checkFailed : ExitCode.ok);
    });
};

/** A run has a report.html of its own, which must not be lost to the one of several. */
function checkOutput(output: string, paths: readonly string[]): void {
  if (output === '') throw new UsageError('-o "" is no folder');
  const same = paths.find((path) => resolve(path) === resolve(output));
  if (same !== undefined) {
    throw new UsageError(
      `-o ${output} is what is reported on`,
      `give another folder, ${join(same, 'report')} for example`,
    );
  }
}

function limit(flags: Flags, key: 'ds' | 'dx'): number {
  return distortion({ [key]: flags[key] }, key);
}

/** KEY=VALUE of a flag that may be given again. */
function pairs(name: string, words: readonly string[] = []): [key: string, value: string][] {
  if (words.length > MAX_WORDS)
    throw new UsageError(`${name} stands ${words.length} times: allowed up to ${MAX_WORDS}`);
  return words.map((word) => {
    const at = word.indexOf('=');
    if (at < 1) throw new UsageError(`${name} "${word.slice(0, 60)}" is not KEY=VALUE`, 'for example channel=eva');
    return [word.slice(0, at), word.slice(at + 1)];
  });
}

async function widthOf(word: string | undefined): Promise<number> {
  const { COLUMN_MM, WIDTHS_MM } = await import('../../experiment/sweep-report/draw.ts');
  const mm = word === undefined ? COLUMN_MM : parseQuantity('--width', word, 'mm');
  if (mm >= WIDTHS_MM[0] && mm <= WIDTHS_MM[1]) return mm;
  throw new UsageError(`--width ${mm} mm is out of range: allowed ${WIDTHS_MM[0]} to ${WIDTHS_MM[1]} mm`);
}

/** The SVG of one figure, for stdout. */
async function oneFigure(report: SweepReport, widthMm: number): Promise<string> {
  const { panelSvg } = await import('../../experiment/sweep-report/draw.ts');
  const [figure, ...more] = report.figures;
  if (more.length > 0 || figure.panels.length > 1) {
    const titles = figure.panels.map((p) => p.title).filter((t) => t !== '');
    const found =
      more.length > 0 ? `${report.figures.length} figures` : `${figure.panels.length} plots (${titles.join('; ')})`;
    throw new UsageError(
      `stdout holds one plot, and these are ${found.slice(0, 400)}`,
      'give -o DIR, or --where KEY=VALUE',
    );
  }
  return `${panelSvg(figure, figure.panels[0], widthMm)}\n`;
}

function filesText(
  { folder, names }: { folder: string; names: string[] },
  differing: readonly string[] | null,
): string {
  if (differing === null)
    return `${names.length} files in ${folder}: ${names.slice(0, 40).join(', ')}${names.length > 40 ? ', …' : ''}\n`;
  if (differing.length === 0) return `${names.length} files in ${folder} are the same, byte for byte\n`;
  return `${differing.length} of ${names.length} files in ${folder} differ: ${differing.slice(0, 40).join(', ')}\n`;
}
