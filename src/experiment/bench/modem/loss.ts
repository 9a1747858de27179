import { RandomStream } from '../../../common/random.ts';
import { randomOffsets } from '../../../phy/channel/scenario.ts';
import { numerology } from '../../../phy/numerology.ts';
import { percentile } from '../../metrics/stats.ts';
import { againstBareCode } from './bare-code.ts';
import { CodedBursts, criticalSnrDb, LEAD_SAMPLES, type Mcs } from './coded-burst.ts';
import type { BenchContext, BlerCurve, Measured, Measurement } from './measurement.ts';
import { makeTrial, unitNoise, withNoise } from './modem-trial.ts';
import { PairedBler } from './paired-bler.ts';
import { absolute, row } from './row.ts';

export const LOSS_SLOTS = 4;
/** Between SNRs: a fading curve falls a decade in 3 to 10 dB, an AWGN one in 0.3 dB. */
const FADING_STEP_DB = 0.7;
const AWGN_STEP_DB = 0.15;
/** Bursts that place the first SNR of an AWGN curve. */
const PILOT_BURSTS = 100;
/**
 * A burst whose SNR is so far below (above) the one that its channel needs is foretold wrong (right). The genie's blocks
 * turn within 0.5 dB of it, a wide band's more closely; the estimate of a fast channel in a narrow band costs single bursts
 * up to 2 dB more.
 */
function sureDb({ subbands, channel }: LossSetting): { wrong: number; right: number } {
  if (subbands >= 20) return { wrong: 0.55, right: 0.5 };
  return { wrong: 0.7, right: channel === 'eva' ? 2.5 : 0.7 };
}

export interface LossSetting {
  readonly subbands: number;
  readonly channel: string;
  readonly mcs: Mcs;
  readonly bursts: number;
  readonly checkEvery: number;
  /** AWGN: at most so many blocks of the bare code at each SNR, 0 for none; a hundredth of it as errors is enough. */
  readonly bareBlocks: number;
}

/** Offsets of a default loopback: unknown start, phase, CFO to 20 kHz, clock to 10 ppm. */
export function loopbackOffsets(seed: string): ReturnType<typeof randomOffsets> {
  return randomOffsets(new RandomStream(seed), { maxStartDelaySamples: 300 });
}

/**
 * SNR lost to a genie (true H, timing, CFO, N0; same bursts, offsets, noise) at BLER 1e-1 and 1e-2: code blocks of the
 * product's transport on 4-slot bursts.
 */
export function lossMeasurement(setting: LossSetting): Measurement {
  const { subbands, channel, mcs } = setting;
  const id = `loss-${subbands}-${channel}-${mcs.name.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`;
  return { part: 'loss', id, run: (context) => measureLoss(setting, context) };
}

async function measureLoss(setting: LossSetting, context: BenchContext): Promise<Measured> {
  const { subbands, channel, mcs, bursts } = setting;
  const flat = channel === 'awgn';
  const coded = new CodedBursts(numerology(subbands), LOSS_SLOTS, mcs);
  const curve = await (flat ? awgnCurve : fadingCurve)(setting, coded, context);
  const limit = flat ? 0.5 : 1.5;
  const rows = [0.1, 0.01].map((target) =>
    row(
      {
        part: 'loss',
        name: `SNR lost to the genie at BLER ${target}, ${channel}, ${mcs.name}`,
        subbands,
        unit: 'dB',
        limit,
        seeds: `${seedName(setting)}/0 to ${bursts - 1}`,
        note: `genie at ${curve.crossing('genie', target).toFixed(2)} dB`,
      },
      curve.loss(target),
    ),
  );
  if (!flat || !setting.bareBlocks) return { rows, curves: [blerCurve(setting, curve)] };
  const limits = { errors: Math.ceil(setting.bareBlocks / 100), blocks: setting.bareBlocks };
  const bare = await againstBareCode(coded.stretch, curve, limits, context);
  rows.push(
    row(
      {
        part: 'loss',
        name: `genie against bare LDPC and QAM at BLER 0.01, awgn, ${mcs.name}, absolute difference`,
        subbands,
        unit: 'dB',
        limit: 0.1,
        seeds: `1; ${seedName(setting)}/0 to ${bursts - 1}`,
      },
      absolute(bare.difference),
    ),
  );
  return { rows, curves: [{ ...blerCurve(setting, curve), bare: bare.curve }] };
}

export function seedName({ subbands, channel }: { subbands: number; channel: string }): string {
  return `loss/${subbands}/${channel}`;
}

function blerCurve(setting: LossSetting, curve: PairedBler): BlerCurve {
  const { subbands, channel, mcs, bursts } = setting;
  const genie = curve.bler('genie');
  const real = curve.bler('real');
  const points = curve.points.map((p, i) => ({
    snrDb: Number(p.snrDb.toFixed(3)),
    genie: genie[i],
    real: real[i],
    received: p.received,
    checked: p.checked,
    exceptions: p.exceptions,
  }));
  return { kind: 'bler', subbands, channel, mcs: mcs.name, bursts, points };
}

/** One burst through the setting's channel, to be heard at any SNR with the same noise. */
function opener(setting: LossSetting, coded: CodedBursts, context: BenchContext) {
  const name = seedName(setting);
  return (seed: number) => {
    const offsets = loopbackOffsets(`${name}/${seed}`);
    const clean = coded.clean(seed, name, { channel: setting.channel, ...offsets });
    const noise = unitNoise(clean);
    return (snrDb: number) => coded.errors(withNoise(clean, noise, snrDb), context);
  };
}

async function awgnCurve(setting: LossSetting, coded: CodedBursts, context: BenchContext): Promise<PairedBler> {
  const { bursts, checkEvery } = setting;
  const open = opener(setting, coded, context);
  const pilot = new PairedBler({ bursts: Math.min(bursts, PILOT_BURSTS), checkEvery, open });
  await pilot.measure([coded.stretch.awgnSnrDb(0.1)], context);
  await pilot.bracket([0.25], AWGN_STEP_DB, context);
  const found = pilot.crossing('genie', 0.25);
  const start = Number.isFinite(found) ? found : pilot.points[0].snrDb;
  const curve = new PairedBler({ bursts, checkEvery, open });
  await curve.measure(
    [0, 1, 2, 3].map((i) => start + i * AWGN_STEP_DB),
    context,
  );
  await curve.bracket([0.1, 0.01], AWGN_STEP_DB, context);
  return curve;
}

async function fadingCurve(setting: LossSetting, coded: CodedBursts, context: BenchContext): Promise<PairedBler> {
  const { bursts, checkEvery } = setting;
  const needed = await channelNeeds(setting, coded, context);
  const sure = sureDb(setting);
  const curve = new PairedBler({
    bursts,
    checkEvery,
    open: opener(setting, coded, context),
    foretell: (seed, snrDb) =>
      snrDb > needed[seed] + sure.right ? 'right' : snrDb < needed[seed] - sure.wrong ? 'wrong' : null,
  });
  const step = FADING_STEP_DB;
  const offsets = sure.right > 1 ? [-0.5, 0.5, 1.5] : [-0.45, 0.55];
  const around = [90, 99].flatMap((q) => offsets.map((i) => percentile(needed, q) + i * step));
  await curve.measure(around, context);
  await curve.bracket([0.1, 0.01], step, context);
  return curve;
}

/** For every seed the mean SNR at which its channel carries the information that the code needs. */
async function channelNeeds(setting: LossSetting, coded: CodedBursts, context: BenchContext): Promise<Float32Array> {
  const { channel, mcs, bursts } = setting;
  const wanted = coded.stretch.awgnSnrDb(0.1);
  const needed = new Float32Array(bursts);
  const name = seedName(setting);
  for (let seed = 0; seed < bursts; seed++) {
    const signal = makeTrial({
      numerology: coded.numerology,
      seed: `${name}/${seed}`,
      slots: LOSS_SLOTS,
      qm: mcs.qm,
      snrDb: Number.POSITIVE_INFINITY,
      content: coded.content(seed),
      leadSamples: LEAD_SAMPLES,
      channel: { channel, ...loopbackOffsets(`${name}/${seed}`) },
      unheard: true,
    });
    needed[seed] = criticalSnrDb(signal, mcs.qm, wanted);
    if (seed % 16 === 0) await context.step(seed, bursts);
  }
  return needed;
}
