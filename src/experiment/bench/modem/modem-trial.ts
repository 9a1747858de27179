import { RandomStream } from '../../../common/random.ts';
import { BurstReceiver, type BurstReceiverOptions } from '../../../phy/burst/burst-receiver.ts';
import type { BurstRecord, ReceiverRecord } from '../../../phy/burst/record.ts';
import { BurstTransmitter, TRANSMIT_RMS } from '../../../phy/burst/transmit.ts';
import { buildChannel, type ChannelOptions, type ScenarioChannel } from '../../../phy/channel/scenario.ts';
import { noiseVarianceFor } from '../../../phy/channel/snr.ts';
import type { Header } from '../../../phy/frame/header.ts';
import { type ModulationOrder, mapBits } from '../../../phy/modulation/qam.ts';
import { softDemap } from '../../../phy/modulation/soft-demapper.ts';
import { type Numerology, RB_DATA_RE } from '../../../phy/numerology.ts';
import type { BurstLayout } from '../../../phy/resource-grid.ts';

/** One burst of random QAM through a channel. All that is random follows from `seed`. */
export interface TrialOptions {
  readonly numerology: Numerology;
  readonly seed: number | string;
  readonly slots: number;
  /** Es/N0 per occupied RE, ensemble mean, dB; Infinity for no noise (`withNoise` adds it). */
  readonly snrDb: number;
  readonly qm?: ModulationOrder;
  readonly extensionBytes?: number;
  /** What is sent, instead of random QAM drawn from the seed; `slots` and `qm` must be its own. */
  readonly content?: TrialContent;
  /** Samples of silence before the burst; default 700 to 1700, drawn. */
  readonly leadSamples?: number;
  /** Anything else of the channel: name, offsets, faults. */
  readonly channel?: Partial<Omit<ChannelOptions, 'seed' | 'rateHz' | 'noiseVariance' | 'signalPower'>>;
  readonly receiver?: BurstReceiverOptions;
  /** Only the channel's truth is wanted: nothing is passed through it and `samples` is empty. */
  readonly unheard?: boolean;
}

/** One burst: what it says and its samples. */
export interface TrialContent {
  readonly qm: ModulationOrder;
  readonly layout: BurstLayout;
  readonly header: Omit<Header, 'extensionUnits'>;
  readonly extension: Uint8Array;
  /** Payload bits, qm a RE in payload order (empty where the payload was given as symbols), and the symbols [RE][re, im]. */
  readonly bits: Uint8Array;
  readonly payload: Float32Array;
  /** [layout.samples][re, im] */
  readonly sent: Float32Array;
}

/** What was sent, what came in and where it truly lay. */
export interface TrialSignal extends Omit<TrialContent, 'sent'> {
  readonly options: TrialOptions;
  readonly numerology: Numerology;
  readonly session: number;
  readonly burst: number;
  /** Received samples at the modem rate, [n][re, im]. */
  readonly samples: Float32Array;
  /** Noise that the receiver heard before them, so that it has settled as in a stream. */
  readonly before?: Float32Array;
  readonly channel: ScenarioChannel;
  /** Noise variance per sample, which is that per RE. */
  readonly noiseVariance: number;
  /** Amplitude of a unit RE after the unitary FFT when |H| = 1. */
  readonly amplitude: number;
  /** Received sample (fractional) at which sample i of the burst appears on a path of no delay. */
  receivedIndexOf(i: number): number;
  /** Index of the fading stage for a received sample: argument of channel.frequencyResponse. */
  fadingIndexOf(received: number): number;
}

/** A burst drawn from `random`; `symbols` [RE][re, im] take the place of random QAM. */
export function makeContent(
  n: Numerology,
  random: RandomStream,
  what: { slots: number; qm: ModulationOrder; extensionBytes?: number; symbols?: Float32Array },
): TrialContent {
  const { slots, qm } = what;
  const transmitter = new BurstTransmitter(n);
  const re = slots * n.nSubbands * RB_DATA_RE;
  const bits = new Uint8Array(what.symbols ? 0 : qm * re);
  for (let i = 0; i < bits.length; i++) bits[i] = random.uint32() >>> 31;
  const payload = what.symbols ?? new Float32Array(2 * re);
  if (!what.symbols) mapBits(bits, qm, re, payload);
  const extension = random.bytes(what.extensionBytes ?? 0);
  const burst = random.integer(1024);
  const session = random.integer(256);
  const header = {
    numerology: n.id,
    session,
    burst,
    kind: 1 as const,
    slots,
    csiNumber: random.integer(64),
    modelSet: random.uint32(),
    extensionMcs: 0,
  };
  const layout = transmitter.layout(slots, extension.length, 0);
  return { qm, layout, header, extension, bits, payload, sent: transmitter.build({ header, extension, payload }) };
}

/** Noise variance per sample at the modem rate for an ensemble mean Es/N0; 0 for Infinity. */
export function trialNoiseVariance(n: Numerology, snrDb: number): number {
  if (snrDb === Number.POSITIVE_INFINITY) return 0;
  return noiseVarianceFor({
    snrDb,
    signalPower: TRANSMIT_RMS ** 2,
    fftSize: n.fftSize,
    occupiedCarriers: n.nCarriers,
    modemRateHz: n.sampleRateHz,
  });
}

/** Builds the burst and passes it through the channel, silence before and after. */
export function makeTrial(options: TrialOptions): TrialSignal {
  const { numerology: n, slots, snrDb, qm = 4, seed, extensionBytes } = options;
  const random = new RandomStream(`trial/${seed}`);
  const content = options.content ?? makeContent(n, random, { slots, qm, extensionBytes });
  const { sent, ...rest } = content;
  const lead = options.leadSamples ?? 700 + random.integer(1000);
  const tail = 3 * n.symbolLength + 400;
  const air = new Float32Array(options.unheard ? 0 : 2 * (lead + tail) + sent.length);
  if (!options.unheard) air.set(sent, 2 * lead);

  const signalPower = TRANSMIT_RMS ** 2;
  const noiseVariance = trialNoiseVariance(n, snrDb);
  const channel = buildChannel({ ...options.channel, seed, rateHz: n.sampleRateHz, noiseVariance, signalPower });
  const samples = options.unheard ? new Float32Array(0) : channel.process(air).slice();
  const fadingDelay = channel.fading?.delaySamples ?? 0;
  const { clock } = channel;
  return {
    ...rest,
    options,
    numerology: n,
    session: content.header.session,
    burst: content.header.burst,
    samples,
    channel,
    noiseVariance,
    amplitude: TRANSMIT_RMS * Math.sqrt(n.fftSize / n.nCarriers),
    receivedIndexOf: (i) => (clock ? clock.outputIndexOf(lead + fadingDelay + i) : lead + fadingDelay + i),
    fadingIndexOf: (m) => (clock ? clock.inputIndexOf(m) : m),
  };
}

/** Circular noise of variance 1 for every sample of a signal, drawn from its seed; [n][re, im]. */
export function unitNoise(signal: TrialSignal): Float32Array {
  const noise = new Float32Array(signal.samples.length);
  new RandomStream(`noise/${signal.options.seed}`).addComplexNoise(noise, 1);
  return noise;
}

/** A noiseless signal with `unit` noise scaled to this SNR, so that one seed has the same noise at every SNR. */
export function withNoise(clean: TrialSignal, unit: Float32Array, snrDb: number): TrialSignal {
  const noiseVariance = trialNoiseVariance(clean.numerology, snrDb);
  const sigma = Math.sqrt(noiseVariance);
  const samples = new Float32Array(unit.length);
  for (let i = 0; i < samples.length; i++) samples[i] = clean.samples[i] + sigma * unit[i];
  return { ...clean, samples, noiseVariance };
}

/** Everything the receiver says about the trial's samples. */
export function receiveTrial(signal: TrialSignal): ReceiverRecord[] {
  const receiver = new BurstReceiver(signal.numerology, signal.options.receiver);
  if (signal.before) receiver.push(signal.before);
  return [...receiver.push(signal.samples), ...receiver.flush()];
}

/** The record of the burst that was sent, or null when it was not found or a field of its header was wrong. */
export function rightBurst(
  signal: { readonly header: TrialContent['header'] },
  records: readonly ReceiverRecord[],
): BurstRecord | null {
  const sent = signal.header;
  const same = (got: Header) => (Object.keys(sent) as (keyof typeof sent)[]).every((key) => got[key] === sent[key]);
  for (const r of records) if (r.type === 'burst' && same(r.header)) return r;
  return null;
}

/**
 * Bits that the receiver's LLRs carry: sum over bits of 1 - log2(1 + exp(-(1 - 2b) LLR)), the achievable rate of
 * bit-interleaved coding with these LLRs, mismatch included; [slot] sums per slot.
 */
export function informationPerSlot(
  signal: TrialSignal,
  equalised: Float32Array,
  snr: Float32Array,
  slots: number,
): Float64Array {
  const { qm, bits } = signal;
  const re = signal.numerology.nSubbands * RB_DATA_RE;
  const unbiased = new Float32Array(2 * re);
  const variance = new Float32Array(re);
  const llr = new Float32Array(qm * re);
  const out = new Float64Array(slots);
  for (let slot = 0; slot < slots; slot++) {
    const at = slot * re;
    for (let i = 0; i < re; i++) {
      const g = (1 + snr[at + i]) / (snr[at + i] + 1e-12);
      unbiased[2 * i] = g * equalised[2 * (at + i)];
      unbiased[2 * i + 1] = g * equalised[2 * (at + i) + 1];
      variance[i] = 1 / (snr[at + i] + 1e-12);
    }
    softDemap(unbiased, variance, qm, re, llr);
    for (let i = 0; i < llr.length; i++) {
      const l = bits[qm * at + i] ? -llr[i] : llr[i];
      out[slot] += 1 - (l > 30 ? 0 : l < -30 ? -l / Math.LN2 : Math.log2(1 + Math.exp(-l)));
    }
  }
  return out;
}
