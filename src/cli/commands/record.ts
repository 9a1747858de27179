import { ExitCode, NoSignalError, UsageError } from '../../common/errors.ts';
import { parseQuantity } from '../../common/units.ts';
import type { LinkInput } from '../../experiment/config/link-config.ts';
import type { Radio, RadioCapabilities, RxStream, StreamRequest } from '../../radio/radio.ts';
import type { CaptureWriter, CaptureWriterOptions } from '../../radio/sigmf/capture-writer.ts';
import type { SctFields } from '../../radio/sigmf/meta.ts';
import { type AddCommand, type CliContext, outJson } from '../context.ts';
import { failureOf } from '../failure.ts';
import { addCommonOptions, addLinkOptions, linkInput } from '../options.ts';
import { noteCalibration, noteTrigger, requireRadio } from '../radios.ts';

/** What a receiver has to know of a capture, besides what every SigMF reader knows. */
const COPIED = ['sct:numerology', 'sct:lo_offset_hz', 'sct:modem_rate_hz', 'sct:clock_ppm'];

interface RecordFlags {
  from?: string;
  output?: string;
  samples?: string;
  force?: boolean;
  gpsdo?: string;
}

/** `sct record --from URI -o PATH`: samples into a capture. */
export const addRecord: AddCommand = (program, context, done) => {
  const command = program
    .command('record')
    .summary('record samples from a radio')
    .description('Records samples into PATH.sigmf-meta and PATH.sigmf-data until the source ends, or Ctrl-C.')
    .option('--from <uri>', 'radio: hackrf[:SERIAL], pluto:usb, pluto:ip:HOST, file:PATH (may still be growing)')
    .option('-o, --output <path>', 'recording to write')
    .option('--samples <n>', 'stop after this many samples')
    .option('--gpsdo <uri>', 'gpsdo:PORT: what it says of itself stands in the recording, too')
    .option('--force', 'replace an existing recording');
  addLinkOptions(command, ['tuning', 'duration']);
  addCommonOptions(command)
    .addHelpText(
      'after',
      '\nExamples:\n  sct record --from file:air -o captures/local/air-copy --duration 2\n  sct record --from hackrf -f 868M -s 8M --rx-gain 40 -o captures/local/band --duration 5\n',
    )
    .action(async (options: RecordFlags) => {
      done(await recordCapture(context, options, linkInput(command)));
    });
};

async function recordCapture(context: CliContext, options: RecordFlags, given: LinkInput): Promise<number> {
  const { durationS } = given;
  const from = await requireRadio('--from', options.from);
  if (options.output === undefined) throw new UsageError('-o PATH is missing', 'name the recording to write');
  const asked = options.samples === undefined ? undefined : parseQuantity('--samples', options.samples);
  if (asked !== undefined && !(Number.isInteger(asked) && asked >= 1 && asked <= 2 ** 52)) {
    throw new UsageError(`--samples ${options.samples} is out of range: allowed 1 to ${2 ** 52}`);
  }
  if (durationS !== undefined && !(durationS > 0)) throw new UsageError('--duration must be above 0 s');
  await refuseOntoItself(from, options.output);

  const { openRadio } = await import('../../radio/open-radio.ts');
  const { record } = await import('../../radio/recorder.ts');
  const { CaptureWriter } = await import('../../radio/sigmf/capture-writer.ts');
  const { clockField } = await import('../../radio/sigmf/meta.ts');
  const reference = options.gpsdo === undefined ? {} : await gpsdoField(context, options.gpsdo);
  const radio = await openRadio(from);
  try {
    noteCalibration(context, radio);
    await noteTrigger(context, from);
    const rx = await radio.openRx(await tuningOf(from, given, radio.capabilities));
    const { rateHz, format, fullScale, frequencyHz, gainsDb, clockPpm = null } = rx.settings;
    const byTime = durationS === undefined ? Number.POSITIVE_INFINITY : Math.max(1, Math.round(durationS * rateHz));
    const source = await sourceFields(from);
    const writer = await CaptureWriter.create(options.output, {
      ...source,
      fields: { ...source.fields, ...clockField(rx.settings), ...reference },
      format,
      fullScale,
      rateHz,
      frequencyHz: frequencyHz === 0 ? null : frequencyHz,
      gainsDb,
      description: `recorded from ${from}`,
      ...(radio.capabilities.realtime ? { hardware: radio.describe() } : {}),
      overwrite: options.force === true,
    });
    context.progress.note(`${rx.describe()} -> ${writer.describe()}`);
    const { realtime } = radio.capabilities;
    const maxSamples = Math.min(asked ?? Number.POSITIVE_INFINITY, byTime);
    const watch = await watched(context, from, radio, rx, writer);
    const { reason, error, summary, droppedSamples } = await record(watch?.rx ?? rx, writer, {
      maxSamples,
      signal: context.signal,
      realtime,
      ...(watch ? { queued: watch.queued } : {}),
    });
    if (error) {
      // A full disk, an unplugged board: what came until then is there.
      const { samples, dataPath } = summary;
      const kept = `${samples} samples, ${(samples / rateHz).toPrecision(4)} s, are kept in ${dataPath}`;
      if (samples > 0) context.progress.note(kept, true);
      watch?.ended(failureOf(error)?.exitCode ?? ExitCode.internal, error.message, null);
      throw error;
    }
    if (reason === 'source-silent') context.progress.note('the source went silent without marking its end', true);
    const { samples, gaps, lostMin, lostMax, sha512, metaPath, dataPath } = summary;
    const none = samples === 0 && reason !== 'interrupted' ? new NoSignalError(`${from} delivered no samples`) : null;
    const exitCode = none?.exitCode ?? (reason === 'interrupted' ? ExitCode.interrupted : ExitCode.ok);
    const lost = lostMax > 0 ? `, ${lostMax} samples lost in ${gaps} gaps` : '';
    const said = `${samples} samples, ${(samples / rateHz).toPrecision(4)} s${lost}`;
    const result = {
      schema: 'sct.record/1',
      ok: reason !== 'interrupted',
      from,
      reason,
      samples,
      durationS: samples / rateHz,
      rateHz,
      format,
      frequencyHz,
      clockPpm,
      gaps,
      lostSamples: { min: lostMin, max: lostMax },
      droppedSamples,
      clippedSamples: rx.counters.clippedSamples,
      sha512,
      files: { meta: metaPath, data: dataPath },
    };
    watch?.ended(exitCode, none?.message ?? `recorded: ${said}`, result);
    if (none) throw none;
    if (context.json) outJson(context, result);
    else context.out(`${metaPath}: ${said}\n`);
    return exitCode;
  } finally {
    await radio.close();
  }
}

/** Telling of the recording; null where nobody watches. */
async function watched(context: CliContext, from: string, radio: Radio, rx: RxStream, writer: CaptureWriter) {
  const { telemetry, argv } = context;
  if (!telemetry) return null;
  const { watchStream } = await import('../../experiment/telemetry/stream-watch.ts');
  return watchStream(telemetry, 'record', ['sct', ...argv], from, radio, rx, writer);
}

/** State of a GPSDO before the recording begins. InstrumentError where it does not answer; one that is no reference now is a warning. */
async function gpsdoField(context: CliContext, uri: string): Promise<SctFields> {
  const { openGpsdo } = await import('../../radio/instruments/open-instrument.ts');
  const { gpsdoTrouble } = await import('../../radio/instruments/gpsdo.ts');
  const gpsdo = await openGpsdo(uri);
  try {
    const status = await gpsdo.status();
    const trouble = gpsdoTrouble(status);
    if (trouble !== null) context.progress.note(`${gpsdo.describe()} is no reference now: ${trouble}`, true);
    return { 'sct:gpsdo': { ...status, holdover: { ...status.holdover }, trouble } };
  } finally {
    await gpsdo.close();
  }
}

/** What is asked of a board; nothing of a file, which is as it was recorded. */
async function tuningOf(from: string, given: LinkInput, { gains }: RadioCapabilities): Promise<StreamRequest> {
  const { parseRadioUri } = await import('../../radio/uri.ts');
  const { radiates } = await import('../../radio/safety/transmit-permission.ts');
  const { frequencyHz, rateHz, rxGainDb } = given;
  const asked = { ...(frequencyHz === undefined ? {} : { frequencyHz }), ...(rateHz === undefined ? {} : { rateHz }) };
  if (!radiates(parseRadioUri(from))) {
    if (rxGainDb === undefined && frequencyHz === undefined) return asked;
    throw new UsageError(`${from}: -f and --rx-gain are for boards`, 'a file is as it was recorded');
  }
  if (frequencyHz === undefined) throw new UsageError(`${from}: no frequency`, 'give -f HZ, the LO');
  if (rxGainDb === undefined) return asked;
  const { receiveGains } = await import('../../experiment/ota/radio-end.ts');
  return { ...asked, gainsDb: receiveGains(from, gains, rxGainDb) };
}

/** Tuning and time of a capture that is recorded from; a copy keeps them. */
async function sourceFields(from: string): Promise<Pick<CaptureWriterOptions, 'fields' | 'startTime'>> {
  const { parseRadioUri } = await import('../../radio/uri.ts');
  const { CaptureReader } = await import('../../radio/sigmf/capture-reader.ts');
  const uri = parseRadioUri(from);
  if (uri.kind !== 'file') return {};
  const reader = await CaptureReader.open(uri.path);
  try {
    const { global, captures } = reader.meta;
    const fields = Object.entries(global).filter(([key, value]) => COPIED.includes(key) && typeof value === 'number');
    const time = captures[0]?.['core:datetime'];
    const start = time === undefined ? null : new Date(time);
    return {
      fields: Object.fromEntries(fields) as SctFields,
      startTime: start && Number.isFinite(start.getTime()) ? start : null,
    };
  } finally {
    await reader.close();
  }
}

/** With --force the recording would be emptied before it is read. */
async function refuseOntoItself(from: string, output: string): Promise<void> {
  const { parseRadioUri } = await import('../../radio/uri.ts');
  const { capturePaths } = await import('../../radio/sigmf/capture-paths.ts');
  const { resolve } = await import('node:path');
  const uri = parseRadioUri(from);
  if (uri.kind === 'file' && resolve(capturePaths(uri.path).base) === resolve(capturePaths(output).base)) {
    throw new UsageError('--from and -o name the same recording');
  }
}
