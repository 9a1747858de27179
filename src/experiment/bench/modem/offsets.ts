import { RandomStream } from '../../../common/random.ts';
import { type Numerology, RB_DATA_RE, SUBCARRIER_SPACING_HZ } from '../../../phy/numerology.ts';
import { CodedStretch, LEAD_SAMPLES, type Mcs, QAM16_1_2 } from './coded-burst.ts';
import { anyOffsets } from './detection.ts';
import type { BenchContext, Measured, Measurement } from './measurement.ts';
import { makeContent, makeTrial, rightBurst, type TrialContent, unitNoise, withNoise } from './modem-trial.ts';
import { PairedBler } from './paired-bler.ts';
import { rootMean, row } from './row.ts';

/** 93 slots of 14 symbols of 71.4 us, with preamble and header: 100 ms at 25 subbands. */
const SLOTS = 93;
/** Slots at either end that hold code blocks of their own. */
const END_SLOTS = 4;
const SNR_DB = 10;
const STEP_DB = 0.15;
const MCS: Mcs = QAM16_1_2;
const CONTENTS = 4;

/** Residual CFO and timing error at the end of 100 ms bursts at 10 dB, any CFO and clock offset. */
export function trackingMeasurement(n: Numerology, trials: number): Measurement {
  return { part: 'offsets', id: `tracking-${n.nSubbands}`, run: (context) => tracking(n, trials, context) };
}

async function tracking(n: Numerology, trials: number, context: BenchContext): Promise<Measured> {
  const name = `offset/${n.id}`;
  const content = makeContent(n, new RandomStream(name), { slots: SLOTS, qm: 4 });
  const cfo: number[] = [];
  const timing: number[] = [];
  let largest = 0;
  for (let k = 0; k < trials; k++) {
    const seed = `${name}/${k}`;
    const offsets = anyOffsets(seed);
    const signal = makeTrial({ numerology: n, seed, slots: SLOTS, qm: 4, snrDb: SNR_DB, content, channel: offsets });
    const record = rightBurst(signal, context.receive(signal));
    await context.step(k + 1, trials);
    // A burst that is not found has an error of 1: beyond any limit.
    const spacing = record ? (record.cfoHz - offsets.cfoHz) / SUBCARRIER_SPACING_HZ : 1;
    // Where the receiver puts the burst's last sample, and where it is (the channel's interpolator delays by 16 samples).
    const { samples } = signal.layout;
    const put = record ? record.startSample + samples * (1 + record.sfoPpm * 1e-6) : Number.POSITIVE_INFINITY;
    const drift = record
      ? (put - record.startSample - (signal.receivedIndexOf(samples) - signal.receivedIndexOf(0))) / n.cpLength
      : 1;
    cfo.push(spacing ** 2);
    timing.push(drift ** 2);
    largest = Math.max(largest, Math.abs(drift));
  }
  const common = {
    part: 'offsets' as const,
    subbands: n.nSubbands,
    seeds: `${name}/0 to ${trials - 1}`,
  };
  return {
    rows: [
      row(
        { ...common, name: 'residual CFO of 100 ms bursts, 10 dB, of the spacing', unit: 'RMS', limit: 0.01 },
        rootMean(cfo),
      ),
      row(
        { ...common, name: 'timing error at the end of 100 ms, 10 dB, of the prefix', unit: 'RMS', limit: 0.1 },
        rootMean(timing),
      ),
      row(
        { ...common, name: 'the largest of these timing errors', unit: 'of the prefix', limit: 0.1 },
        { value: largest, low: Number.NaN, high: Number.NaN, n: trials },
      ),
    ],
  };
}

/**
 * SNR lost at BLER 1e-1 and 1e-2 by CFO to 45 ppm of 5.9 GHz and clocks to 50 ppm, against the same bursts and noise
 * without offsets, by the code blocks of the first and of the last four slots of 100 ms bursts.
 */
export function offsetLossMeasurement(n: Numerology, bursts: number): Measurement {
  return { part: 'offsets', id: `offset-loss-${n.nSubbands}`, run: (context) => offsetLoss(n, bursts, context) };
}

async function offsetLoss(n: Numerology, bursts: number, context: BenchContext): Promise<Measured> {
  const end = new CodedStretch(n, END_SLOTS, MCS);
  const contents = Array.from({ length: CONTENTS }, (_, i) => twoEnds(n, end, i));
  const name = `offset loss/${n.id}`;
  // Both ends of a burst are decoded from the same reception; each end has a curve of its own.
  const cache = new Map<string, readonly [number, number]>();
  const opener = (which: 0 | 1) => (seed: number) => {
    const make = (withOffsets: boolean) => {
      const { cfoHz, sfoPpm, phaseRad, startDelaySamples } = anyOffsets(`${name}/${seed}`);
      const channel = withOffsets ? { cfoHz, sfoPpm, phaseRad, startDelaySamples } : { phaseRad, startDelaySamples };
      const clean = makeTrial({
        numerology: n,
        seed: `${name}/${seed}`,
        slots: SLOTS,
        qm: MCS.qm,
        snrDb: Number.POSITIVE_INFINITY,
        content: contents[seed % CONTENTS],
        leadSamples: LEAD_SAMPLES,
        channel,
      });
      return { clean, noise: unitNoise(clean) };
    };
    let made: { still: ReturnType<typeof make>; moving: ReturnType<typeof make> } | null = null;
    return (snrDb: number) => {
      const hear = (kind: 'still' | 'moving') => {
        const key = `${kind}/${seed}/${snrDb.toFixed(6)}`;
        let wrong = cache.get(key);
        if (!wrong) {
          made ??= { still: make(false), moving: make(true) };
          const { clean, noise } = made[kind];
          const signal = withNoise(clean, noise, snrDb);
          const record = rightBurst(signal, context.receive(signal));
          wrong = record && record.slots === SLOTS ? endErrors(end, record) : [1, 1];
          cache.set(key, wrong);
        }
        return wrong[which];
      };
      return { genie: hear('still'), real: hear('moving') };
    };
  };
  const rows = [];
  for (const which of [0, 1] as const) {
    const open = opener(which);
    const curve = new PairedBler({ bursts, checkEvery: 50, open });
    const start = await startOfCurve(bursts, open, context, n);
    await curve.measure(
      [0, 1, 2, 3].map((i) => start + i * STEP_DB),
      context,
    );
    await curve.bracket([0.1, 0.01], STEP_DB, context);
    for (const target of [0.1, 0.01]) {
      rows.push(
        row(
          {
            part: 'offsets',
            name: `SNR lost by offsets, ${which === 0 ? 'first' : 'last'} 4 slots of 100 ms, ${MCS.name}, BLER ${target}`,
            subbands: n.nSubbands,
            unit: 'dB',
            limit: 0.3,
            seeds: `${name}/0 to ${bursts - 1}`,
          },
          curve.loss(target),
        ),
      );
    }
  }
  return { rows };
}

/** SNR at which the receiver without offsets has a BLER of 0.3, by a few bursts; on the grid of the steps, so that both ends share it. */
async function startOfCurve(
  bursts: number,
  open: (seed: number) => (snrDb: number) => { genie: number; real: number },
  context: BenchContext,
  n: Numerology,
): Promise<number> {
  const pilot = new PairedBler({ bursts: Math.min(bursts, 20), checkEvery: 50, open });
  const stretch = new CodedStretch(n, END_SLOTS, MCS);
  const guess = Math.round(stretch.awgnSnrDb(0.1) / STEP_DB) * STEP_DB;
  await pilot.measure([guess], context);
  await pilot.bracket([0.2], STEP_DB, context);
  const found = pilot.crossing('genie', 0.2);
  return Number.isFinite(found) ? Math.round(found / STEP_DB) * STEP_DB : pilot.points[0].snrDb;
}

function endErrors(
  end: CodedStretch,
  record: { payload: Float32Array; payloadSnr: Float32Array },
): readonly [number, number] {
  const last = record.payloadSnr.length - end.re;
  const of = (at: number) =>
    end.wrongShare(record.payload.subarray(2 * at, 2 * (at + end.re)), record.payloadSnr.subarray(at, at + end.re));
  return [of(0), of(last)];
}

/** A burst whose first and last four slots hold code blocks, random symbols between. */
function twoEnds(n: Numerology, end: CodedStretch, index: number): TrialContent {
  const random = new RandomStream(`two ends/${n.id}/${index}`);
  const re = SLOTS * n.nSubbands * RB_DATA_RE;
  const filling = makeContent(n, random, { slots: SLOTS, qm: MCS.qm });
  const symbols = filling.payload.slice();
  symbols.set(end.symbols(random));
  symbols.set(end.symbols(random), 2 * (re - end.re));
  return makeContent(n, random, { slots: SLOTS, qm: MCS.qm, symbols });
}
