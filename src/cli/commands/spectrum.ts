import { ExitCode, UsageError } from '../../common/errors.ts';
import { formatSi, parseQuantity } from '../../common/units.ts';
import type { FullScale } from '../../experiment/board/full-scale.ts';
import type { Heard } from '../../experiment/board/listen.ts';
import type { Radio, RxStream } from '../../radio/radio.ts';
import { type AddCommand, type CliContext, outJson } from '../context.ts';
import { failureOf } from '../failure.ts';
import { addCommonOptions } from '../options.ts';
import { noteCalibration, requireRadio } from '../radios.ts';
import { spectrumOfSweep } from './spectrum-sweep.ts';

interface SpectrumFlags {
  freq?: string;
  rate?: string;
  gain?: string;
  duration: string;
  bins: string;
  margin: string;
  sweep?: string;
  output?: string;
}

/** `sct spectrum URI`: what is on the air. */
export const addSpectrum: AddCommand = (program, context, done) => {
  const command = program
    .command('spectrum')
    .summary('power spectrum, noise floor and occupancy')
    .description('Listens for a while: power spectrum (mean and maximum), noise floor, occupancy, strongest tone.')
    .argument('<uri>', 'radio: hackrf[:SERIAL], pluto:usb, pluto:ip:HOST, file:PATH')
    .option('-f, --freq <hz>', 'frequency of the middle')
    .option('-s, --rate <hz>', 'sample rate: the width of the spectrum')
    .option('--gain <db>', 'receive gain, all stages together (default: of the URI, else the lowest)')
    .option('--duration <s>', 'how long to listen', '5')
    .option('--bins <n>', 'bins of the spectrum, a power of two', '4096')
    .option(
      '--sweep <ranges>',
      'HackRF: step through LOW:HIGH[,LOW:HIGH...] in MHz, 20 MHz at a time, in place of -f and -s',
    )
    .option('--margin <db>', 'a bin so far above the noise floor is occupied', '6')
    .option('-o, --output <path>', 'write PATH.svg and PATH.json with every bin');
  addCommonOptions(command)
    .addHelpText(
      'after',
      `
Powers are in dBFS: 0 is a complex amplitude of full scale. Of a board they are told in dBm, too, as its profile (hardware/)
has it (assumed, and it says how far that may be off), or as sct doctor --reference-dbm --save has measured it.

Examples:
  sct spectrum hackrf -f 868.3M -s 8M --gain 40 -o air
  sct spectrum hackrf --sweep 430:440,860:880 --gain 40 --bins 1024
  sct spectrum file:captures/local/air --duration 0.5
`,
    )
    .action(async (uri: string, flags: SpectrumFlags) => {
      const { sweep } = flags;
      done(
        await (sweep === undefined
          ? spectrum(context, uri, flags)
          : spectrumOfSweep(context, uri, { ...flags, sweep })),
      );
    });
};

async function spectrum(context: CliContext, given: string, flags: SpectrumFlags): Promise<number> {
  const uri = await requireRadio('URI', given);
  const durationS = parseQuantity('--duration', flags.duration, 's');
  const bins = parseQuantity('--bins', flags.bins);
  const marginDb = parseQuantity('--margin', flags.margin, 'dB');
  const wish = {
    ...(flags.freq === undefined ? {} : { frequencyHz: parseQuantity('-f', flags.freq, 'Hz') }),
    ...(flags.rate === undefined ? {} : { rateHz: parseQuantity('-s', flags.rate, 'Hz') }),
    ...(flags.gain === undefined ? {} : { gainDb: parseQuantity('--gain', flags.gain, 'dB') }),
  };
  if (flags.output !== undefined) await checkOutput(flags.output);
  const { openRadio } = await import('../../radio/open-radio.ts');
  const { listen } = await import('../../experiment/board/listen.ts');
  const { profileOfUri, streamRequest } = await import('../../experiment/board/board-request.ts');
  const { fullScaleOf } = await import('../../experiment/board/full-scale.ts');
  const { parseRadioUri } = await import('../../radio/uri.ts');
  const radio = await openRadio(uri);
  try {
    noteCalibration(context, radio);
    const rx = await radio.openRx(streamRequest(radio.capabilities, 'rx', wish));
    context.progress.note(rx.describe());
    const { realtime } = radio.capabilities;
    const watch = await watched(context, radio, rx);
    const listening = { durationS, bins, marginDb, realtime, signal: context.signal };
    const heard = await listen(watch?.rx ?? rx, listening).catch((error: Error) => {
      watch?.ended(failureOf(error)?.exitCode ?? ExitCode.internal, error.message, null);
      throw error;
    });
    const { serialOf } = await import('../../experiment/board/examine-board.ts');
    const { storedLevel } = await import('../../radio/calibration.ts');
    const level = await storedLevel(serialOf(radio));
    const fullScale = fullScaleOf(profileOfUri(parseRadioUri(uri)), heard.settings, level);
    const document = { ...documentOf(radio.uri, heard), fullScale, clockCorrection: radio.clock ?? null };
    const files = flags.output === undefined ? [] : await writeFiles(flags.output, document, radio.uri, heard);
    watch?.ended(heard.interrupted ? ExitCode.interrupted : ExitCode.ok, sentenceOf(heard), null);
    if (context.json) outJson(context, { ...document, ...(files.length > 0 ? { files } : {}) });
    else context.out(await textOf(given, heard, fullScale, files));
    return heard.interrupted ? ExitCode.interrupted : ExitCode.ok;
  } finally {
    await radio.close();
  }
}

/** Telling of what is heard; null where nobody watches. */
async function watched(context: CliContext, radio: Radio, rx: RxStream) {
  const { telemetry, argv } = context;
  if (!telemetry) return null;
  const { watchStream } = await import('../../experiment/telemetry/stream-watch.ts');
  return watchStream(telemetry, 'spectrum', ['sct', ...argv], radio.uri, radio, rx, null);
}

/** What a dashboard says of it in the end. */
function sentenceOf({ floorDbfs, occupancy, tone, settings }: Heard): string {
  const floor = floorDbfs === null ? 'no noise' : `noise ${floorDbfs.toFixed(1)} dBFS in the whole width`;
  const strongest =
    tone === null ? 'no tone' : `strongest tone at ${formatSi(settings.frequencyHz + tone.offsetHz, 9)}Hz`;
  return `${floor}, ${(100 * occupancy.meanShare).toFixed(1)} % occupied in the mean and ${(100 * occupancy.maxShare).toFixed(1)} % at any time, ${strongest}`;
}

/** Before anybody listens for nothing: a folder that can be written to. */
async function checkOutput(path: string): Promise<void> {
  if (path === '') throw new UsageError('-o PATH is missing', 'name the files to write, without an ending');
  const { access, constants } = await import('node:fs/promises');
  const { dirname } = await import('node:path');
  const { DeviceError } = await import('../../common/errors.ts');
  await access(dirname(path), constants.W_OK).catch((error: NodeJS.ErrnoException) => {
    throw new DeviceError(
      `${path}.svg cannot be written: ${dirname(path)} ${error.code === 'ENOENT' ? 'is not there' : 'may not be written to'}`,
    );
  });
}

async function writeFiles(path: string, document: object, uri: string, heard: Heard): Promise<string[]> {
  const { writeFile } = await import('node:fs/promises');
  const { DeviceError } = await import('../../common/errors.ts');
  const { spectrumPlot } = await import('../../experiment/board/spectrum-plot.ts');
  const { dbfs } = await import('../../experiment/board/listen.ts');
  const { frequencyHz, mean, max } = heard.spectrum;
  const bins = {
    frequencyHz: [...frequencyHz],
    meanDbfs: Array.from(mean, dbfs),
    maxDbfs: Array.from(max, dbfs),
  };
  const files = [
    [`${path}.svg`, spectrumPlot(heard, uri)],
    [`${path}.json`, `${JSON.stringify({ ...document, bins })}\n`],
  ] as const;
  for (const [file, text] of files) {
    await writeFile(file, text).catch((error: Error) => {
      throw new DeviceError(`${file} cannot be written: ${error.message}`);
    });
  }
  return files.map(([file]) => file);
}

function documentOf(uri: string, heard: Heard): object {
  const { settings, spectrum, occupancy, tone, lost } = heard;
  return {
    schema: 'sct.spectrum/1',
    ok: !heard.interrupted,
    uri,
    frequencyHz: settings.frequencyHz,
    rateHz: settings.rateHz,
    gainsDb: settings.gainsDb,
    durationS: heard.durationS,
    samples: heard.samples,
    lostSamples: lost,
    rmsDbfs: heard.rmsDbfs,
    signalDbfs: heard.signalDbfs,
    peakDbfs: heard.peakDbfs,
    clippedSamples: heard.clippedSamples,
    binHz: settings.rateHz / spectrum.mean.length,
    windows: spectrum.windows,
    share: spectrum.share,
    usableHz: spectrum.usableHz,
    noiseFloorDbfs: heard.floorDbfs,
    noiseFloorDbfsHz: heard.floorDbfsHz,
    occupancy,
    tone: tone && {
      frequencyHz: settings.frequencyHz + tone.offsetHz,
      offsetHz: tone.offsetHz,
      errorHz: tone.errorHz,
      dbfs: 10 * Math.log10(tone.power),
      overFloorDb: tone.overFloorDb,
    },
  };
}

async function textOf(
  uri: string,
  heard: Heard,
  fullScale: FullScale | null,
  files: readonly string[],
): Promise<string> {
  const { describeFullScale, inDbm } = await import('../../experiment/board/full-scale.ts');
  const { settings, spectrum, occupancy, tone, lost } = heard;
  const db = (value: number | null) => (value === null ? 'none' : `${value.toFixed(1)} dBFS`);
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
  const { meanShare, maxShare, meanMarginDb, maxMarginDb } = occupancy;
  const rows = [
    `${uri}: ${formatSi(settings.frequencyHz, 9)}Hz, ${formatSi(settings.rateHz, 7)}sps, ${heard.durationS.toPrecision(4)} s`,
    `full scale   ${describeFullScale(fullScale)}`,
    `level        ${db(heard.rmsDbfs)} RMS, without the LO's leak ${db(heard.signalDbfs)}${inDbm(heard.signalDbfs, fullScale)}, largest I or Q ${db(heard.peakDbfs)}, ${heard.clippedSamples} of ${heard.samples} samples at the limit`,
    `noise floor  ${db(heard.floorDbfs)} in ${formatSi(settings.rateHz, 7)}Hz, ${heard.floorDbfsHz === null ? 'none' : `${heard.floorDbfsHz.toFixed(1)} dBFS/Hz`}${inDbm(heard.floorDbfsHz, fullScale, 'dBm/Hz')}`,
    `occupied     ${percent(meanShare)} in the mean (${meanMarginDb.toFixed(1)} dB above the floor), ${percent(maxShare)} at any time (${maxMarginDb.toFixed(1)} dB), of ${formatSi(spectrum.usableHz)}Hz`,
    tone === null
      ? 'tone         none 10 dB above the floor'
      : `tone         ${formatSi(settings.frequencyHz + tone.offsetHz, 10)}Hz (${formatSi(tone.offsetHz, 6)}Hz from the middle), ${(10 * Math.log10(tone.power)).toFixed(1)} dBFS${inDbm(10 * Math.log10(tone.power), fullScale)}, ${tone.overFloorDb.toFixed(1)} dB above the floor`,
    ...(spectrum.share < 1 ? [`looked at    ${percent(spectrum.share)} of the samples`] : []),
    ...(lost.gaps > 0 ? [`lost         ${lost.min} to ${lost.max} samples in ${lost.gaps} gaps`] : []),
    ...files.map((file) => `wrote        ${file}`),
  ];
  return `${rows.join('\n')}\n`;
}
