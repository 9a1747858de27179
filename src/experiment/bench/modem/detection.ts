import { RandomStream } from '../../../common/random.ts';
import type { Numerology } from '../../../phy/numerology.ts';
import { MAX_CFO_HZ } from '../../../phy/sync/carrier-shift.ts';
import { clopperPearson } from '../../metrics/stats.ts';
import type { BenchContext, DetectionCurve, Measured, Measurement } from './measurement.ts';
import { responseOf } from './modem-genie.ts';
import { makeContent, makeTrial, rightBurst, type TrialContent, unitNoise, withNoise } from './modem-trial.ts';
import { row } from './row.ts';

/** Bursts repeat after that many trials; offsets, channel and noise never do. */
const CONTENTS = 64;

/** Offsets of one trial, uniform: CFO to 45 ppm of 5.9 GHz, both clocks to 50 ppm, start, phase. */
export function anyOffsets(seed: string) {
  const r = new RandomStream(`offsets ${seed}`);
  return {
    cfoHz: r.between(-MAX_CFO_HZ, MAX_CFO_HZ),
    phaseRad: r.between(0, 2 * Math.PI),
    startDelaySamples: r.between(0, 300),
    sfoPpm: r.between(-100, 100),
  };
}

/** QPSK bursts of one slot, made once. */
export function shortBursts(n: Numerology): (k: number) => TrialContent {
  const made: TrialContent[] = [];
  return (k) => {
    const i = k % CONTENTS;
    made[i] ??= makeContent(n, new RandomStream(`short burst/${n.id}/${i}`), { slots: 1, qm: 2 });
    return made[i];
  };
}

/** P(detected and every field of the header right) at -3 dB AWGN with every offset. */
export function detectionMeasurement(n: Numerology, trials: number): Measurement {
  return { part: 'detection', id: `detection-${n.nSubbands}`, run: (context) => detection(n, trials, context) };
}

async function detection(n: Numerology, trials: number, context: BenchContext): Promise<Measured> {
  const contents = shortBursts(n);
  const name = `detection/awgn/${n.id}`;
  let right = 0;
  for (let k = 0; k < trials; k++) {
    const seed = `${name}/${k}`;
    const content = contents(k);
    const signal = makeTrial({
      numerology: n,
      seed,
      slots: 1,
      qm: 2,
      snrDb: -3,
      content,
      channel: { ...anyOffsets(seed) },
    });
    if (rightBurst(signal, context.receive(signal))) right++;
    await context.step(k + 1, trials);
  }
  const head = {
    part: 'detection' as const,
    name: 'burst found and header right, -3 dB AWGN, any offset',
    subbands: n.nSubbands,
    unit: 'share',
    limit: 0.99,
    least: true,
    seeds: `${name}/0 to ${trials - 1}`,
  };
  return { rows: [row(head, clopperPearson(right, trials))] };
}

const FIRST_DB = -6;
const LAST_DB = 6;

/**
 * The same in fading against the burst's own SNR: the noise is set so that mean |H|^2 Es/N0 over the band in the middle of
 * the header is uniform over bins of 1 dB from -6 to 6. The row takes the bins from -3 dB up.
 */
export function fadingDetectionMeasurement(n: Numerology, channel: string, trials: number): Measurement {
  return {
    part: 'fading',
    id: `fading-${n.nSubbands}-${channel}`,
    run: (context) => fadingDetection(n, channel, trials, context),
  };
}

async function fadingDetection(
  n: Numerology,
  channel: string,
  trials: number,
  context: BenchContext,
): Promise<Measured> {
  const contents = shortBursts(n);
  const name = `detection/${channel}/${n.id}`;
  const bins = Array.from({ length: LAST_DB - FIRST_DB + 1 }, () => ({ right: 0, trials: 0 }));
  for (let k = 0; k < trials; k++) {
    const seed = `${name}/${k}`;
    const bin = k % bins.length;
    const ownDb = FIRST_DB + bin - 0.5 + new RandomStream(`own SNR ${seed}`).uniform();
    const options = { numerology: n, seed, slots: 1, qm: 2 as const, content: contents(k) };
    const clean = makeTrial({
      ...options,
      snrDb: Number.POSITIVE_INFINITY,
      channel: { channel, ...anyOffsets(seed) },
    });
    const middle = (n.preambleLength + n.headerSymbols * n.symbolLength) / 2;
    const h = responseOf(clean.channel, n)(clean.fadingIndexOf(clean.receivedIndexOf(middle)));
    const gain = h.reduce((sum, v) => sum + v * v, 0) / n.nCarriers;
    const signal = withNoise(clean, unitNoise(clean), ownDb - 10 * Math.log10(gain));
    bins[bin].trials++;
    if (rightBurst(signal, context.receive(signal))) bins[bin].right++;
    await context.step(k + 1, trials);
  }
  const points = bins.map((b, i) => {
    const { low, high } = clopperPearson(b.right, b.trials);
    return { snrDb: FIRST_DB + i, ...b, low, high };
  });
  const above = points.filter((p) => p.snrDb >= -3);
  const sum = (what: 'right' | 'trials') => above.reduce((total, p) => total + p[what], 0);
  const curve: DetectionCurve = { kind: 'detection', subbands: n.nSubbands, channel, points };
  const head = {
    part: 'fading' as const,
    name: `burst found and header right on ${channel}, own band SNR -3.5 to 6.5 dB`,
    subbands: n.nSubbands,
    unit: 'share',
    limit: 0.99,
    least: true,
    seeds: `${name}/0 to ${trials - 1}`,
  };
  return { rows: [row(head, clopperPearson(sum('right'), sum('trials')))], curves: [curve] };
}
