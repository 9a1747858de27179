import { type Command, Option } from 'commander';
import { inRange } from '../common/errors.ts';
import { parseQuantity } from '../common/units.ts';
import type { SnrSweep } from '../experiment/cabled/snr-sweep.ts';
import type { CompareResult } from '../experiment/ota/compare-run.ts';
import type { FolderResult, RunResult } from '../experiment/run/run-io.ts';
import { type CliContext, outJson } from './context.ts';
import { resultJson } from './result.ts';

/** Where commander keeps the SNRs of a list. */
const SNR_LIST = 'snrList';
const ABOUT = 'as modelled (default 15; a trace has its own), or as --attenuator sets it; of a list a run at each';

/** `--snr DB[,DB...]`; `snrList` reads them. */
export function addSnrListOption(command: Command): Command {
  const option = new Option('--snr <db,...>', ABOUT).helpGroup('Channel model:');
  command.on(`option:${option.name()}`, (text: string) => {
    command.setOptionValue(
      SNR_LIST,
      text.split(',').map((word) => inRange('--snr', parseQuantity('--snr', word, 'dB'), -60, 200, 'dB')),
    );
  });
  return command.addOption(option);
}

/** The SNRs that were given, dB; null for none. */
export function snrList(command: Command): readonly number[] | null {
  return (command.getOptionValue(SNR_LIST) as number[] | undefined) ?? null;
}

type Result = RunResult | FolderResult | CompareResult;

/** A line for each SNR of a list, or one JSON object, also written as sweep.json into the folder that was named. */
export async function printSweep(
  context: CliContext,
  sweep: SnrSweep<Result>,
  folder: string | undefined,
): Promise<number> {
  context.progress.done();
  const { sweepDocument } = await import('../experiment/cabled/snr-sweep.ts');
  const document = await sweepDocument(sweep, folder, async (result) => {
    if (!('differences' in result)) return resultJson(result, context.signal.aborted);
    const { exitCode: _, ...json } = result;
    return json;
  });
  if (context.json) outJson(context, document);
  else context.out(`${sweep.points.flatMap((point) => rowsOf(point)).join('\n')}\n`);
  return sweep.exitCode;
}

function rowsOf({ wantedSnrDb, setting, result }: SnrSweep<Result>['points'][number]): string[] {
  const db = (value: number | null | undefined) => (typeof value === 'number' ? value.toFixed(2) : '-');
  const at = setting ? `, ${setting.attenuationDb} dB of attenuation: measured ${db(setting.measuredSnrDb)} dB` : '';
  const head = `SNR ${wantedSnrDb} dB${at}`;
  if ('differences' in result) return [head, ...comparedText(result).map((line) => `  ${line}`)];
  const { psnrDb, msSsim } = 'images' in result ? result.means : result.metrics;
  return [`${head}; PSNR ${db(psnrDb)} dB, MS-SSIM ${db(msSsim)}${result.exitCode === 0 ? '' : ', not received'}`];
}

/** A line for each difference of a comparison. */
export function comparedText({ differences }: Pick<CompareResult, 'differences'>): string[] {
  return differences.map(({ of, minus, figures: { psnrDb } }) => {
    const d = psnrDb!;
    const interval = `95 % interval ${d.low.toFixed(2)} to ${d.high.toFixed(2)}, ${d.n} pairs`;
    return `${of} - ${minus}: ${d.value.toFixed(2)} dB PSNR (${interval})`;
  });
}
