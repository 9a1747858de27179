import type { BurstRecord } from '../../phy/burst/record.ts';
import { estimateDoppler } from '../../phy/channel-est/doppler-estimate.ts';
import { fadingPredictor, MOST_SNAPSHOTS, usableSnapshots } from '../../phy/channel-est/fading-prediction.ts';
import { expectedSubbandSnrDb } from '../../phy/channel-est/predicted-snr.ts';
import { aligned, bestAlignment, type DriftSearch, turn } from '../../phy/channel-est/snapshot-alignment.ts';
import type { Numerology } from '../../phy/numerology.ts';

/** Soundings of a train begin whole multiples of this apart (the sender's clock). */
export const SOUNDING_GRID_S = 1e-3;
/**
 * A usual picture's burst, s. Nothing tells the receiver how long the next one is: its report is for the middle of this, so long
 * behind the report's arrival. The sender's margins go by the end of it, or by the middle of what it really sends.
 */
export const USUAL_BURST_S = 10e-3;

/** First paths are found within so many samples; the rest of what a burst lies off the grid is its clock's. */
const TIMING_ERROR = 4;
/** Difference between the clocks of two cheap boards, parts of one: what a burst's timing is tracked for as well. */
const MOST_CLOCK_OFFSET = 100e-6;
/** Frequency error that is looked for beyond the bursts' own estimates. */
const MOST_FREQUENCY_ERROR_HZ = 15;
/** An estimate averaged over a burst is that much better than one of its coefficients: of two polynomials in time one is left. */
const AVERAGED = 0.5;

/** What a receiver must know to say how the channel will be when its report is used. */
export interface PredictionOptions {
  /** Doppler spread of the channel; null: estimated from the soundings; 0: it does not fade, reports say what was measured. */
  readonly dopplerHz: number | null;
  /** From the end of a sounding to the report's arrival. */
  readonly latencyS: number;
}

/** Channel of one sounding against the receiver's own oscillator and clock. */
interface Snapshot {
  readonly startSample: number;
  readonly cfoHz: number;
  /** Mean over the slots, in the middle of the burst, with the CFO's phase counted from `startSample`, [nCarriers][re, im]. */
  readonly channel: Float64Array;
  /** Error variance of an element, and mean |H|^2. */
  readonly error: number;
  readonly power: number;
  /** Middle of the slots, s of the receiver's clock. */
  readonly middleS: number;
}

/**
 * Channel estimates of the latest soundings of one session, and the prediction that they allow (docs/adr/0017-predicted-csi.md). A
 * sounding's estimate has a phase and a delay of its own; the oscillators and clocks of both ends run on from burst to burst, so
 * one frequency and one clock error explain all of them, if the sender keeps its soundings on a grid of whole milliseconds; of
 * oscillators too noisy for that each burst's phase is found by itself.
 * Holds at most 8 estimates, 9.6 kB each at 50 subbands.
 */
export class CsiHistory {
  private readonly n: Numerology;
  private readonly options: PredictionOptions;
  private readonly snapshots: Snapshot[] = [];
  private session: number | null = null;

  constructor(numerology: Numerology, options: PredictionOptions) {
    this.n = numerology;
    this.options = options;
  }

  /**
   * Takes a sounding; returns the SNR to expect of each subband when its report is used, dB [nSubbands]: as measured where there
   * is nothing to predict from, about the soundings' mean where the channel has changed too much between them.
   */
  take(record: BurstRecord): Float32Array {
    const { dopplerHz } = this.options;
    if (this.session !== record.header.session) this.snapshots.length = 0;
    this.session = record.header.session;
    const snapshot = dopplerHz === 0 ? null : snapshotOf(this.n, record);
    if (!snapshot) return record.subbandSnrDb;
    // A stream that starts anew counts from 0 again.
    if (snapshot.startSample <= (this.snapshots.at(-1)?.startSample ?? -1)) this.snapshots.length = 0;
    this.snapshots.push(snapshot);
    if (this.snapshots.length > MOST_SNAPSHOTS) this.snapshots.shift();
    return this.predict(record) ?? record.subbandSnrDb;
  }

  private predict(record: BurstRecord): Float32Array | null {
    const { n, options } = this;
    const train = this.snapshots.slice(firstOnGrid(n, this.snapshots));
    if (train.length < 2) return null;
    const dopplerHz = options.dopplerHz ?? dopplerOf(n, train);
    const used = train.slice(train.length - usableSnapshots(timesOf(train), dopplerHz));
    const horizonS = (record.slots / 2) * slotS(n) + options.latencyS + USUAL_BURST_S / 2;
    if (used.length < 2) return options.dopplerHz === null ? null : shrunk(n, train, dopplerHz, horizonS, record);
    const { power, errors } = powersOf(used);
    const timesS = timesOf(used);
    const channels = onOneClock(n, used);
    const { weights, residual, precision } = fadingPredictor(
      timesS,
      errors,
      dopplerHz,
      timesS[used.length - 1] + horizonS,
    );
    const snapshots = { channels, timesS, precision };
    const alignment = bestAlignment(n, snapshots, driftOf(n, used), power);
    if (!alignment) return null;
    const predicted = new Float64Array(2 * n.nCarriers);
    for (const [k, channel] of aligned(n, snapshots, alignment).entries()) {
      for (let i = 0; i < predicted.length; i++) predicted[i] += weights[k] * channel[i];
    }
    return expectedSubbandSnrDb(n, predicted, residual * power, record.rbNoise);
  }
}

/**
 * Fading so fast that no sounding tells of the next: what is left of the last one, w h, about the mean power of all of them, so that one
 * lucky moment is not taken for the channel.
 */
function shrunk(
  n: Numerology,
  train: readonly Snapshot[],
  dopplerHz: number,
  horizonS: number,
  record: BurstRecord,
): Float32Array {
  const last = train[train.length - 1];
  const { power } = powersOf(train);
  const { weights, residual } = fadingPredictor([0], [last.error / power], dopplerHz, horizonS);
  return expectedSubbandSnrDb(
    n,
    last.channel.map((v) => weights[0] * v),
    residual * power,
    record.rbNoise,
  );
}

function timesOf(all: readonly Snapshot[]): number[] {
  return all.map((s) => s.middleS);
}

/** Mean power of the channel over bursts and band, and the error of each burst's estimate over it. */
function powersOf(all: readonly Snapshot[]): { power: number; errors: number[] } {
  const power = all.reduce((sum, s) => sum + s.power, 0) / all.length;
  return { power, errors: all.map((s) => s.error / power) };
}

function dopplerOf(n: Numerology, all: readonly Snapshot[]): number {
  const { power, errors } = powersOf(all);
  return estimateDoppler(n, onOneClock(n, all), timesOf(all), errors, power, driftOf(n, all));
}

/**
 * Where the clock error is looked for: about what the starts of the first and the last burst tell, each to within TIMING_ERROR. That is
 * as many points however far the bursts are apart.
 */
function driftOf(n: Numerology, all: readonly Snapshot[]): DriftSearch {
  const [first, last] = [all[0], all[all.length - 1]];
  const spanS = last.middleS - first.middleS;
  const from = -offGrid(n, first.startSample, last.startSample) / spanS;
  const margin = (2 * TIMING_ERROR) / spanS;
  return { frequencyHz: MOST_FREQUENCY_ERROR_HZ, delayPerS: [from - margin, from + margin] };
}

function slotS(n: Numerology): number {
  return n.slotLength / n.sampleRateHz;
}

/** A whole, undisturbed burst's channel; null where there is none or it is not finite. */
function snapshotOf(n: Numerology, record: BurstRecord): Snapshot | null {
  const { slots, truncated, suspect, startSample, cfoHz, slotTurn } = record;
  if (slots === 0 || truncated || suspect !== null) return null;
  const channel = new Float64Array(2 * n.nCarriers);
  const one = new Float64Array(2 * n.nCarriers);
  let phase = 0;
  for (let slot = 0; slot < slots; slot++) {
    phase += slotTurn[2 * slot] / slots;
    one.set(record.channel.subarray(2 * n.nCarriers * slot, 2 * n.nCarriers * (slot + 1)));
    turn(n, one, 0, -slotTurn[2 * slot + 1]);
    for (let i = 0; i < one.length; i++) channel[i] += one[i] / slots;
  }
  // The slots without their common phases make the mean; the phase of its middle goes back in as one.
  turn(n, channel, phase, 0);
  const error = AVERAGED * record.channelError * record.noiseVariance;
  const power = channel.reduce((sum, v) => sum + v * v, 0) / n.nCarriers - error;
  if (!(power > 0 && Number.isFinite(power) && error >= 0)) return null;
  const toMiddle = record.lengthSamples - (slots / 2) * n.slotLength;
  return { startSample, cfoHz, channel, error, power, middleS: (startSample + toMiddle) / n.sampleRateHz };
}

/** Samples by which a burst begins later than a whole number of grid steps before the last. */
function offGrid(n: Numerology, from: number, last: number): number {
  const unit = SOUNDING_GRID_S * n.sampleRateHz;
  const steps = Math.round((last - from) / unit);
  return from - (last - steps * unit);
}

/** First of the latest bursts that lie on one grid. */
function firstOnGrid(n: Numerology, all: readonly Snapshot[]): number {
  const last = all.length - 1;
  let first = last;
  while (first > 0) {
    const { startSample } = all[first - 1];
    const elapsed = all[last].startSample - startSample;
    if (Math.abs(offGrid(n, startSample, all[last].startSample)) > TIMING_ERROR + MOST_CLOCK_OFFSET * elapsed) break;
    first--;
  }
  return first;
}

/** The bursts' channels with the mean frequency offset and whole samples taken out, so that a small drift is left. */
function onOneClock(n: Numerology, used: readonly Snapshot[]): Float64Array[] {
  const last = used[used.length - 1].startSample;
  const meanHz = used.reduce((sum, s) => sum + s.cfoHz, 0) / used.length;
  return used.map(({ channel, startSample }) => {
    const out = channel.slice();
    const turns = (meanHz * (startSample - last)) / n.sampleRateHz;
    turn(n, out, -2 * Math.PI * (turns - Math.floor(turns)), -offGrid(n, startSample, last));
    return out;
  });
}
