import { ExitCode } from '../../common/errors.ts';
import { formatSi } from '../../common/units.ts';
import type { CaptureInfo } from '../../radio/sigmf/capture-info.ts';
import { CAPTURE_HELP, recordingNamed } from '../capture-argument.ts';
import { type AddCommand, type CliContext, outJson } from '../context.ts';
import { addCommonOptions } from '../options.ts';
import { addCaptureAnnotate, addCaptureConvert, addCaptureCut } from './capture-edit.ts';

/** `sct capture info|validate|cut|annotate|convert CAPTURE`. */
export const addCapture: AddCommand = (program, context, done) => {
  const group = program
    .command('capture')
    .summary('a recording: info, validate, cut, annotate, convert')
    .description('Looks at a SigMF recording, or makes a new one of it.')
    .helpCommand(false);

  const info = group
    .command('info')
    .summary('what a recording holds')
    .description('Says what a recording holds: format, rate, length, bursts, gaps, levels.')
    .argument('<capture>', CAPTURE_HELP);
  addCommonOptions(info).action(async (given: string) => {
    const path = recordingNamed(given);
    const { captureInfo } = await import('../../radio/sigmf/capture-info.ts');
    const result = await captureInfo(path);
    if (context.json) outJson(context, { ...result, schema: result.schema, ok: true });
    else context.out(await infoText(result));
    done(ExitCode.ok);
  });

  const validate = group
    .command('validate')
    .summary('check a recording; exit 8 if something is wrong')
    .description('Checks structure, places, counts and the hash of a recording. Exit 8 if something is wrong.')
    .argument('<capture>', CAPTURE_HELP);
  addCommonOptions(validate).action(async (given: string) => {
    const path = recordingNamed(given);
    await mustExist(path);
    const { validateCapture } = await import('../../radio/sigmf/capture-info.ts');
    const { ok, problems, info } = await validateCapture(path);
    if (context.json) outJson(context, { schema: 'sct.capture-check/1', ok, path, problems, info });
    else await printValidation(context, path, ok, problems, info?.notes ?? []);
    done(ok ? ExitCode.ok : ExitCode.checkFailed);
  });

  addCaptureCut(group, context, done);
  addCaptureAnnotate(group, context, done);
  addCaptureConvert(group, context, done);
};

/** A capture that is not there is not a failed check: DeviceError, exit 3. */
async function mustExist(path: string): Promise<void> {
  const { capturePaths, isArchivePath } = await import('../../radio/sigmf/capture-paths.ts');
  const { existsSync } = await import('node:fs');
  const { DeviceError } = await import('../../common/errors.ts');
  const meta = isArchivePath(path) ? path : capturePaths(path).meta;
  if (!existsSync(meta)) throw new DeviceError(`cannot open ${meta}`);
}

async function printValidation(
  context: CliContext,
  path: string,
  ok: boolean,
  problems: readonly string[],
  notes: readonly string[],
): Promise<void> {
  const { printable } = await import('../../experiment/report/terminal.ts');
  const lines = [`${path}: ${ok ? 'valid' : `${problems.length} problem${problems.length === 1 ? '' : 's'}`}`];
  for (const problem of problems) lines.push(`  ${problem}`);
  for (const note of notes) lines.push(`  note: ${note}`);
  context.out(`${lines.map(printable).join('\n')}\n`);
}

async function infoText(i: CaptureInfo): Promise<string> {
  const { printable } = await import('../../experiment/report/terminal.ts');
  const rows: [string, string][] = [
    ['format', `${i.format}, full scale ${i.fullScale}`],
    ['rate', `${formatSi(i.rateHz, 9)}sps`],
    [
      'length',
      `${i.samples} samples, ${i.durationS.toPrecision(4)} s${i.complete ? '' : ' (not closed by its writer)'}`,
    ],
    ['frequency', i.frequencyHz === null ? 'baseband' : `${formatSi(i.frequencyHz, 9)}Hz`],
    ['recorded', `${i.startTime ?? 'in simulated time'}${i.hardware ? ` by ${i.hardware}` : ''}`],
    ['level', i.rmsDbfs === null ? '-' : `RMS ${i.rmsDbfs.toFixed(1)} dBFS, peak ${i.peakDbfs?.toFixed(1)} dBFS`],
    ['clipped', `${i.clippedSamples} samples (${(100 * i.clippedShare).toFixed(3)} %)`],
    ['gaps', `${i.gaps.length}, ${lost(i.lostSamples)} samples lost`],
    ['bursts', `${i.bursts.length}`],
  ];
  if (i.description) rows.push(['about', i.description]);
  const lines = [i.path, ...rows.map(([name, text]) => `  ${name.padEnd(9)}  ${text}`)];
  for (const burst of i.bursts.slice(0, 20)) {
    lines.push(`    ${burst.label || 'burst'} at ${burst.fileSample}, ${burst.samples ?? '?'} samples`);
  }
  if (i.bursts.length > 20) lines.push(`    and ${i.bursts.length - 20} more`);
  for (const problem of i.problems) lines.push(`  problem: ${problem}`);
  for (const note of i.notes) lines.push(`  note: ${note}`);
  return `${lines.map(printable).join('\n')}\n`;
}

function lost({ min, max }: { min: number; max: number }): string {
  return min === max ? `${min}` : `${min} to ${max}`;
}
