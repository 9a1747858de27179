import { FormatError, inRange, NoSignalError, UsageError } from '../../common/errors.ts';
import type { SweepFrame, SweepPlan } from '../../radio/hackrf/sweep.ts';
import { SWEEP_BLOCK_BYTES, sweepFrequencies } from '../../radio/hackrf/sweep.ts';
import { noiseFloor, type Occupancy, occupancy } from './occupancy.ts';
import { PowerSpectrum } from './power-spectrum.ts';

/** Samples at the begin of a frame where its header stood. */
const HEADER_SAMPLES = 5;
const MAX_BINS = 4096;

/** What a sweep heard. Powers are relative to full scale. */
export interface Swept {
  /** Middle of each bin, ascending, Hz; with holes between ranges. */
  readonly frequencyHz: Float64Array;
  /** Power of each bin, [bin]. */
  readonly mean: Float64Array;
  readonly max: Float64Array;
  readonly binHz: number;
  readonly frames: number;
  /** How often every step was looked at, at least. */
  readonly passes: number;
  /** Power of the noise in one bin. */
  readonly floor: number;
  readonly occupancy: Occupancy;
}

/** Ranges as words, "800:960,2400:2500", whole MHz; UsageError for others. */
export function parseSweepRanges(text: string): { low: number; high: number }[] {
  return text.split(',').map((part) => {
    const match = /^(\d{1,4}):(\d{1,4})$/.exec(part.trim());
    if (!match || Number(match[1]) >= Number(match[2])) {
      throw new UsageError(
        `--sweep: "${part.slice(0, 40)}" is not LOW:HIGH in whole MHz`,
        'for example --sweep 800:960',
      );
    }
    return { low: Number(match[1]), high: Number(match[2]) };
  });
}

/** Rate and filter of hackrf_sweep, whose steps they fit. */
export const SWEEP_RATE_HZ = 20e6;
const QUARTER_HZ = SWEEP_RATE_HZ / 4;

/**
 * The plan of hackrf_sweep: steps of a sample rate, of which each tuning gives two quarters, those between 1/8 and 3/8 of the rate on either side of the
 * oscillator (away from its leak, inside the filter of 15 MHz); the tuning a quarter further on gives the two between them.
 */
export function sweepPlan(rangesMhz: SweepPlan['rangesMhz']): SweepPlan {
  const offsetHz = 1.5 * QUARTER_HZ;
  return { rangesMhz, stepHz: SWEEP_RATE_HZ, offsetHz, style: 'interleaved', blocksPerStep: 1 };
}

/**
 * Listens to a sweep until `isEnough` says so, and at least until every step of the plan was heard. NoSignalError where the sweep ends before.
 *
 * @param bins bins of one sample rate, a power of two
 */
export async function hearSweep(
  sweep: AsyncIterable<SweepFrame>,
  plan: SweepPlan,
  options: { readonly bins: number; readonly marginDb: number; readonly isEnough: () => boolean },
): Promise<Swept> {
  const { bins, marginDb, isEnough } = options;
  inRange('bins of a sweep', bins, 16, MAX_BINS);
  const steps = new Map(sweepFrequencies(plan).map((frequencyHz) => [frequencyHz, new PowerSpectrum(bins)]));
  const reIm = new Float32Array(SWEEP_BLOCK_BYTES);
  let frames = 0;
  let heard = 0;
  for await (const { frequencyHz, samples } of sweep) {
    const spectrum = steps.get(frequencyHz);
    if (!spectrum) throw new FormatError('sweep', `a frame of ${frequencyHz} Hz, which is no step of the plan`);
    if (spectrum.windows === 0) heard++;
    const useful = samples.subarray(2 * HEADER_SAMPLES);
    for (let i = 0; i < useful.length; i++) reIm[i] = useful[i] / 128;
    spectrum.add(reIm.subarray(0, useful.length), false);
    frames++;
    if (heard === steps.size && isEnough()) break;
  }
  if (heard < steps.size) throw new NoSignalError(`the sweep ended after ${heard} of ${steps.size} steps`);
  return { ...assemble(steps, plan, bins, marginDb), frames };
}

function assemble(
  steps: ReadonlyMap<number, PowerSpectrum>,
  { rangesMhz, offsetHz }: SweepPlan,
  bins: number,
  marginDb: number,
): Omit<Swept, 'frames'> {
  const binHz = SWEEP_RATE_HZ / bins;
  const inPlan = (hz: number) => rangesMhz.some(({ low, high }) => hz >= low * 1e6 && hz < high * 1e6);
  const quarter = bins / 4;
  const rows: { hz: number; mean: number; max: number }[] = [];
  let passes = Number.POSITIVE_INFINITY;
  let windows = Number.POSITIVE_INFINITY;
  for (const [frequencyHz, spectrum] of steps) {
    const [mean, max] = [spectrum.mean(), spectrum.max()];
    passes = Math.min(passes, spectrum.windows / windowsOfFrame(bins));
    windows = Math.min(windows, spectrum.windows);
    for (const first of [bins / 8, (5 * bins) / 8]) {
      for (let bin = first; bin < first + quarter; bin++) {
        const hz = frequencyHz + offsetHz + (bin - bins / 2) * binHz;
        if (inPlan(hz)) rows.push({ hz, mean: mean[bin], max: max[bin] });
      }
    }
  }
  rows.sort((a, b) => a.hz - b.hz);
  const mean = Float64Array.from(rows, (row) => row.mean);
  const max = Float64Array.from(rows, (row) => row.max);
  const usable = new Uint8Array(rows.length).fill(1);
  const independentWindows = windows > 1 ? (windows * 18) / 19 : windows;
  const floor = noiseFloor(mean, usable, independentWindows);
  return {
    frequencyHz: Float64Array.from(rows, (row) => row.hz),
    mean,
    max,
    binHz,
    floor,
    passes: Math.floor(passes),
    occupancy: occupancy({ mean, max, windows, independentWindows }, usable, floor, marginDb),
  };
}

/** Hann windows that overlap by half in one frame. */
function windowsOfFrame(bins: number): number {
  return Math.floor((SWEEP_BLOCK_BYTES / 2 - HEADER_SAMPLES - bins) / (bins / 2)) + 1;
}
