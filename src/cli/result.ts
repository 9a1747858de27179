import { ExitCode } from '../common/errors.ts';
import type { LinkMetrics } from '../experiment/metrics/metrics.ts';
import { sentAgain } from '../experiment/report/sent-again.ts';
import type { FolderResult, RunResult } from '../experiment/run/run-io.ts';
import { SFV_STATES } from '../sct/codec/codec.ts';
import { type CliContext, outJson } from './context.ts';

/** What an exit code that is not an exception means, for stderr. */
const REASONS: Readonly<Record<number, string>> = {
  [ExitCode.noSignal]: 'nothing that could be decoded was found',
  [ExitCode.quality]: 'the picture did not arrive well enough: damaged, only made up, or below --min-psnr',
  [ExitCode.samplesLost]: 'more samples were lost than --max-drops allows',
  [ExitCode.replayDiffers]: 'the replay differs from the run',
};

/** Prints the result of a link command and returns its exit code; `check` is what `replay --check` found. */
export async function printResult(
  context: CliContext,
  result: RunResult | FolderResult,
  check?: string,
): Promise<number> {
  context.progress.done();
  if (context.json) outJson(context, await resultJson(result, context.signal.aborted));
  else context.out(await textOf(context, result, check));
  const reason = ('reason' in result && result.reason) || REASONS[result.exitCode];
  if (reason && !context.signal.aborted) process.stderr.write(`sct: ${reason}\n`);
  return result.exitCode;
}

/** The object of `--json`. */
export async function resultJson(result: RunResult | FolderResult, interrupted: boolean): Promise<object> {
  const { canonical } = await import('../experiment/run/canonical-json.ts');
  const { METRIC_KEYS } = await import('../experiment/metrics/metrics.ts');
  if ('images' in result) {
    const { images, means, exitCode, directory } = result;
    const ok = exitCode === ExitCode.ok && !interrupted;
    return {
      schema: 'sct.folder/1',
      ok,
      images: images.map((m) => canonical(m, METRIC_KEYS)),
      means: canonical(means),
      ...(directory === undefined ? {} : { directory }),
    };
  }
  const { exitCode, pictures, earlier } = result;
  const { withImages } = await import('../experiment/receive/receiver-report.ts');
  const metrics = withImages(result.metrics, pictures, earlier);
  return canonical({ ...metrics, ok: metrics.ok && exitCode === ExitCode.ok && !interrupted }, METRIC_KEYS) as object;
}

async function textOf(context: CliContext, result: RunResult | FolderResult, check?: string): Promise<string> {
  const { printable, terminalSummary } = await import('../experiment/report/terminal.ts');
  if (!('images' in result)) {
    const { report, directory } = result;
    const text = terminalSummary(report, { colour: context.colour, directory, ...(check ? { check } : {}) });
    if (!result.pictures) return text;
    const { meansOf } = await import('../experiment/metrics/folder-means.ts');
    return `${text}${pictureTable(result.pictures, meansOf(result.pictures), printable)}`;
  }
  const where = result.directory === undefined ? '' : `runs in ${result.directory}\n`;
  return `${pictureTable(result.images, result.means, printable)}${where}`;
}

/** How a picture of several arrived, in few words; of one with SFVs how many stand in each state. */
function stateText({ ok, outage, sfvs }: LinkMetrics): string {
  if (sfvs.length === 0) return ok ? 'whole' : outage === 1 ? 'outage' : 'damaged';
  const counts = SFV_STATES.map((state) => [sfvs.filter((s) => s.state === state).length, state] as const);
  const some = counts.filter(([n]) => n > 0);
  return `${ok ? '' : 'not received: '}${some.map(([n, state]) => `${n} ${state}`).join(', ')}`;
}

/** A line for each picture and their means. */
function pictureTable(
  images: FolderResult['images'],
  mean: FolderResult['means'],
  printable: (text: string) => string,
): string {
  const again = images.map((m) => sentAgain(m).count).filter((n) => n !== null);
  const rows = images.map((m, i) => [
    m.photo ?? `picture ${i + 1}`,
    figure(m.psnrDb, 2),
    figure(m.msSsim, 4),
    figure(sentAgain(m).count, 0),
    stateText(m),
  ]);
  const means = [
    'mean',
    figure(mean.psnrDb, 2),
    figure(mean.msSsim, 4),
    figure(again.length > 0 ? again.reduce((a, b) => a + b, 0) / again.length : null, 1),
    `${images.filter((m) => m.ok).length} of ${images.length} ${images.some((m) => m.sfvs.length > 0) ? 'received' : 'whole'}`,
  ];
  const table = [['picture', 'PSNR dB', 'MS-SSIM', 'again', 'state'], ...rows, means];
  const widths = table[0].map((_, c) => Math.max(...table.map((row) => row[c].length)));
  const lines = table.map((row) =>
    row.map((cell, c) => (c === 0 || c === 4 ? cell.padEnd(widths[c]) : cell.padStart(widths[c]))).join('  '),
  );
  return `${lines.map((line) => printable(line.trimEnd())).join('\n')}\n`;
}

function figure(value: number | null | undefined, digits: number): string {
  return value === null || value === undefined ? '-' : value.toFixed(digits);
}
