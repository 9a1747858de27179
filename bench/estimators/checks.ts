import { RandomStream } from '../../src/common/random.ts';
import { genieReceive } from '../../src/experiment/bench/modem/modem-genie.ts';
import {
  informationPerSlot,
  makeTrial,
  receiveTrial,
  rightBurst,
} from '../../src/experiment/bench/modem/modem-trial.ts';
import { clopperPearson, meanInterval } from '../../src/experiment/metrics/stats.ts';
import { ESTIMATORS } from '../../src/phy/channel-est/estimator.ts';
import { type Numerology, RB_DATA_RE } from '../../src/phy/numerology.ts';
import { type Figure, figure, lostDb } from './measure.ts';
import { falseNoise, trainingDifference } from './noise-estimators.ts';

/** SNR lost by the whole receiver (detection, offsets of a default loopback, phase and clock tracking). */
export interface WholeRow {
  readonly subbands: number;
  readonly channel: string;
  readonly slots: number;
  readonly snrDb: number;
  readonly estimator: string;
  /** Of the bursts found by all. */
  readonly informationLostDb: Figure;
  readonly notFound: Figure;
}

export function wholeReceiver(
  n: Numerology,
  channel: string,
  slots: number,
  snrDb: number,
  bursts: number,
): WholeRow[] {
  const re = slots * n.nSubbands * RB_DATA_RE;
  const total = (values: Float64Array) => values.reduce((sum, v) => sum + v, 0) / re;
  const genie: number[] = [];
  const got = ESTIMATORS.map(() => [] as number[]);
  for (let k = 0; k < bursts; k++) {
    const seed = `estimators/whole/${n.nSubbands}/${channel}/${k}`;
    const random = new RandomStream(seed);
    const offsets = {
      cfoHz: random.between(-20_000, 20_000),
      sfoPpm: random.between(-10, 10),
      phaseRad: random.between(0, 2 * Math.PI),
      startDelaySamples: random.uniform(),
    };
    const signal = makeTrial({ numerology: n, seed, slots, snrDb, qm: 6, channel: { channel, ...offsets } });
    const records = ESTIMATORS.map((estimator) =>
      rightBurst(signal, receiveTrial({ ...signal, options: { ...signal.options, receiver: { estimator } } })),
    );
    if (records.some((r) => r === null)) continue;
    const best = genieReceive(signal);
    genie.push(total(informationPerSlot(signal, best.payload, best.payloadSnr, slots)));
    for (const [i, r] of records.entries()) {
      got[i].push(total(informationPerSlot(signal, r!.payload, r!.payloadSnr, slots)));
    }
  }
  const notFound = figure(clopperPearson(bursts - genie.length, bursts));
  return ESTIMATORS.map((estimator, i) => {
    const where = { subbands: n.nSubbands, channel, slots, snrDb, estimator };
    return { ...where, informationLostDb: figure(lostDb(genie, got[i])), notFound };
  });
}

/** SNR that the two training symbols show where only a frequency offset parts them, against the closed form. */
export interface CeilingRow {
  /** Residual offset, subcarrier spacings, and SNR without it, dB. */
  readonly cfo: number;
  readonly snrDb: number;
  readonly shownSnrDb: Figure;
  /** -10 log10(1 / snr + 2 sin^2(pi cfo)). */
  readonly closedForm: number;
}

export function cfoCeiling(n: Numerology, cfo: number, snrDb: number, bursts: number): CeilingRow {
  const sigma2 = 10 ** (-snrDb / 10);
  const length = 2 * n.nCarriers;
  const ratios: number[] = [];
  for (let k = 0; k < bursts; k++) {
    const training = new Float32Array(2 * length);
    for (let i = 0; i < length; i += 2) {
      training[i] = 1;
      training[length + i] = Math.cos(2 * Math.PI * cfo);
      training[length + i + 1] = Math.sin(2 * Math.PI * cfo);
    }
    new RandomStream(`estimators/ceiling/${cfo}/${k}`).addComplexNoise(training, sigma2);
    const { noise } = trainingDifference(training);
    // Over the band, and the signal's power known, so that only the false noise is seen.
    ratios.push(noise.reduce((sum, v) => sum + v / noise.length, 0));
  }
  const m = meanInterval(ratios);
  const db = (v: number) => -10 * Math.log10(v);
  const shown = { value: db(m.value), low: db(m.high), high: db(m.low), n: m.n };
  return { cfo, snrDb, shownSnrDb: figure(shown), closedForm: Number(db(sigma2 + falseNoise(cfo)).toFixed(3)) };
}
