import { RandomStream } from '../../common/random.ts';
import type { AskingOptions } from '../../link/harq/asking.ts';
import type { CodecFinder } from '../../link/receiver.ts';
import type { PredictionOptions } from '../../link/reverse/csi-history.ts';
import type { TransmitterOptions } from '../../link/transmitter.ts';
import { TRANSMIT_RMS } from '../../phy/burst/transmit.ts';
import { powerDelayProfile } from '../../phy/channel/power-delay-profiles.ts';
import { buildChannel, type ChannelOptions, randomOffsets, type ScenarioChannel } from '../../phy/channel/scenario.ts';
import { noiseVarianceFor } from '../../phy/channel/snr.ts';
import { type Frontend, frontendFor, preferredLoOffsetHz } from '../../phy/frontend/frontend.ts';
import { type Numerology, numerology } from '../../phy/numerology.ts';
import { loadProfile } from '../../radio/profile.ts';
import type { SampleFormat } from '../../radio/radio.ts';
import { ClassicalCodec } from '../../sct/codec/classical.ts';
import type { Codec } from '../../sct/codec/codec.ts';
import type { LinkKnowledge } from '../loopback/session-knowledge.ts';
import type { RecordedChannel } from '../replay/recorded-channel.ts';
import type { LinkCodec } from './link-codecs.ts';
import { type LinkConfig, occupiedHz, tracePath } from './link-config.ts';

/** What both ends of a link agree on before the first sample, made from the configuration alone. */
export interface LinkSetup {
  readonly numerology: Numerology;
  readonly frontend: Frontend;
  readonly format: SampleFormat;
  readonly fullScale: number;
  readonly codec: Codec;
  /** First 32 bits of the model set's hash; 0 where the codec needs none. */
  readonly modelSet?: number;
  /** Doppler spread of the channel as far as the transmitter may know it; null on AWGN. */
  readonly dopplerHz: number | null;
  readonly maxCsiAgeS: number;
  /** What both ends hold beforehand; absent where the codec needs nothing. */
  readonly knowledge?: LinkKnowledge;
  /** The receiver's codecs where they are not the transmitter's. */
  readonly receiver?: CodecFinder;
  /** For trials: settings of the two ends that no flag has. */
  readonly transmitter?: Partial<TransmitterOptions>;
  readonly asking?: AskingOptions;
  /** The recorded channel where the configuration names one. */
  readonly recorded?: RecordedChannel;
}

/**
 * UsageError when the rate does not suit the numerology (it lists those that do).
 *
 * @param coding of `senderCodec`; absent: the classical codec, whatever the configuration names
 */
export function setupLink(
  config: LinkConfig,
  recorded: RecordedChannel | null = null,
  coding: (Pick<LinkCodec, 'codec' | 'modelSet'> & Partial<LinkCodec>) | null = null,
): LinkSetup {
  const n = numerology(config.numerology);
  const { rateHz, profile } = config;
  const offset = profile === 'loopback' ? 0 : preferredLoOffsetHz(n.sampleRateHz, occupiedHz(n), rateHz);
  const dopplerHz = recorded ? recorded.dopplerHz : modelDopplerHz(config);
  const maxCsiAgeS = config.maxCsiAgeMs !== undefined ? config.maxCsiAgeMs / 1e3 : dopplerHz ? 0.25 / dopplerHz : 0.2;
  return {
    numerology: n,
    frontend: frontendFor(n.sampleRateHz, occupiedHz(n), rateHz, offset),
    format: config.sampleFormat,
    fullScale: loadProfile(profile).fullScale,
    codec: coding?.codec ?? new ClassicalCodec({ format: config.format }),
    modelSet: coding?.modelSet ?? 0,
    dopplerHz,
    maxCsiAgeS,
    ...(recorded ? { recorded } : {}),
    ...(coding?.knowledge ? { knowledge: coding.knowledge } : {}),
    ...(coding?.receiver ? { receiver: coding.receiver } : {}),
    ...(coding?.maxSfvs === undefined ? {} : { transmitter: { maxSfvs: coding.maxSfvs } }),
  };
}

function modelDopplerHz({ channel, dopplerHz }: LinkConfig): number | null {
  if (channel === 'awgn' || tracePath(channel) !== null) return null;
  return dopplerHz ?? powerDelayProfile(channel).defaultDopplerHz;
}

/** Receive level of boards whose converters are limited, dBFS RMS. */
const RECEIVE_LEVEL_DBFS = -12;

/** The offsets that a channel was given, for the record. */
export interface DrawnOffsets {
  readonly startDelaySamples: number;
  readonly phaseRad: number;
  readonly cfoHz: number;
  readonly sfoPpm: number;
}

/**
 * The modelled channel of a loopback. Unless `ideal`, start, phase, CFO (+-20 kHz) and clock (+-10 ppm) are drawn from
 * the seed, and a board's profile adds its own front-end faults; single flags override single values.
 */
export function simulatedChannel(
  config: LinkConfig,
  setup: LinkSetup,
): { channel: ScenarioChannel; offsets: DrawnOffsets } {
  const { frontend } = setup;
  const random = new RandomStream(config.seed).fork('link');
  const none: DrawnOffsets = { startDelaySamples: 0, phaseRad: 0, cfoHz: 0, sfoPpm: 0 };
  const drawn = config.ideal ? none : randomOffsets(random, { maxStartDelaySamples: 64 });
  const offsets = { ...drawn, cfoHz: config.cfoHz ?? drawn.cfoHz, sfoPpm: config.sfoPpm ?? drawn.sfoPpm };
  const signalPower = TRANSMIT_RMS ** 2;
  const board = config.ideal || config.profile === 'loopback' ? null : loadProfile(config.profile).frontEnd;
  const options: ChannelOptions = {
    rateHz: frontend.deviceRateHz,
    ...noiseAndChannel(config, setup, signalPower),
    seed: config.seed,
    signalPower,
    ...offsets,
    ...(config.dopplerHz !== undefined ? { dopplerHz: config.dopplerHz } : {}),
    ...(config.delaySpreadNs !== undefined ? { delaySpreadNs: config.delaySpreadNs } : {}),
    iqDb: config.iqDb ?? board?.iqGainDb.value ?? 0,
    iqDeg: config.iqDeg ?? board?.iqPhaseDeg.value ?? 0,
    ...withValue('dcDbfs', config.dcDbfs ?? board?.dcDbfs.value),
    ...withValue('phaseNoise', config.phaseNoise ?? (board ? config.profile : undefined)),
    ...withValue('bits', config.bits),
    ...withValue('jammer', config.jammer),
    ...(config.snrNorm === 'burst' ? { snrNorm: 'burst' as const, burst: pictureSpan(config, setup) } : {}),
    ...(setup.format === 'cf32_le' ? {} : { rxLevelDbfs: RECEIVE_LEVEL_DBFS }),
  };
  return { channel: buildChannel(options), offsets };
}

/** Model and white noise for the SNR asked for, or the recorded channel with its noise, scaled where an SNR is asked for. */
function noiseAndChannel(config: LinkConfig, setup: LinkSetup, signalPower: number): Partial<ChannelOptions> {
  const { numerology: n, frontend, recorded } = setup;
  const variance = (snrDb: number) =>
    noiseVarianceFor({
      snrDb,
      signalPower,
      fftSize: n.fftSize,
      occupiedCarriers: n.nCarriers,
      modemRateHz: n.sampleRateHz,
      deviceRateHz: frontend.deviceRateHz,
    });
  if (!recorded) {
    // A trace is read before the first sample; without it its name alone is no channel.
    if (config.snrDb === null || tracePath(config.channel) !== null)
      throw new Error('the channel trace was not loaded');
    return { channel: config.channel, noiseVariance: variance(config.snrDb) };
  }
  const { trace, facts } = recorded;
  const unitVariance = variance(config.snrDb === null ? 0 : config.snrDb - facts.snrDb);
  return { trace: { trace, centreHz: -frontend.loOffsetHz, unitVariance } };
}

function withValue<K extends string, V>(key: K, value: V | undefined | null): { [key in K]?: V } {
  return (value === undefined || value === null ? {} : { [key]: value }) as { [key in K]?: V };
}

/** What the receiver of a link predicts its reports by: the model's Doppler where there is one. */
export function predictionOf(config: LinkConfig): PredictionOptions {
  return { dopplerHz: modelDopplerHz(config), latencyS: config.csiDelayMs / 1e3 };
}

/** Resource elements that a picture may use. */
export function budgetOf(config: LinkConfig, pixels: number): number {
  return config.symbolsPerPixel * pixels;
}

/** Where the picture's first 20 ms lie, for an SNR that is normalised over this realisation of the channel. */
function pictureSpan(config: LinkConfig, setup: LinkSetup) {
  const { deviceRateHz } = setup.frontend;
  const startS = 10e-3 + ((config.soundings - 1) * config.soundingEveryMs + config.csiDelayMs) / 1e3;
  const occupied = occupiedHz(setup.numerology);
  return {
    startSample: Math.round(startS * deviceRateHz),
    lengthSamples: Math.round(20e-3 * deviceRateHz),
    occupiedHz: occupied,
  };
}
