import { DeviceError, ExitCode, UsageError } from '../../common/errors.ts';
import { formatSi, parseQuantity } from '../../common/units.ts';
import type { Swept } from '../../experiment/board/sweep-spectrum.ts';
import { type CliContext, outJson } from '../context.ts';
import { noteCalibration, requireRadio } from '../radios.ts';

export interface SweepFlags {
  readonly freq?: string;
  readonly rate?: string;
  readonly gain?: string;
  readonly duration: string;
  readonly bins: string;
  readonly margin: string;
  readonly sweep: string;
  readonly output?: string;
}

/** `sct spectrum hackrf --sweep RANGES`: the board steps through frequencies by itself. */
export async function spectrumOfSweep(context: CliContext, given: string, flags: SweepFlags): Promise<number> {
  const uri = await requireRadio('URI', given);
  if (flags.freq !== undefined || flags.rate !== undefined) {
    throw new UsageError('--sweep has frequencies and a rate of its own', 'leave -f and -s out');
  }
  const durationS = parseQuantity('--duration', flags.duration, 's');
  if (!(durationS > 0 && durationS <= 3600))
    throw new UsageError(`--duration ${durationS} s: allowed above 0 to 3600 s`);
  const gain = flags.gain === undefined ? {} : { gainDb: parseQuantity('--gain', flags.gain, 'dB') };
  const { hearSweep, parseSweepRanges, SWEEP_RATE_HZ, sweepPlan } = await import(
    '../../experiment/board/sweep-spectrum.ts'
  );
  const plan = sweepPlan(parseSweepRanges(flags.sweep));
  const { initSweep } = await import('../../radio/hackrf/sweep.ts');
  initSweep(plan); // what the board cannot do is said before it is looked for
  const { openRadio } = await import('../../radio/open-radio.ts');
  const { HackrfRadio } = await import('../../radio/hackrf/hackrf-radio.ts');
  const { streamRequest } = await import('../../experiment/board/board-request.ts');
  const radio = await openRadio(uri);
  try {
    if (!(radio instanceof HackrfRadio)) throw new UsageError('--sweep: only a HackRF sweeps', 'give -f and -s');
    noteCalibration(context, radio);
    const request = streamRequest(radio.capabilities, 'rx', { ...gain, rateHz: SWEEP_RATE_HZ });
    const sweep = await radio.openSweep(plan, { bandwidthHz: 15e6, ...request });
    const { gainsDb } = sweep.settings;
    context.progress.note(`${radio.describe()}, sweep of ${flags.sweep} MHz`);
    const endMs = performance.now() + 1000 * durationS;
    const swept = await hearSweep(sweep, plan, {
      bins: parseQuantity('--bins', flags.bins),
      marginDb: parseQuantity('--margin', flags.margin, 'dB'),
      isEnough: () => performance.now() >= endMs || context.signal.aborted,
    });
    if (sweep.warning) context.progress.note(sweep.warning, true);
    const document = { ...documentOf(radio.uri, swept), gainsDb, lostFrames: sweep.lostFrames };
    const files = flags.output === undefined ? [] : [await writeBins(flags.output, document, swept)];
    if (context.json) outJson(context, { ...document, ...(files.length > 0 ? { files } : {}) });
    else context.out(textOf(given, flags.sweep, swept, sweep.lostFrames, files));
    return context.signal.aborted ? ExitCode.interrupted : ExitCode.ok;
  } finally {
    await radio.close();
  }
}

function documentOf(uri: string, swept: Swept): object {
  const { binHz, frames, passes, floor, occupancy } = swept;
  const strongest = strongestBin(swept);
  return {
    schema: 'sct.sweep/1',
    ok: true,
    uri,
    binHz,
    frames,
    passes,
    noiseFloorDbfs: db(floor),
    occupancy,
    strongest: { frequencyHz: strongest.frequencyHz, dbfs: db(strongest.power) },
  };
}

async function writeBins(path: string, document: object, { frequencyHz, mean, max }: Swept): Promise<string> {
  const { writeFile } = await import('node:fs/promises');
  const bins = { frequencyHz: [...frequencyHz], meanDbfs: Array.from(mean, db), maxDbfs: Array.from(max, db) };
  const file = `${path}.json`;
  await writeFile(file, `${JSON.stringify({ ...document, bins })}\n`).catch((error: Error) => {
    throw new DeviceError(`${file} cannot be written: ${error.message}`);
  });
  return file;
}

function textOf(uri: string, ranges: string, swept: Swept, lostFrames: number, files: readonly string[]): string {
  const { binHz, frames, passes, floor, occupancy } = swept;
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
  const strongest = strongestBin(swept);
  const dbfs = (power: number) => (power > 0 ? `${(10 * Math.log10(power)).toFixed(1)} dBFS` : 'none');
  const rows = [
    `${uri}: ${ranges} MHz, bins of ${formatSi(binHz)}Hz, ${passes} times, ${frames} frames`,
    `noise floor  ${dbfs(floor)} in a bin`,
    `occupied     ${percent(occupancy.meanShare)} in the mean, ${percent(occupancy.maxShare)} at any time`,
    `strongest    ${formatSi(strongest.frequencyHz, 9)}Hz, ${dbfs(strongest.power)} at most`,
    ...(lostFrames > 0 ? [`lost         ${lostFrames} frames: this computer was too slow`] : []),
    ...files.map((file) => `wrote        ${file}`),
  ];
  return `${rows.join('\n')}\n`;
}

function strongestBin({ frequencyHz, max }: Swept): { frequencyHz: number; power: number } {
  const bin = max.reduce((best, power, i) => (power > max[best] ? i : best), 0);
  return { frequencyHz: frequencyHz[bin], power: max[bin] };
}

function db(power: number): number | null {
  return power > 0 ? 10 * Math.log10(power) : null;
}
