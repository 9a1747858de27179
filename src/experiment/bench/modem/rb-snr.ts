import { RandomStream } from '../../../common/random.ts';
import { TRANSMIT_RMS } from '../../../phy/burst/transmit.ts';
import type { JammerOptions } from '../../../phy/channel/jammer.ts';
import { type Numerology, SUBBAND_CARRIERS, SUBCARRIER_SPACING_HZ } from '../../../phy/numerology.ts';
import { meanInterval, pairedDifference } from '../../metrics/stats.ts';
import { CodedBursts, QAM16_1_2 } from './coded-burst.ts';
import { loopbackOffsets } from './loss.ts';
import type { BenchContext, Measured, Measurement, RbSnrCurve } from './measurement.ts';
import { genieReceive } from './modem-genie.ts';
import { makeContent, makeTrial, rightBurst, type TrialContent } from './modem-trial.ts';
import { absolute, type BenchRow, rootMean, row } from './row.ts';

const SLOTS = 4;
const CONTENTS = 8;
/** Noise before each burst: the DC blocker's memory of 32768 samples is full, as in a stream that has run for a while. */
const LEAD_SAMPLES = 40_000;
export const RB_SNRS_DB = [0, 5, 10, 15, 20, 25, 30] as const;

function contentsOf(n: Numerology): (k: number) => TrialContent {
  const made: TrialContent[] = [];
  return (k) => {
    const i = k % CONTENTS;
    made[i] ??= makeContent(n, new RandomStream(`rb snr/${n.id}/${i}`), { slots: SLOTS, qm: 4 });
    return made[i];
  };
}

/** Errors of one burst's RBs: their mean and mean square. */
interface BurstErrors {
  mean: number[];
  square: number[];
}

/** Bias and RMS error of the RB SNR on AWGN at true SNRs of 0 to 30 dB, any phase and start; intervals over bursts. */
export function rbSnrMeasurement(n: Numerology, trials: number): Measurement {
  return { part: 'rb-snr', id: `rb-snr-${n.nSubbands}`, run: (context) => rbSnr(n, trials, context) };
}

async function rbSnr(n: Numerology, trials: number, context: BenchContext): Promise<Measured> {
  const contents = contentsOf(n);
  const name = `rb snr/${n.id}`;
  const rows: BenchRow[] = [];
  const points: RbSnrCurve['points'][number][] = [];
  for (const [i, snrDb] of RB_SNRS_DB.entries()) {
    const errors: BurstErrors = { mean: [], square: [] };
    for (let k = 0; k < trials; k++) {
      const seed = `${name}/${k}`;
      const channel = loopbackOffsets(seed);
      const signal = makeTrial({
        numerology: n,
        seed,
        slots: SLOTS,
        qm: 4,
        snrDb,
        content: contents(k),
        leadSamples: LEAD_SAMPLES,
        channel,
      });
      const record = rightBurst(signal, context.receive(signal));
      if (record) note(errors, record.rbSnrDb, () => snrDb);
      await context.step(i * trials + k + 1, RB_SNRS_DB.length * trials);
    }
    const bias = meanInterval(errors.mean);
    const rms = rootMean(errors.square);
    points.push({ snrDb, biasDb: bias.value, rmsDb: rms.value });
    const common = { part: 'rb-snr' as const, subbands: n.nSubbands, unit: 'dB', seeds: `${name}/0 to ${trials - 1}` };
    rows.push(row({ ...common, name: `RB SNR, absolute bias at ${snrDb} dB`, limit: 0.3 }, absolute(bias)));
    rows.push(row({ ...common, name: `RB SNR, RMS error at ${snrDb} dB`, limit: snrDb < 10 ? 1 : 0.5 }, rms));
  }
  return { rows, curves: [{ kind: 'rb-snr', subbands: n.nSubbands, channel: 'awgn', points }] };
}

/**
 * The same on a fading channel, against the true RB SNR of the genie, RBs gathered in bins of 5 dB around 0 to 30 dB.
 * Shown, not held to the limits: there the estimate also carries the error of a channel that changes.
 */
export function rbSnrFadingMeasurement(n: Numerology, channel: string, trials: number): Measurement {
  return {
    part: 'rb-snr',
    id: `rb-snr-${n.nSubbands}-${channel}`,
    run: (context) => rbSnrFading(n, channel, trials, context),
  };
}

async function rbSnrFading(n: Numerology, channel: string, trials: number, context: BenchContext): Promise<Measured> {
  const contents = contentsOf(n);
  const name = `rb snr/${n.id}/${channel}`;
  const bins = RB_SNRS_DB.map((): BurstErrors => ({ mean: [], square: [] }));
  for (let k = 0; k < trials; k++) {
    const seed = `${name}/${k}`;
    const snrDb = RB_SNRS_DB[k % RB_SNRS_DB.length];
    const options = { channel, ...loopbackOffsets(seed) };
    const signal = makeTrial({
      numerology: n,
      seed,
      slots: SLOTS,
      qm: 4,
      snrDb,
      content: contents(k),
      leadSamples: LEAD_SAMPLES,
      channel: options,
    });
    const record = rightBurst(signal, context.receive(signal));
    await context.step(k + 1, trials);
    if (!record) continue;
    const truth = genieReceive(signal).rbSnrDb;
    for (const [i, centre] of RB_SNRS_DB.entries()) {
      note(bins[i], record.rbSnrDb, (rb) => (Math.abs(truth[rb] - centre) <= 2.5 ? truth[rb] : null));
    }
  }
  const points = RB_SNRS_DB.map((snrDb, i) => ({
    snrDb,
    biasDb: meanInterval(bins[i].mean).value,
    rmsDb: rootMean(bins[i].square).value,
  }));
  return { rows: [], curves: [{ kind: 'rb-snr', subbands: n.nSubbands, channel, points }] };
}

/** Adds a burst's errors against the truth; RBs without a truth are not counted. */
function note(errors: BurstErrors, measured: Float32Array, truth: (rb: number) => number | null): void {
  let sum = 0;
  let square = 0;
  let count = 0;
  for (let rb = 0; rb < measured.length; rb++) {
    const t = truth(rb);
    if (t === null) continue;
    sum += measured[rb] - t;
    square += (measured[rb] - t) ** 2;
    count++;
  }
  if (count === 0) return;
  errors.mean.push(sum / count);
  errors.square.push(square / count);
}

/** Noise over two neighbouring subbands, this much above the whole signal's power, and the SNR outside of it. */
const JAMMER_DB = -3;
const JAMMED_SNR_DB = 15;

function jammerOn(n: Numerology, first: number): JammerOptions {
  const low = n.carriers[first * SUBBAND_CARRIERS] * SUBCARRIER_SPACING_HZ;
  const high = n.carriers[(first + 2) * SUBBAND_CARRIERS - 1] * SUBCARRIER_SPACING_HZ;
  return {
    kind: 'subband',
    powerDb: JAMMER_DB,
    centreHz: (low + high) / 2,
    widthHz: high - low + SUBCARRIER_SPACING_HZ,
  };
}

/**
 * A noise jammer on two subbands at 15 dB: RMS error of the RB SNR there, and what the noise of each slot and subband
 * is worth as weight of the LLRs (16-QAM 1/2), against one noise value for the whole burst.
 */
export function jammerMeasurement(n: Numerology, trials: number): Measurement {
  return { part: 'jammer', id: `jammer-${n.nSubbands}`, run: (context) => jammer(n, trials, context) };
}

async function jammer(n: Numerology, trials: number, context: BenchContext): Promise<Measured> {
  const coded = new CodedBursts(n, SLOTS, QAM16_1_2);
  const name = `jammer/${n.id}`;
  const first = n.nSubbands >> 2;
  const options = jammerOn(n, first);
  const jammed: BurstErrors = { mean: [], square: [] };
  const weighed: number[] = [];
  const flat: number[] = [];
  // Unitary FFT: the jammer's mean square per sample falls on its carriers alone.
  const carriers = (options.widthHz ?? 0) / SUBCARRIER_SPACING_HZ;
  const perRe = ((TRANSMIT_RMS ** 2 * 10 ** (JAMMER_DB / 10)) / carriers) * n.fftSize;
  for (let k = 0; k < trials; k++) {
    const seed = `${name}/${k}`;
    const signal = makeTrial({
      numerology: n,
      seed,
      slots: SLOTS,
      qm: 4,
      snrDb: JAMMED_SNR_DB,
      content: coded.content(k),
      leadSamples: LEAD_SAMPLES,
      channel: { ...loopbackOffsets(seed), jammer: options },
    });
    const truth = 10 * Math.log10(signal.amplitude ** 2 / (signal.noiseVariance + perRe));
    const record = rightBurst(signal, context.receive(signal));
    await context.step(k + 1, trials);
    weighed.push(record ? coded.stretch.wrongShare(record.payload, record.payloadSnr) : 1);
    flat.push(record ? coded.stretch.wrongShare(...oneNoise(record)) : 1);
    if (!record) continue;
    note(jammed, record.rbSnrDb, (rb) => {
      const subband = rb % n.nSubbands;
      return subband === first || subband === first + 1 ? truth : null;
    });
  }
  const common = { part: 'jammer' as const, subbands: n.nSubbands, seeds: `${name}/0 to ${trials - 1}` };
  const gain = pairedDifference(flat, weighed);
  return {
    rows: [
      row(
        { ...common, name: 'RB SNR, RMS error on two jammed subbands', unit: 'dB', limit: 1.5 },
        rootMean(jammed.square),
      ),
      row(
        {
          ...common,
          name: 'BLER with a jammer, 16-QAM 1/2, LLRs weighed per slot and subband',
          unit: 'share',
          limit: 0.01,
        },
        meanInterval(weighed),
      ),
      row(
        {
          ...common,
          name: 'BLER more than that with one noise value for the burst',
          unit: 'share',
          limit: 0.1,
          least: true,
        },
        gain,
      ),
    ],
  };
}

/** The same RE with the noise of the whole burst taken for alike (AWGN: the gain is alike on all RE). */
function oneNoise(record: { payload: Float32Array; payloadSnr: Float32Array }): [Float32Array, Float32Array] {
  const { payload, payloadSnr } = record;
  let inverse = 0;
  for (const s of payloadSnr) inverse += 1 / Math.max(s, 1e-6);
  const snr = payloadSnr.length / inverse;
  const out = new Float32Array(payload.length);
  for (let p = 0; p < payloadSnr.length; p++) {
    const g = ((1 + payloadSnr[p]) / Math.max(payloadSnr[p], 1e-6)) * (snr / (1 + snr));
    out[2 * p] = g * payload[2 * p];
    out[2 * p + 1] = g * payload[2 * p + 1];
  }
  return [out, new Float32Array(payloadSnr.length).fill(snr)];
}
