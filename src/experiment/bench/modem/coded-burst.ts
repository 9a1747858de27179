import { RandomStream } from '../../../common/random.ts';
import { encodeStream, TransportDecoder, TransportLayout } from '../../../link/transport.ts';
import { requiredMutualInformation } from '../../../phy/fec/required-mutual-information.ts';
import { payloadBytesAtRate } from '../../../phy/fec/transport-plan.ts';
import { mutualInformation, snrDbForInformation } from '../../../phy/modulation/mutual-information.ts';
import type { ModulationOrder } from '../../../phy/modulation/qam.ts';
import { type Numerology, RB_DATA_RE, SLOT_SYMBOLS } from '../../../phy/numerology.ts';
import type { BenchContext } from './measurement.ts';
import { genieReceive, responseOf } from './modem-genie.ts';
import { makeContent, makeTrial, rightBurst, type TrialContent, type TrialSignal } from './modem-trial.ts';
import type { PairedErrors } from './paired-bler.ts';

export interface Mcs {
  readonly name: string;
  readonly qm: ModulationOrder;
  readonly rate: number;
}
export const QPSK_1_2: Mcs = { name: 'QPSK 1/2', qm: 2, rate: 1 / 2 };
export const QAM16_1_2: Mcs = { name: '16-QAM 1/2', qm: 4, rate: 1 / 2 };
export const QAM64_2_3: Mcs = { name: '64-QAM 2/3', qm: 6, rate: 2 / 3 };
export const QAM64_3_4: Mcs = { name: '64-QAM 3/4', qm: 6, rate: 3 / 4 };

/** Bursts of a setting repeat after that many seeds; channel and noise never do. */
const CONTENTS = 16;
/** Quiet samples before each burst; the unknown start comes on top. */
export const LEAD_SAMPLES = 800;

/** The code blocks that fill `slots` slots at one modulation and rate, as the product lays them. */
export class CodedStretch {
  readonly layout: TransportLayout;
  readonly re: number;
  readonly mcs: Mcs;
  private readonly qm: Uint8Array;
  private readonly all: number[];

  constructor(n: Numerology, slots: number, mcs: Mcs) {
    this.mcs = mcs;
    this.re = slots * n.nSubbands * RB_DATA_RE;
    const bytes = payloadBytesAtRate(this.re * mcs.qm, mcs.rate);
    this.qm = new Uint8Array(this.re).fill(mcs.qm);
    this.layout = TransportLayout.ofData(bytes, this.qm);
    this.all = Array.from({ length: this.layout.blocks }, (_, i) => i);
  }

  /** Es/N0 on AWGN at which the tables put this block error rate. */
  awgnSnrDb(bler: number): number {
    const { rate, qm } = this.mcs;
    return snrDbForInformation(qm, qm * requiredMutualInformation(rate, this.layout.codec.infoBits, bler));
  }

  /** Symbols of random bytes, [re][re, im]. */
  symbols(random: RandomStream): Float32Array {
    return encodeStream(this.layout, random.bytes(this.layout.plan.payloadBytes), this.qm);
  }

  /** Share of the blocks that do not decode, from equalised symbols and SNRs of the stretch (as in BurstRecord). */
  wrongShare(payload: Float32Array, snr: Float32Array): number {
    const decoder = new TransportDecoder(this.layout);
    decoder.add(this.all, this.qm, payload, snr, 0);
    return decoder.states.filter((s) => !s.ok).length / this.layout.blocks;
  }
}

/** Bursts filled with code blocks. */
export class CodedBursts {
  readonly numerology: Numerology;
  readonly slots: number;
  readonly mcs: Mcs;
  readonly stretch: CodedStretch;
  private readonly contents: TrialContent[] = [];

  constructor(n: Numerology, slots: number, mcs: Mcs) {
    this.numerology = n;
    this.slots = slots;
    this.mcs = mcs;
    this.stretch = new CodedStretch(n, slots, mcs);
  }

  content(seed: number): TrialContent {
    const k = seed % CONTENTS;
    const { numerology: n, slots, mcs, stretch } = this;
    const random = new RandomStream(`content/${n.id}/${mcs.name}/${k}`);
    this.contents[k] ??= makeContent(n, random, { slots, qm: mcs.qm, symbols: stretch.symbols(random) });
    return this.contents[k];
  }

  /** What genie and receiver under test make of a signal; a burst that is not found has every block wrong. */
  errors(signal: TrialSignal, context: BenchContext): PairedErrors {
    const genie = genieReceive(signal);
    return {
      genie: this.stretch.wrongShare(genie.payload, genie.payloadSnr),
      real: this.realErrors(signal, context),
    };
  }

  realErrors(signal: TrialSignal, context: BenchContext): number {
    const before = settlingNoise(`${signal.options.seed}`, signal.noiseVariance);
    const record = rightBurst(signal, context.receive({ ...signal, before }));
    return record && record.slots === this.slots ? this.stretch.wrongShare(record.payload, record.payloadSnr) : 1;
  }

  /** A burst of this setting through a channel, without noise. */
  clean(seed: number, name: string, channel: NonNullable<TrialSignal['options']['channel']>): TrialSignal {
    return makeTrial({
      numerology: this.numerology,
      seed: `${name}/${seed}`,
      slots: this.slots,
      qm: this.mcs.qm,
      snrDb: Number.POSITIVE_INFINITY,
      content: this.content(seed),
      leadSamples: LEAD_SAMPLES,
      channel,
    });
  }
}

const SETTLING_SAMPLES = 1 << 15;
let settlingPool: Float32Array | null = null;

/**
 * Noise for the 32768 samples over which the receiver's DC blocker settles: a stretch of a pool, drawn once, that the seed
 * picks.
 */
function settlingNoise(seed: string, variance: number): Float32Array {
  if (!settlingPool) {
    settlingPool = new Float32Array(4 * SETTLING_SAMPLES);
    new RandomStream('settling noise').addComplexNoise(settlingPool, 1);
  }
  const from = 2 * new RandomStream(`settling/${seed}`).integer(SETTLING_SAMPLES);
  const sigma = Math.sqrt(variance);
  return settlingPool.subarray(from, from + 2 * SETTLING_SAMPLES).map((v) => sigma * v);
}

/**
 * The SNR at which a fading signal carries as much information as AWGN at `snrDb`, from its true channel on one carrier
 * in six (three in narrow bands) in the middle of each slot.
 */
export function criticalSnrDb(signal: TrialSignal, qm: ModulationOrder, snrDb: number): number {
  const { numerology: n, layout, channel } = signal;
  const response = responseOf(channel, n);
  const step = n.nSubbands < 20 ? 3 : 6;
  const gainsDb: number[] = [];
  for (let slot = 0; slot < layout.slots; slot++) {
    const symbol = layout.controlSymbols + (slot + 0.5) * SLOT_SYMBOLS;
    const h = response(signal.fadingIndexOf(signal.receivedIndexOf(n.preambleLength + symbol * n.symbolLength)));
    for (let c = step >> 1; c < n.nCarriers; c += step) {
      gainsDb.push(10 * Math.log10(h[2 * c] ** 2 + h[2 * c + 1] ** 2 + 1e-12));
    }
  }
  const wanted = gainsDb.length * mutualInformation(qm, snrDb);
  let low = -30;
  let high = 60;
  while (high - low > 0.02) {
    const middle = (low + high) / 2;
    let sum = 0;
    for (const g of gainsDb) sum += mutualInformation(qm, middle + g);
    if (sum < wanted) low = middle;
    else high = middle;
  }
  return high;
}
