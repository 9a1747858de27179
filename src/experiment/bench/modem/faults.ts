import { RandomStream } from '../../../common/random.ts';
import { IQ_WINDOW } from '../../../link/chains.ts';
import type { EndFaults } from '../../../phy/channel/scenario.ts';
import { DcIqCorrector, estimateDcIq } from '../../../phy/frontend/dc-iq.ts';
import { type Numerology, numerology, RB_DATA_RE } from '../../../phy/numerology.ts';
import { type Estimate, meanInterval } from '../../metrics/stats.ts';
import { CodedBursts, criticalSnrDb, type Mcs } from './coded-burst.ts';
import { LOSS_SLOTS, loopbackOffsets } from './loss.ts';
import type { BenchContext, Measured, Measurement } from './measurement.ts';
import { genieReceive } from './modem-genie.ts';
import { makeContent, makeTrial, rightBurst, type TrialOptions, type TrialSignal } from './modem-trial.ts';
import { PairedBler } from './paired-bler.ts';
import { row } from './row.ts';

const SLOTS = 4;
const SNR_DB = 15;
/** Quiet samples before each burst: the receiver's DC blocker has settled, as in a stream. */
const SETTLED_SAMPLES = 6000;

/** The same, and before them the window over which the receive chain estimates IQ imbalance. */
const LEAD_SAMPLES = IQ_WINDOW + SETTLED_SAMPLES;

/** Design §4's faults of both ends with one profile's phase noise; transmit -11 dBFS, receive -12 dBFS. */
function faultyChannel(phaseNoise: string): NonNullable<TrialOptions['channel']> {
  const end: EndFaults = { iqDb: 0.5, iqDeg: 3, dcDbfs: -20, bits: 8, phaseNoise };
  return { ...end, rxLevelDbfs: -12, tx: end };
}

/**
 * What the receiver hears in the product's receive chain (RxChain): IQ imbalance estimated over one window of the stream, here of
 * noise, is taken out of what follows; DC is left to the receiver's own blocker.
 */
function corrected(signal: TrialSignal): TrialSignal {
  const corrector = new DcIqCorrector();
  const samples = signal.samples.slice();
  corrector.update({ ...estimateDcIq(samples.subarray(0, 2 * IQ_WINDOW)), dcSignificant: false });
  const rest = samples.subarray(2 * IQ_WINDOW);
  corrector.apply(rest, rest);
  return { ...signal, samples };
}

export interface FaultSetting {
  readonly subbands: number;
  readonly channel: string;
  /** Its phase noise. */
  readonly profile: string;
  /** Code whose BLER reaches 1e-2 near 15 dB on this channel. */
  readonly mcs: Mcs;
  readonly bursts: number;
  readonly evmBursts: number;
  readonly checkEvery: number;
}

/**
 * What the front ends' faults cost at 15 dB: in EVM, and in SNR at BLER 1e-2 (same bursts, channels, noise), behind the
 * product's IQ correction.
 */
export function faultMeasurement(setting: FaultSetting): Measurement {
  const { subbands, channel, profile } = setting;
  return {
    part: 'faults',
    id: `faults-${subbands}-${channel}-${profile}`,
    run: async (context) => {
      const evm = await evmLoss(setting, context);
      const bler = await blerLoss(setting, context);
      const common = { part: 'faults' as const, subbands, unit: 'dB', limit: 1 };
      const where = `${channel}, phase noise of ${profile}`;
      const name = seedName(setting);
      return {
        rows: [
          row(
            {
              ...common,
              name: `EVM lost to front-end faults at ${SNR_DB} dB, ${where}`,
              seeds: `${name}/evm/0 to ${setting.evmBursts - 1}`,
            },
            evm,
          ),
          row(
            {
              ...common,
              name: `SNR lost to front-end faults at BLER 0.01, ${setting.mcs.name}, ${where}`,
              seeds: `${name}/0 to ${setting.bursts - 1}`,
              note: `without faults ${db(bler.crossing('genie', 0.01))}, with them ${db(bler.crossing('real', 0.01))}`,
            },
            bler.loss(0.01),
          ),
        ],
      };
    },
  };
}

function seedName({ subbands, channel }: FaultSetting): string {
  return `faults/${subbands}/${channel}`;
}

/** EVM with faults over EVM without, dB, weighted as docs/metrics.md says; the true SNR of the fading channel weighs. */
async function evmLoss(setting: FaultSetting, context: BenchContext): Promise<Estimate> {
  const n = numerology(setting.subbands);
  const differences: number[] = [];
  for (let k = 0; k < setting.evmBursts; k++) {
    const seed = `${seedName(setting)}/evm/${k}`;
    const content = makeContent(n, new RandomStream(`${seedName(setting)}/content/${k % 8}`), { slots: SLOTS, qm: 4 });
    const base = {
      numerology: n,
      seed,
      slots: SLOTS,
      qm: 4 as const,
      snrDb: SNR_DB,
      leadSamples: LEAD_SAMPLES,
      content,
    };
    const offsets = { channel: setting.channel, ...loopbackOffsets(seed) };
    const clean = makeTrial({ ...base, channel: offsets });
    const faulty = makeTrial({ ...base, channel: { ...offsets, ...faultyChannel(setting.profile) } });
    const weights = genieReceive(clean).payloadSnr;
    differences.push(evmDb(corrected(faulty), weights, context) - evmDb(clean, weights, context));
    await context.step(k + 1, setting.evmBursts);
  }
  return meanInterval(differences);
}

/** 10 log10 of the mean squared error of the payload, bias removed, weighted; Infinity for a burst that is not found. */
function evmDb(signal: TrialSignal, weights: Float32Array, context: BenchContext): number {
  const record = rightBurst(signal, context.receive(signal));
  if (!record) return Number.POSITIVE_INFINITY;
  let error = 0;
  let weight = 0;
  for (let p = 0; p < weights.length; p++) {
    const g = (1 + record.payloadSnr[p]) / (record.payloadSnr[p] + 1e-12);
    const re = g * record.payload[2 * p] - signal.payload[2 * p];
    const im = g * record.payload[2 * p + 1] - signal.payload[2 * p + 1];
    error += weights[p] * (re * re + im * im);
    weight += weights[p];
  }
  return 10 * Math.log10(error / weight);
}

const db = (v: number) => `${Number.isFinite(v) ? v.toFixed(2) : '-'} dB`;

async function blerLoss(setting: FaultSetting, context: BenchContext): Promise<PairedBler> {
  const { subbands, channel, profile, mcs, bursts, checkEvery } = setting;
  const n = numerology(subbands);
  const coded = new CodedBursts(n, LOSS_SLOTS, mcs);
  const name = seedName(setting);
  const trial = (seed: number, snrDb: number, faults: boolean, unheard = false) =>
    makeTrial({
      numerology: n,
      seed: `${name}/${seed}`,
      slots: LOSS_SLOTS,
      qm: mcs.qm,
      snrDb,
      content: coded.content(seed),
      leadSamples: LEAD_SAMPLES,
      channel: { channel, ...loopbackOffsets(`${name}/${seed}`), ...(faults ? faultyChannel(profile) : {}) },
      unheard,
    });
  // The one without faults stands where the genie stands elsewhere.
  const open = (seed: number) => (snrDb: number) => ({
    genie: coded.realErrors(trial(seed, snrDb, false), context),
    real: coded.realErrors(corrected(trial(seed, snrDb, true)), context),
  });
  const fading = channel !== 'awgn';
  const step = fading ? 0.8 : 0.2;
  if (!fading) {
    const pilot = new PairedBler({ bursts: Math.min(bursts, 60), checkEvery, open });
    await pilot.measure([coded.stretch.awgnSnrDb(0.1)], context);
    await pilot.bracket([0.1], step, context);
    const curve = new PairedBler({ bursts, checkEvery, open });
    const start = pilot.crossing('genie', 0.1);
    await curve.measure([Number.isFinite(start) ? start : pilot.points[0].snrDb], context);
    await curve.bracket([0.01], step, context);
    return curve;
  }
  const wanted = coded.stretch.awgnSnrDb(0.1);
  const needed = Float32Array.from({ length: bursts }, (_, seed) =>
    criticalSnrDb(trial(seed, Number.POSITIVE_INFINITY, false, true), mcs.qm, wanted),
  );
  const curve = new PairedBler({
    bursts,
    checkEvery,
    open,
    foretell: (seed, snrDb) => (snrDb > needed[seed] + 4 ? 'right' : snrDb < needed[seed] - 1 ? 'wrong' : null),
  });
  const sorted = needed.slice().sort();
  const likely = sorted[Math.floor(0.985 * bursts)];
  await curve.measure([likely, likely + step, likely + 2 * step], context);
  await curve.bracket([0.01], step, context);
  return curve;
}

/** Offsets of the transmitter under which receiver DC is measured, Hz. */
export const DC_CFOS_HZ = [0, 7_500, 45_000, 100_000] as const;

/**
 * Loss of each RB column (subband over the burst) through receiver DC 10 dB above a subcarrier at 15 dB, the same bursts
 * and noise with and without it; the row takes the worst subband.
 */
export function dcMeasurement(n: Numerology, trials: number): Measurement {
  return { part: 'dc', id: `dc-${n.nSubbands}`, run: (context) => dc(n, trials, context) };
}

async function dc(n: Numerology, trials: number, context: BenchContext): Promise<Measured> {
  const dcDbfs = -11 - 10 * Math.log10(n.nCarriers) + 10;
  const name = `dc/${n.id}`;
  const rows = [];
  for (const cfoHz of DC_CFOS_HZ) {
    const losses = Array.from({ length: n.nSubbands }, () => [] as number[]);
    for (let k = 0; k < trials; k++) {
      const seed = `${name}/${k}`;
      const base = { numerology: n, seed, slots: SLOTS, snrDb: SNR_DB, leadSamples: SETTLED_SAMPLES };
      const clean = subbandErrors(makeTrial({ ...base, channel: { cfoHz } }), context);
      const spoilt = subbandErrors(makeTrial({ ...base, channel: { cfoHz, dcDbfs } }), context);
      for (let s = 0; s < n.nSubbands; s++) losses[s].push(10 * Math.log10(spoilt[s] / clean[s]));
      await context.step(k + 1, trials);
    }
    const worst = losses.map((l) => meanInterval(l)).reduce((a, b) => (b.value > a.value ? b : a));
    rows.push(
      row(
        {
          part: 'dc',
          name: `worst subband's loss by receiver DC, CFO ${cfoHz / 1000} kHz`,
          subbands: n.nSubbands,
          unit: 'dB',
          limit: 0.5,
          seeds: `${name}/0 to ${trials - 1}`,
        },
        worst,
      ),
    );
  }
  return { rows };
}

function subbandErrors(signal: TrialSignal, context: BenchContext): Float64Array {
  const record = rightBurst(signal, context.receive(signal));
  const out = new Float64Array(signal.numerology.nSubbands);
  if (!record) return out.fill(Number.POSITIVE_INFINITY);
  for (let p = 0; p < record.payloadSnr.length; p++) {
    const g = (1 + record.payloadSnr[p]) / record.payloadSnr[p];
    const re = g * record.payload[2 * p] - signal.payload[2 * p];
    const im = g * record.payload[2 * p + 1] - signal.payload[2 * p + 1];
    out[Math.floor(p / RB_DATA_RE) % out.length] += re * re + im * im;
  }
  return out;
}
