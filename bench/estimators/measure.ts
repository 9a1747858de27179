import { type Estimate, meanInterval } from '../../src/experiment/metrics/stats.ts';
import { quietVariance } from '../../src/phy/channel-est/interference.ts';
import { RB_SNR_MIN_DB, resourceBlockSnr } from '../../src/phy/channel-est/rb-snr.ts';
import { snrDbForInformation } from '../../src/phy/modulation/mutual-information.ts';
import { type Numerology, RB_DATA_RE, SUBBAND_CARRIERS } from '../../src/phy/numerology.ts';
import { bitsPerRe, equaliseWith, frontEnd, normalisedError, type Observed, read, trueRbSnrDb } from './evaluate.ts';
import { GAP_WINDOWS, type Interferer, idealBurst, receivedAt } from './ideal-burst.ts';
import {
  gapNoise,
  knownSymbolNoise,
  nullCarrierNoise,
  pooled,
  spread,
  trainingDifference,
} from './noise-estimators.ts';

const QM = 6;
/** Beyond that share of all bits the SNR at which they would be carried is no measure. */
const SATURATED = 0.98;
/**
 * Error variance of least squares over the noise: a carrier takes the mean of its pilots of a slot, one on ten carriers of 12, two
 * on two. The others: degrees of freedom over observations, as each states for itself.
 */
const LS_SHARE = 11 / 12;
/** RB SNR is judged where it truly is within this range, dB. */
const RB_SNR_RANGE = [-0.01, 30.01];

/** A figure: value, 95 % interval, bursts behind it; null where it has no meaning (no RB in range, all bits carried). */
export type Figure = readonly [number | null, number | null, number | null, number];

/** All figures of one condition by estimator. */
export interface Row {
  readonly subbands: number;
  readonly channel: string;
  readonly slots: number;
  readonly snrDb: number;
  readonly interferer?: string;
  /** E |estimate - H|^2 over the ensemble mean of |H|^2, dB, over all RE. */
  readonly channelMseDb: Readonly<Record<string, Figure>>;
  /** SNR lost to a receiver that knows channel and noise, by the information in the LLRs of 64-QAM, dB. */
  readonly informationLostDb: Readonly<Record<string, Figure>>;
  /** Over the RBs whose true SNR is 0 to 30 dB, or as the name says. */
  readonly rbSnrBiasDb: Readonly<Record<string, Figure>>;
  readonly rbSnrRmsDb: Readonly<Record<string, Figure>>;
  /** On AWGN: the error's variance over the noise's by theory, as MSE and as SNR lost, dB. */
  readonly closedForm?: Readonly<Record<string, { readonly channelMseDb: number; readonly lostDb: number }>>;
}

export type Condition = Pick<Row, 'subbands' | 'channel' | 'slots' | 'snrDb' | 'interferer'>;

const rounded = (v: number): number | null => (Number.isFinite(v) ? Number(v.toFixed(3)) : null);
export const figure = (e: Estimate): Figure => [rounded(e.value), rounded(e.low), rounded(e.high), e.n];

const toDb = (v: number) => 10 * Math.log10(v);
const mapped = (e: Estimate, f: (v: number) => number): Estimate => ({
  value: f(e.value),
  low: f(e.low),
  high: f(e.high),
  n: e.n,
});

/** SNR lost, from bits per RE of genie and receiver burst by burst (as lossRow of the modem bench). */
export function lostDb(genie: readonly number[], got: readonly number[]): Estimate {
  const best = genie.reduce((sum, v) => sum + v / genie.length, 0);
  const d = meanInterval(genie.map((v, i) => v - got[i]));
  if (best > SATURATED * QM) return { value: Number.NaN, low: Number.NaN, high: Number.NaN, n: d.n };
  const reference = snrDbForInformation(QM, best);
  return mapped(d, (bits) => reference - snrDbForInformation(QM, Math.max(1e-3, best - bits)));
}

/** Errors of RB SNR, one mean and one mean square a burst. */
export class RbSnrErrors {
  private readonly means: number[] = [];
  private readonly squares: number[] = [];

  add(estimate: ArrayLike<number>, truth: ArrayLike<number>, takes: (rb: number) => boolean): void {
    let sum = 0;
    let square = 0;
    let count = 0;
    for (let i = 0; i < truth.length; i++) {
      if (!takes(i)) continue;
      const d = estimate[i] - truth[i];
      sum += d;
      square += d * d;
      count++;
    }
    if (count === 0) return;
    this.means.push(sum / count);
    this.squares.push(square / count);
  }

  get bias(): Figure {
    return figure(meanInterval(this.means));
  }

  get rms(): Figure {
    return figure(mapped(meanInterval(this.squares), (v) => Math.sqrt(Math.max(0, v))));
  }
}

class Named<T> {
  readonly all = new Map<string, T>();
  private readonly make: () => T;
  constructor(make: () => T) {
    this.make = make;
  }
  of(name: string): T {
    let value = this.all.get(name);
    if (value === undefined) this.all.set(name, (value = this.make()));
    return value;
  }
}

/** What one condition has gathered. */
class Tally {
  readonly mse = new Named<number[]>(() => []);
  readonly bits = new Named<number[]>(() => []);
  readonly rbSnr = new Named<RbSnrErrors>(() => new RbSnrErrors());
  /** Error over noise that each estimator states, by its last burst. */
  readonly stated = new Map<string, number>();
}

export interface Setting {
  readonly n: Numerology;
  readonly slots: number;
  readonly channel: string;
  readonly bursts: number;
  readonly snrsDb: readonly number[];
  readonly estimators: readonly Observed[];
  /** Name and interferer; one without interferer for the plain table. */
  readonly cases: readonly { readonly name?: string; readonly interferer?: Interferer }[];
}

/** All rows of one numerology, channel and burst length. */
export function measure(setting: Setting): Row[] {
  const { n, slots, channel, bursts, snrsDb, cases } = setting;
  const tallies = snrsDb.map(() => cases.map(() => new Tally()));
  for (let k = 0; k < bursts; k++) {
    const burst = idealBurst({ n, slots, channel, seed: `${n.nSubbands}/${channel}/${slots}/${k}` });
    for (const [i, snrDb] of snrsDb.entries()) {
      for (const [j, { interferer }] of cases.entries()) {
        oneBurst(receivedAt(burst, snrDb, interferer), setting, interferer, tallies[i][j]);
      }
    }
  }
  return snrsDb.flatMap((snrDb, i) =>
    cases.map(({ name }, j) => {
      const where = { subbands: n.nSubbands, channel, slots, snrDb, ...(name ? { interferer: name } : {}) };
      return rowOf(where, tallies[i][j]);
    }),
  );
}

type ReceivedBurst = ReturnType<typeof receivedAt>;

function oneBurst(received: ReceivedBurst, setting: Setting, interferer: Interferer | undefined, tally: Tally): void {
  const { nSubbands } = setting.n;
  const front = frontEnd(received);
  const genie = equaliseWith(received, received.burst.truth, received.variance);
  // A report says no less than that.
  const truth = trueRbSnrDb(received, genie.payloadSnr).map((v) => Math.max(RB_SNR_MIN_DB, v));
  tally.bits.of('genie').push(bitsPerRe(received, genie));
  const inRange = (rb: number) => truth[rb] >= RB_SNR_RANGE[0] && truth[rb] <= RB_SNR_RANGE[1];
  const isHit = (rb: number) =>
    interferer?.subbands.includes(rb % nSubbands) === true && Math.floor(rb / nSubbands) >= interferer.fromSlot;
  const judge = (name: string, rbSnrDb: ArrayLike<number>) => {
    if (!interferer) return tally.rbSnr.of(name).add(rbSnrDb, truth, inRange);
    tally.rbSnr.of(`${name}, RBs hit`).add(rbSnrDb, truth, isHit);
    tally.rbSnr.of(`${name}, other RBs`).add(rbSnrDb, truth, (rb) => !isHit(rb) && inRange(rb));
  };
  for (const estimator of setting.estimators) {
    const { name } = estimator;
    const got = read(received, front, estimator);
    const estimate = estimator.last!;
    const { errorRatio } = estimate;
    const channel = estimate.channel.grid();
    tally.mse.of(name).push(normalisedError(received, channel));
    tally.bits.of(name).push(bitsPerRe(received, got));
    tally.stated.set(name, errorRatio);
    judge(`pilot residual (${name})`, got.rbSnrDb);
    if (name !== 'lmmse') continue;
    const observed = { numerology: setting.n, slots: setting.slots, ...front };
    const withNoise = (noise: ReturnType<typeof pooled>) => resourceBlockSnr(observed, estimate, noise).rbSnrDb;
    const difference = trainingDifference(received.training);
    const ratio = truth.map((_, rb) => {
      const s = rb % nSubbands;
      return Math.max(RB_SNR_MIN_DB, toDb(Math.max(1e-9, difference.signal[s]) / difference.noise[s]));
    });
    judge('two-preamble difference', ratio);
    judge('null subcarriers', withNoise(spread(observed, nullCarrierNoise(received.guards))));
    const gap = pooled(gapNoise(received.gap, GAP_WINDOWS), nSubbands, GAP_WINDOWS * SUBBAND_CARRIERS);
    judge('pause before the burst', withNoise(spread(observed, Float64Array.from(gap.variance))));
    const known = knownSymbolNoise(got.payload, got.payloadSnr, received.burst.signal.payload, got.rbNoise);
    judge('EVM after CRC', withNoise(pooled(known, nSubbands, RB_DATA_RE)));
    if (!interferer) continue;
    // The same channel with one noise value for the burst: that of the quiet part, more, and the mean of all. A decoder
    // that does not mind the scale of its LLRs comes near the best of them.
    const quiet = quietVariance(got.rbNoise);
    const bitsWith = (h: Float32Array, sigma2: number) =>
      bitsPerRe(received, equaliseWith(received, h, new Float64Array(truth.length).fill(sigma2)));
    tally.bits.of('lmmse, one noise value: quiet').push(bitsWith(channel, quiet));
    tally.bits.of('lmmse, one noise value: 4 x quiet').push(bitsWith(channel, 4 * quiet));
    tally.bits.of('lmmse, one noise value: mean').push(bitsWith(channel, got.noiseVariance));
    // And a channel fitted as if no interferer were there.
    tally.bits.of('lmmse, nothing weighed').push(bitsWith(estimator.estimate(observed).channel.grid(), 4 * quiet));
  }
}

function rowOf(where: Condition, tally: Tally): Row {
  const each = <T, U>(map: ReadonlyMap<string, T>, f: (value: T, name: string) => U): Record<string, U> =>
    Object.fromEntries([...map].map(([name, value]) => [name, f(value, name)]));
  const genie = tally.bits.of('genie');
  const got = new Map([...tally.bits.all].filter(([name]) => name !== 'genie'));
  const row: Row = {
    ...where,
    channelMseDb: each(tally.mse.all, (values) => figure(mapped(meanInterval(values), toDb))),
    informationLostDb: each(got, (values) => figure(lostDb(genie, values))),
    rbSnrBiasDb: each(tally.rbSnr.all, (errors) => errors.bias),
    rbSnrRmsDb: each(tally.rbSnr.all, (errors) => errors.rms),
  };
  if (where.channel !== 'awgn' || where.interferer) return row;
  const closedForm = each(tally.stated, (ratio, name) => {
    const share = name === 'ls' ? LS_SHARE : ratio;
    return { channelMseDb: rounded(toDb(share) - where.snrDb)!, lostDb: rounded(toDb(1 + share))! };
  });
  return { ...row, closedForm };
}
