import type { Command } from 'commander';
import { ExitCode, inRange, UsageError } from '../../common/errors.ts';
import { parseQuantity } from '../../common/units.ts';
import type { CaptureReader } from '../../radio/sigmf/capture-reader.ts';
import type { DerivedCapture, DeriveOptions } from '../../radio/sigmf/derive-capture.ts';
import { CAPTURE_HELP, recordingNamed } from '../capture-argument.ts';
import { type CliContext, outJson } from '../context.ts';
import { addCommonOptions } from '../options.ts';

type Done = (exitCode: number) => void;

interface CutFlags {
  from?: string;
  to?: string;
  fromSample?: string;
  samples?: string;
  streamTime?: boolean;
  output?: string;
}

interface ConvertFlags {
  to?: string;
  fullScale?: string;
  raw?: string;
  rate?: string;
  freq?: string;
  rawOut?: boolean;
  output?: string;
}

/** `sct capture cut`. */
export function addCaptureCut(group: Command, context: CliContext, done: Done): void {
  const command = group
    .command('cut')
    .summary('a part of a recording, as a new one')
    .description(
      'Writes a part of a recording as a new one. Times count from its first sample, by samples in the file: lost ones take none.',
    )
    .argument('<capture>', CAPTURE_HELP)
    .option('--from <s>', 'beginning (default 0)')
    .option('--to <s>', 'end (default that of the recording)')
    .option('--from-sample <n>', 'beginning as a sample of the file, in place of --from')
    .option('--samples <n>', 'length in samples, in place of --to')
    .option(
      '--stream-time',
      'times as a replay shows them: of the stream that was recorded, where lost samples took theirs',
    )
    .option('-o, --output <path>', 'recording to write; one that exists is not replaced');
  addCommonOptions(command).addHelpText('after', '\nExample:\n  sct capture cut air --from 0.2 --to 350ms -o part\n');
  command.action(async (path: string, flags: CutFlags) => {
    const { CaptureReader } = await import('../../radio/sigmf/capture-reader.ts');
    const rangeOf = cutRange(flags);
    await derive(context, 'sct.capture-cut/1', await CaptureReader.open(recordingNamed(path)), flags, rangeOf, false);
    done(ExitCode.ok);
  });
}

/** `sct capture convert`. */
export function addCaptureConvert(group: Command, context: CliContext, done: Done): void {
  const command = group
    .command('convert')
    .summary('a recording in another sample format; from and to bare samples')
    .description('Writes a recording in another sample format, scaled by full scale; counts what had to be limited.')
    .argument('<capture>', `${CAPTURE_HELP}; with --raw a file of bare samples`)
    .option('--to <format>', 'ci8, ci16_le or cf32_le')
    .option('--full-scale <n>', 'value of amplitude 1 (default 128, 32768, 1; as it is where the format stays)')
    .option('--raw <format>', 'the input has no metadata: its samples are ci8, ci16_le or cf32_le')
    .option('--rate <hz>', 'sample rate of --raw')
    .option('--freq <hz>', 'centre frequency of --raw (default none)')
    .option('--raw-out', 'write samples alone to the path of -o')
    .option('-o, --output <path>', 'recording to write; one that exists is not replaced');
  addCommonOptions(command).addHelpText(
    'after',
    '\nExamples:\n  sct capture convert air --to cf32_le -o air-float\n  sct capture convert --raw ci8 --rate 8M --freq 868M file.cs8 --to ci8 -o file\n',
  );
  command.action(async (path: string, flags: ConvertFlags) => {
    const { formatSpec } = await import('../../radio/format/sample-format.ts');
    if (flags.to === undefined) throw new UsageError('--to FORMAT is missing', 'give ci8, ci16_le or cf32_le');
    const { format } = formatSpec(flags.to);
    const fullScale =
      flags.fullScale === undefined ? {} : { fullScale: parseQuantity('--full-scale', flags.fullScale) };
    const all = (reader: CaptureReader) => ({ from: 0, to: reader.sampleCount, format, ...fullScale });
    const reader = await openInput(path, flags);
    await derive(context, 'sct.capture-convert/1', reader, flags, all, flags.rawOut === true);
    done(ExitCode.ok);
  });
}

/** `sct capture annotate`. */
export function addCaptureAnnotate(group: Command, context: CliContext, done: Done): void {
  const command = group
    .command('annotate')
    .summary('mark a part of a recording')
    .description('Adds an annotation to a recording; its samples stay as they are. Times as in sct capture cut.')
    .argument('<capture>', CAPTURE_HELP)
    .option('--start <s>', 'beginning')
    .option('--end <s>', 'end')
    .option('--label <text>', 'at most 64 characters; viewers show 20')
    .option('--comment <text>', 'at most 1024 characters');
  addCommonOptions(command).addHelpText(
    'after',
    '\nExample:\n  sct capture annotate air --start 10ms --end 12ms --label radar\n',
  );
  type Flags = { start?: string; end?: string; label?: string; comment?: string };
  command.action(async (given: string, { start, end, label, comment }: Flags) => {
    const path = recordingNamed(given);
    if (start === undefined || end === undefined || label === undefined) {
      throw new UsageError('--start, --end and --label are all needed');
    }
    const { annotateCapture } = await import('../../radio/sigmf/annotate-capture.ts');
    const range = (reader: CaptureReader) => {
      const from = sampleAt('--start', start, reader);
      return ordered(from, sampleAt('--end', end, reader), '--start', '--end');
    };
    const made = await annotateCapture(path, range, { label, ...(comment === undefined ? {} : { comment }) });
    if (context.json) outJson(context, { schema: 'sct.capture-annotate/1', ok: true, path, annotation: made });
    else
      context.out(`${path}: ${made['core:sample_count']} samples from sample ${made['core:sample_start']} on marked\n`);
    done(ExitCode.ok);
  });
}

type RangeOf = (reader: CaptureReader) => Pick<DeriveOptions, 'from' | 'to' | 'format' | 'fullScale'>;

/** Writes the derived recording and says what it is; closes the reader. */
async function derive(
  context: CliContext,
  schema: string,
  reader: CaptureReader,
  { output }: { output?: string },
  rangeOf: RangeOf,
  bare: boolean,
): Promise<void> {
  try {
    if (output === undefined) throw new UsageError('-o PATH is missing', 'name the recording to write');
    const { deriveCapture } = await import('../../radio/sigmf/derive-capture.ts');
    const { capturePaths } = await import('../../radio/sigmf/capture-paths.ts');
    if (reader.sampleCount === 0) throw new UsageError(`${reader.name} has no samples`);
    for (const problem of reader.layout.problems) context.progress.note(`${reader.name}: ${problem}`, true);
    const files = bare ? { meta: null, data: output } : capturePaths(output);
    const range = rangeOf(reader);
    const made = await deriveCapture(reader, { ...range, files, signal: context.signal });
    if (made.changed) {
      context.progress.note(`${reader.name}: core:sha512 does not match the data: samples were changed`, true);
    }
    const shown = { meta: files.meta, data: files.data };
    if (context.json) outJson(context, { schema, ok: true, from: range.from, to: range.to, ...made, files: shown });
    else context.out(`${files.meta ?? files.data}: ${derivedText(made, reader.layout.rateHz)}\n`);
  } finally {
    await reader.close();
  }
}

function derivedText(made: DerivedCapture, rateHz: number): string {
  const { samples, format, fullScale, gaps, annotations, newlyClipped, nonFinite } = made;
  const parts = [`${samples} samples of ${format} (full scale ${fullScale})`, `${(samples / rateHz).toPrecision(4)} s`];
  parts.push(`${gaps} gaps`, `${annotations} annotations`, `${newlyClipped} samples clipped by the conversion`);
  if (nonFinite > 0) parts.push(`${nonFinite} components that were no numbers set to 0`);
  return parts.join(', ');
}

function cutRange(flags: CutFlags): RangeOf {
  for (const [a, b] of [['from', 'fromSample'] as const, ['to', 'samples'] as const]) {
    if (flags[a] !== undefined && flags[b] !== undefined) {
      throw new UsageError(`--${a} and --${b === 'samples' ? b : 'from-sample'} say the same; give one`);
    }
  }
  const { fromSample, samples, streamTime = false } = flags;
  if (streamTime && (fromSample !== undefined || samples !== undefined)) {
    throw new UsageError('--stream-time is for --from and --to', '--from-sample and --samples count in the file');
  }
  const at = streamTime ? streamSampleAt : sampleAt;
  return (reader) => {
    const { sampleCount } = reader;
    const from =
      fromSample === undefined
        ? flags.from === undefined
          ? 0
          : at('--from', flags.from, reader)
        : wholeNumber('--from-sample', fromSample, 0, sampleCount);
    if (samples !== undefined) {
      return { from, to: from + wholeNumber('--samples', samples, 1, Math.max(1, sampleCount - from)) };
    }
    const to = flags.to === undefined ? sampleCount : at('--to', flags.to, reader);
    return ordered(from, to, '--from', '--to');
  };
}

function ordered(from: number, to: number, first: string, last: string): { from: number; to: number } {
  if (from >= to) throw new UsageError(`${last} (sample ${to}) is not after ${first} (sample ${from})`);
  return { from, to };
}

/** The sample at a time from the beginning of the file. */
function sampleAt(flag: string, text: string, { sampleCount, layout }: CaptureReader): number {
  const seconds = parseQuantity(flag, text, 's');
  inRange(flag, seconds, 0, sampleCount / layout.rateHz, 's');
  return Math.min(sampleCount, Math.round(seconds * layout.rateHz));
}

/** The sample at a time of the stream; in a gap the first one behind it. */
function streamSampleAt(flag: string, text: string, reader: CaptureReader): number {
  const { rateHz } = reader.layout;
  const { start, end } = reader.span;
  const index = Math.round(parseQuantity(flag, text, 's') * rateHz);
  if (!(index >= start && index <= end)) inRange(flag, index / rateHz, start / rateHz, end / rateHz, 's');
  return reader.positionOf(index);
}

function wholeNumber(flag: string, text: string, min: number, max: number): number {
  const value = inRange(flag, parseQuantity(flag, text), min, max, 'samples');
  if (!Number.isInteger(value)) throw new UsageError(`${flag} ${text} is not a whole number`);
  return value;
}

async function openInput(path: string, { raw, rate, freq }: ConvertFlags): Promise<CaptureReader> {
  if (raw === undefined) {
    if (rate !== undefined || freq !== undefined) {
      throw new UsageError('--rate and --freq are for --raw', 'a recording says its own');
    }
    const { CaptureReader } = await import('../../radio/sigmf/capture-reader.ts');
    return CaptureReader.open(recordingNamed(path));
  }
  if (rate === undefined) throw new UsageError('--raw needs --rate', 'bare samples do not say theirs');
  const { formatSpec } = await import('../../radio/format/sample-format.ts');
  const { openRawFile } = await import('../../radio/sigmf/raw-file.ts');
  return openRawFile(path, {
    format: formatSpec(raw).format,
    rateHz: inRange('--rate', parseQuantity('--rate', rate, 'Hz'), 1, 1e12, 'Hz'),
    frequencyHz: freq === undefined ? null : inRange('--freq', parseQuantity('--freq', freq, 'Hz'), -1e12, 1e12, 'Hz'),
  });
}
