import { inRange, NoSignalError, UsageError } from '../../common/errors.ts';
import { type DcIqEstimate, estimateDcIq } from '../../phy/frontend/dc-iq.ts';
import { toFloat } from '../../radio/format/convert.ts';
import { blockLength, type RxStream, type StreamSettings } from '../../radio/radio.ts';
import { LevelMeter } from '../../radio/sigmf/level-meter.ts';
import { type ImageFinding, imageOf } from './image.ts';
import { finerTone, noiseFloor, type Occupancy, occupancy, strongestTone, type Tone, usableBins } from './occupancy.ts';
import { binHz, PowerSpectrum } from './power-spectrum.ts';

/** Samples a second that are transformed at most, so that the rest of a block is room to keep up with a board. */
const TRANSFORMED_HZ = 2e6;
/** Samples that DC and IQ imbalance are estimated from: errors of some 0.01 dB, a moment's work. */
const DC_IQ_SAMPLES = 2 ** 18;

export interface ListenOptions {
  /** By the stream's own samples, those that were lost included. */
  readonly durationS: number;
  /** Bins of the spectrum. */
  readonly bins: number;
  readonly marginDb: number;
  /** The source does not wait (a board): of fast streams only a part is transformed. */
  readonly realtime: boolean;
  readonly signal?: AbortSignal;
}

/** What was heard. Powers are relative to full scale. */
export interface Heard {
  readonly settings: StreamSettings;
  readonly durationS: number;
  readonly samples: number;
  readonly lost: { readonly min: number; readonly max: number; readonly gaps: number };
  readonly interrupted: boolean;
  /** Null where every sample is zero. */
  readonly rmsDbfs: number | null;
  /** Without the DC, which is the LO's leak and not at the connector; null where nothing is left. */
  readonly signalDbfs: number | null;
  readonly peakDbfs: number | null;
  readonly clippedSamples: number;
  /** Null where too few samples followed each other. */
  readonly dcIq: DcIqEstimate | null;
  /** Of the same samples. */
  readonly image: ImageFinding | null;
  readonly spectrum: {
    /** Middle of each bin, Hz on the air (from 0 where the source has no frequency). */
    readonly frequencyHz: Float64Array;
    /** Power of each bin, [bin]. */
    readonly mean: Float64Array;
    readonly max: Float64Array;
    readonly windows: number;
    /** Share of the samples that was looked at. */
    readonly share: number;
    readonly usableHz: number;
  };
  /** Power of the noise in one bin. */
  readonly floor: number;
  readonly floorDbfsHz: number | null;
  /** In the whole sample rate. */
  readonly floorDbfs: number | null;
  readonly occupancy: Occupancy;
  readonly tone: Tone | null;
}

/** Listens to a stream for a while and closes it. NoSignalError where it gave too few samples for one window. */
export async function listen(rx: RxStream, options: ListenOptions): Promise<Heard> {
  const { durationS, bins, marginDb, realtime, signal } = options;
  const { rateHz, fullScale, bandwidthHz, frequencyHz } = rx.settings;
  inRange('--duration', durationS, 1e-6, 3600, 's');
  inRange('--margin', marginDb, 1, 60, 'dB');
  const wanted = Math.ceil(durationS * rateHz);
  if (wanted < bins) {
    throw new UsageError(
      `${durationS} s are ${wanted} samples, fewer than ${bins} bins need`,
      'give a longer --duration or fewer --bins',
    );
  }
  const spectrum = new PowerSpectrum(bins);
  const meter = new LevelMeter(fullScale);
  const run = new SampleRun(DC_IQ_SAMPLES);
  const part = realtime ? Math.min(1, TRANSFORMED_HZ / rateHz) : 1;
  let [first, end, transformed] = [-1, 0, 0];
  const stop = () => void rx.close();
  if (signal?.aborted) stop();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    for await (const block of rx) {
      if (first < 0) first = block.index;
      const room = first + wanted - block.index;
      if (room <= 0) break;
      const data = block.data.subarray(0, 2 * Math.min(blockLength(block), room));
      meter.add(data);
      const follows = block.lostBefore === null && block.index === end;
      const { reIm } = toFloat(data, fullScale);
      run.add(reIm, follows);
      // Whole windows at the block's begin; a block shorter than one is taken whole.
      const look = part < 1 ? Math.max(bins, Math.ceil((part * data.length) / 2)) : data.length / 2;
      spectrum.add(reIm.subarray(0, 2 * look), follows && (part >= 1 || data.length / 2 <= bins));
      transformed += Math.min(look, data.length / 2);
      end = block.index + data.length / 2;
      if (end >= first + wanted) break;
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    await rx.close();
  }
  if (spectrum.windows === 0) {
    throw new NoSignalError(`${rx.describe()}: ${meter.samples} samples, too few for a window of ${bins}`);
  }
  const [mean, max] = [spectrum.mean(), spectrum.max()];
  const usableHz = Math.min(bandwidthHz ?? rateHz, rateHz);
  const usable = usableBins(bins, rateHz, usableHz);
  const floor = noiseFloor(mean, usable, spectrum.independentWindows);
  const { windows, independentWindows } = spectrum;
  const { lostMin, lostMax, gaps } = rx.counters;
  const dcIq = run.filled > 0 ? estimateDcIq(run.samples()) : null;
  const coarse = strongestTone(mean, usable, floor, rateHz);
  return {
    settings: rx.settings,
    durationS: (end - first) / rateHz,
    samples: meter.samples,
    lost: { min: lostMin, max: lostMax, gaps },
    interrupted: signal?.aborted === true,
    rmsDbfs: meter.rmsDbfs,
    signalDbfs: signalOf(meter.rmsDbfs, dcIq),
    peakDbfs: meter.peakDbfs,
    clippedSamples: meter.clippedSamples,
    dcIq,
    image: dcIq && imageOf(dcIq, run.power - 10 ** (dcIq.dcDbfs / 10), rx.settings),
    spectrum: {
      frequencyHz: Float64Array.from({ length: bins }, (_, bin) => frequencyHz + binHz(bin, bins, rateHz)),
      mean,
      max,
      windows,
      share: transformed / meter.samples,
      usableHz,
    },
    floor,
    floorDbfsHz: dbfs((floor * bins) / rateHz),
    floorDbfs: dbfs(floor * bins),
    occupancy: occupancy({ mean, max, windows, independentWindows }, usable, floor, marginDb),
    tone: coarse && finerTone(coarse, run.samples(), rateHz, bins, floor),
  };
}

/** Less than this share of the power is what the estimate of DC is off by. */
const LEAST_SHARE = 1e-6;

function signalOf(rmsDbfs: number | null, dcIq: DcIqEstimate | null): number | null {
  if (rmsDbfs === null || !dcIq?.dcSignificant) return rmsDbfs;
  const share = 1 - 10 ** ((dcIq.dcDbfs - rmsDbfs) / 10);
  return share > LEAST_SHARE ? rmsDbfs + 10 * Math.log10(share) : null;
}

/** Power relative to full scale, dB; null for none, as JSON has no infinity. */
export function dbfs(power: number): number | null {
  return power > 0 ? 10 * Math.log10(power) : null;
}

/** The first samples of a stream, up to a number; after a gap before that it begins anew. */
class SampleRun {
  private readonly buffer: Float32Array;
  filled = 0;

  constructor(samples: number) {
    this.buffer = new Float32Array(2 * samples);
  }

  add(reIm: Float32Array, follows: boolean): void {
    const room = this.buffer.length - 2 * this.filled;
    if (room === 0) return;
    if (!follows) this.filled = 0;
    const taken = reIm.subarray(0, this.buffer.length - 2 * this.filled);
    this.buffer.set(taken, 2 * this.filled);
    this.filled += taken.length / 2;
  }

  /** Mean power of the samples. */
  get power(): number {
    return this.samples().reduce((sum, v) => sum + v * v, 0) / Math.max(1, this.filled);
  }

  samples(): Float32Array {
    return this.buffer.subarray(0, 2 * this.filled);
  }
}
