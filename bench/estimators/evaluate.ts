import { type Payload, readPayload } from '../../src/phy/burst/payload-reader.ts';
import type { PreambleEstimate } from '../../src/phy/channel-est/delay-window.ts';
import { DftEstimator } from '../../src/phy/channel-est/dft.ts';
import type {
  ChannelEstimate,
  ChannelEstimator,
  EstimatorName,
  PilotObservations,
} from '../../src/phy/channel-est/estimator.ts';
import { LmmseEstimator } from '../../src/phy/channel-est/lmmse.ts';
import { LsEstimator } from '../../src/phy/channel-est/ls.ts';
import { commonVariance, shrink } from '../../src/phy/channel-est/noise.ts';
import { estimateFromTraining } from '../../src/phy/channel-est/training.ts';
import { equalise } from '../../src/phy/equalise.ts';
import { softDemap } from '../../src/phy/modulation/soft-demapper.ts';
import { RB_DATA_RE, SLOT_SYMBOLS, SUBBAND_CARRIERS } from '../../src/phy/numerology.ts';
import { payloadIndex, resourceGrid, turn } from '../../src/phy/resource-grid.ts';
import type { Received } from './ideal-burst.ts';
import { trainingDifference } from './noise-estimators.ts';

/** An estimator that keeps what it last said and counts its CPU time. */
export class Observed implements ChannelEstimator {
  readonly name: EstimatorName;
  private readonly inner: ChannelEstimator;
  last: ChannelEstimate | null = null;
  /** Of the last call. */
  observed: PilotObservations | null = null;
  cpuUs = 0;
  /** Resource elements estimated in that time. */
  re = 0;

  constructor(inner: ChannelEstimator) {
    this.inner = inner;
    this.name = inner.name;
  }

  estimate(observed: PilotObservations): ChannelEstimate {
    const before = process.cpuUsage();
    const estimate = this.inner.estimate(observed);
    const spent = process.cpuUsage(before);
    this.cpuUs += spent.user + spent.system;
    this.re += observed.numerology.nCarriers * observed.slots * SLOT_SYMBOLS;
    this.last = estimate;
    this.observed = observed;
    return estimate;
  }
}

export function observedEstimators(): Observed[] {
  return [new LmmseEstimator(), new DftEstimator(), new LsEstimator()].map((e) => new Observed(e));
}

export interface FrontEnd {
  readonly pilots: Float32Array;
  readonly preamble: PreambleEstimate;
  readonly noiseVariance: number;
}

/** Least-squares pilots, and what the acquisition makes of the training symbols (src/phy/sync/acquire.ts). */
export function frontEnd(received: Received): FrontEnd {
  const { n, slots, signal, backoff } = received.burst;
  const grid = resourceGrid(n);
  const pilots = new Float32Array(2 * n.nSubbands * slots * SLOT_SYMBOLS);
  for (let i = 0; i < slots * SLOT_SYMBOLS; i++) {
    const symbol = signal.layout.controlSymbols + i;
    grid.pilotChannel(received.rows, 2 * n.nCarriers * i, symbol, i % SLOT_SYMBOLS, pilots, 2 * n.nSubbands * i);
  }
  const { training } = received;
  const mean = new Float32Array(2 * n.nCarriers);
  for (let i = 0; i < mean.length; i++) mean[i] = (training[i] + training[mean.length + i]) / 2;
  const perSubband = trainingDifference(training).noise;
  const noiseVariance = perSubband.reduce((sum, v) => sum + v, 0) / n.nSubbands;
  const common = commonVariance(perSubband, SUBBAND_CARRIERS);
  const shrunk = shrink(perSubband, SUBBAND_CARRIERS, () => common).values;
  return { pilots, preamble: estimateFromTraining(n, mean, noiseVariance, backoff, shrunk), noiseVariance };
}

/** The product's payload reader on a burst that has no phase left. */
export function read(received: Received, front: FrontEnd, estimator: ChannelEstimator): Payload {
  const { n, slots, signal } = received.burst;
  const first = signal.layout.controlSymbols;
  const phases = new Float64Array(first + slots * SLOT_SYMBOLS);
  const { pilots, preamble, noiseVariance } = front;
  return readPayload(
    n,
    slots,
    first,
    { rows: received.rows, turns: new Float64Array(4 * slots * SLOT_SYMBOLS).map((_, i) => 1 - (i & 1)), pilots },
    phases,
    preamble,
    noiseVariance,
    estimator,
  );
}

export interface Equalised {
  readonly payload: Float32Array;
  readonly payloadSnr: Float32Array;
}

/** Equalises with a given channel and given noise of each RB. */
export function equaliseWith(received: Received, channel: Float32Array, variance: ArrayLike<number>): Equalised {
  const { n, slots, signal } = received.burst;
  const grid = resourceGrid(n);
  const payload = new Float32Array(2 * slots * n.nSubbands * RB_DATA_RE);
  const payloadSnr = new Float32Array(slots * n.nSubbands * RB_DATA_RE);
  for (let i = 0; i < slots * SLOT_SYMBOLS; i++) {
    const slot = Math.floor(i / SLOT_SYMBOLS);
    const t = i % SLOT_SYMBOLS;
    const carriers = grid.dataCarriersOf(t);
    const turns = grid.turnsOf(signal.layout.controlSymbols + i);
    for (let k = 0; k < carriers.length; k++) {
      const c = 2 * (n.nCarriers * i + carriers[k]);
      const p = slot * n.nSubbands * RB_DATA_RE + payloadIndex(t, k);
      const sigma2 = variance[slot * n.nSubbands + Math.floor(carriers[k] / SUBBAND_CARRIERS)];
      const { rows } = received;
      payloadSnr[p] = equalise(rows[c], rows[c + 1], channel[c], channel[c + 1], sigma2, payload, 2 * p);
      turn(payload, 2 * p, (4 - turns[k]) & 3);
    }
  }
  return { payload, payloadSnr };
}

/** Long bursts are judged on every third RE, which visits all places of an RB. */
const FEW_RE = 5000;
const STRIDE = 3;

/** Bits per RE that the LLRs of an equalised burst carry (informationPerSlot of the modem bench, on fewer RE). */
export function bitsPerRe(received: Received, { payload, payloadSnr }: Equalised): number {
  const { bits, qm } = received.burst.signal;
  const stride = payloadSnr.length > FEW_RE ? STRIDE : 1;
  const count = Math.ceil(payloadSnr.length / stride);
  const unbiased = new Float32Array(2 * count);
  const variance = new Float32Array(count);
  for (let i = 0, p = 0; i < count; i++, p += stride) {
    const snr = payloadSnr[p] + 1e-12;
    unbiased[2 * i] = ((1 + snr) / snr) * payload[2 * p];
    unbiased[2 * i + 1] = ((1 + snr) / snr) * payload[2 * p + 1];
    variance[i] = 1 / snr;
  }
  const llr = new Float32Array(qm * count);
  softDemap(unbiased, variance, qm, count, llr);
  let sum = 0;
  for (let i = 0, at = 0; i < count; i++, at += qm * stride) {
    for (let b = 0; b < qm; b++) {
      const l = bits[at + b] ? -llr[qm * i + b] : llr[qm * i + b];
      sum += 1 - (l > 30 ? 0 : l < -30 ? -l / Math.LN2 : Math.log2(1 + Math.exp(-l)));
    }
  }
  return sum / count;
}

/** True RB SNR by design §1, dB, from the true channel and noise of each data RE. */
export function trueRbSnrDb(received: Received, payloadSnr: Float32Array): Float64Array {
  const out = new Float64Array(received.variance.length);
  for (let p = 0; p < payloadSnr.length; p++) out[Math.floor(p / RB_DATA_RE)] += Math.log2(1 + payloadSnr[p]);
  return out.map((e) => 10 * Math.log10(2 ** (e / RB_DATA_RE) - 1));
}

/** Mean |estimate - truth|^2 over the ensemble mean of |H|^2. */
export function normalisedError(received: Received, channel: Float32Array): number {
  const { truth, power } = received.burst;
  let sum = 0;
  for (let i = 0; i < truth.length; i++) sum += (channel[i] - truth[i]) ** 2;
  return sum / (truth.length / 2) / power;
}
