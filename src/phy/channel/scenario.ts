import { inRange, UsageError } from '../../common/errors.ts';
import { RandomStream } from '../../common/random.ts';
import { fromDb, toDb } from '../../common/units.ts';
import { EnvelopeClipStage, QuantiserStage, RappAmplifierStage } from './amplitude.ts';
import { AwgnStage } from './awgn.ts';
import { CfoStage } from './cfo.ts';
import type { ChannelTrace } from './channel-trace.ts';
import { ClockStage } from './clock.ts';
import { type DropOptions, DropStage } from './drops.ts';
import { DcOffsetStage, GainStage, IqImbalanceStage } from './iq-dc.ts';
import { type JammerOptions, JammerStage } from './jammer.ts';
import { lineWidthHz, type PhaseNoiseFigure, PhaseNoiseStage } from './phase-noise.ts';
import { FADING_CHANNELS, powerDelayProfile } from './power-delay-profiles.ts';
import { ChannelChain, type ChannelStage } from './stage.ts';
import { TappedDelayLine } from './tapped-delay.ts';
import { TraceNoiseStage } from './trace-noise.ts';
import { TraceChannelStage } from './trace-stage.ts';

/** Names that `channel` takes. */
export const CHANNELS: readonly string[] = ['awgn', ...FADING_CHANNELS];

/** Faults of one end's analog and converter part. */
export interface EndFaults {
  iqDb?: number;
  iqDeg?: number;
  /** DC power, 0 dBFS = amplitude 1. */
  dcDbfs?: number;
  /** Converter word length. */
  bits?: number;
  phaseNoise?: string | PhaseNoiseFigure;
}

/** A recorded channel as buildChannel takes it. */
export interface TraceOptions {
  readonly trace: ChannelTrace;
  /** Where the band's centre lies in the baseband of the channel's rate (minus the LO offset); default 0. */
  readonly centreHz?: number;
  /** Variance per sample at the channel's rate of white noise of 1 per resource element in the trace's unit. */
  readonly unitVariance: number;
}

/** The receiver's faults stand at the top level, the transmitter's under `tx`. What is absent is ideal. */
export interface ChannelOptions extends EndFaults {
  /** Rate at which the channel runs: the device rate. */
  rateHz: number;
  /** One of CHANNELS; default awgn. Not with `trace`. */
  channel?: string;
  /** A recorded channel and its noise instead of a model. */
  trace?: TraceOptions;
  /** E|n|^2 per complex sample at rateHz (see noiseVarianceFor); default 0. */
  noiseVariance?: number;
  seed: number | string;
  /** Mean E|x|^2 per sample of the signal while it is on; needed by `jammer` and `rxLevelDbfs`. */
  signalPower?: number;
  /** Default: EPA 5, EVA 70, ETU 70, TDL 5 Hz. */
  dopplerHz?: number;
  /** TDL only; default 300 ns. */
  delaySpreadNs?: number;
  ricianKDb?: number;
  /** ensemble (default): E[sum |h|^2] = 1. burst: this realisation has mean |H|^2 = 1 over `burst`. */
  snrNorm?: 'ensemble' | 'burst';
  burst?: { startSample: number; lengthSamples: number; occupiedHz: number };
  startDelaySamples?: number;
  cfoHz?: number;
  phaseRad?: number;
  sfoPpm?: number;
  jammer?: JammerOptions;
  /** Receive gain is set once so that the ensemble mean power of signal, noise and jammer has this level. */
  rxLevelDbfs?: number;
  drops?: DropOptions;
  tx?: EndFaults & {
    /** Digital envelope clipping before the converter. */
    clipDbfs?: number;
    /** Rapp amplifier: saturation amplitude, and smoothness p (default 3). */
    paSaturationDbfs?: number;
    paSmoothness?: number;
  };
}

/** A channel with handles on the stages whose truth or counters are asked for. */
export class ScenarioChannel extends ChannelChain {
  readonly fading: TappedDelayLine | undefined;
  readonly trace: TraceChannelStage | undefined;
  readonly clock: ClockStage | undefined;
  readonly drops: DropStage | undefined;
  readonly receiveConverter: QuantiserStage | undefined;
  readonly transmitConverter: QuantiserStage | undefined;

  constructor(stages: readonly ChannelStage[]) {
    super(stages);
    this.fading = stages.find((s) => s instanceof TappedDelayLine);
    this.trace = stages.find((s) => s instanceof TraceChannelStage);
    this.clock = stages.find((s) => s instanceof ClockStage);
    this.drops = stages.find((s) => s instanceof DropStage);
    const converters = stages.filter((s) => s instanceof QuantiserStage);
    const noiseAt = stages.findIndex((s) => s instanceof AwgnStage);
    this.transmitConverter = converters.find((s) => stages.indexOf(s) < noiseAt);
    this.receiveConverter = converters.find((s) => stages.indexOf(s) > noiseAt);
  }

  /**
   * True multipath response [frequency][re, im] at a sample index of the fading stage (its input and output counts are
   * equal; `clock.inputIndexOf` leads there from a received index). 1 on AWGN. Constant delays, CFO and gains excluded.
   */
  frequencyResponse(sampleIndex: number, freqHz: ArrayLike<number>): Float64Array {
    const stage = this.fading ?? this.trace;
    if (stage) return stage.frequencyResponse(sampleIndex, freqHz);
    return Float64Array.from({ length: 2 * freqHz.length }, (_, i) => (i % 2 === 0 ? 1 : 0));
  }
}

/**
 * Assembles a channel in physical order: transmitter (clipping, converter, IQ, DC, phase noise, amplifier), multipath (model or trace),
 * start delay and sample clock, CFO and receiver phase noise, noise, jammer, receiver (gain, IQ, DC, converter), drops.
 * Every random stage draws from its own fork of the seed: adding one changes no other.
 *
 * @throws UsageError naming the list of channels or profiles, or the allowed range
 */
export function buildChannel(options: ChannelOptions): ScenarioChannel {
  const { rateHz, channel = 'awgn', noiseVariance = 0, signalPower, tx = {} } = options;
  inRange('channel rate', rateHz, 1e5, 61.44e6, 'Hz');
  if (!CHANNELS.includes(channel)) throw new UsageError(`unknown channel "${channel}": one of ${CHANNELS.join(', ')}`);
  const random = new RandomStream(options.seed).fork('channel');
  const stages: ChannelStage[] = [];

  if (tx.clipDbfs !== undefined) stages.push(new EnvelopeClipStage(tx.clipDbfs));
  if (tx.bits !== undefined) stages.push(new QuantiserStage(tx.bits));
  addModulatorFaults(stages, tx);
  addPhaseNoise(stages, tx, rateHz, random, 'tx-phase-noise');
  if (tx.paSaturationDbfs !== undefined) {
    stages.push(new RappAmplifierStage(tx.paSaturationDbfs, tx.paSmoothness));
  }

  const multipath = options.trace ? traceStage(options, options.trace) : fadingStage(options, channel, random);
  if (multipath) stages.push(multipath);
  // Before the offsets: a receiver measures noise on the carriers it has put right.
  const traceNoise = options.trace ? new TraceNoiseStage({ centreHz: 0, ...options.trace, rateHz }, random) : undefined;
  if (traceNoise) stages.push(traceNoise);
  const { sfoPpm = 0, startDelaySamples = 0, cfoHz = 0, phaseRad = 0 } = options;
  if (sfoPpm !== 0 || startDelaySamples !== 0) stages.push(new ClockStage(sfoPpm, startDelaySamples));
  if (cfoHz !== 0 || phaseRad !== 0) stages.push(new CfoStage(cfoHz, rateHz, phaseRad));
  addPhaseNoise(stages, options, rateHz, random, 'rx-phase-noise');

  // Always there, even silent: it parts the transmitter's stages from the receiver's.
  stages.push(new AwgnStage(noiseVariance, random));
  if (options.jammer) {
    if (signalPower === undefined) throw new UsageError('a jammer needs the signal power it is relative to');
    stages.push(new JammerStage(options.jammer, signalPower, rateHz, random));
  }
  if (options.rxLevelDbfs !== undefined) stages.push(new GainStage(receiveGainDb(options, traceNoise?.meanVariance())));
  addModulatorFaults(stages, options);
  if (options.bits !== undefined) stages.push(new QuantiserStage(options.bits));
  if (options.drops) stages.push(new DropStage(options.drops, rateHz, random));
  return new ScenarioChannel(stages);
}

function fadingStage(options: ChannelOptions, channel: string, random: RandomStream): TappedDelayLine | undefined {
  const { snrNorm = 'ensemble', burst, rateHz } = options;
  if (snrNorm !== 'ensemble' && snrNorm !== 'burst') {
    throw new UsageError(`unknown SNR normalisation "${snrNorm}": one of ensemble, burst`);
  }
  if (channel === 'awgn') {
    const given = (['dopplerHz', 'delaySpreadNs', 'ricianKDb'] as const).filter((key) => options[key] !== undefined);
    if (given.length > 0)
      throw new UsageError(`${given.join(', ')}: not for awgn, only for ${FADING_CHANNELS.join(', ')}`);
    return undefined;
  }
  if (snrNorm === 'burst' && !burst) throw new UsageError('SNR normalisation per burst needs the extent of the burst');
  return new TappedDelayLine(
    {
      profile: powerDelayProfile(channel, options.delaySpreadNs),
      rateHz,
      dopplerHz: options.dopplerHz,
      ricianKDb: options.ricianKDb,
      normaliseOver: snrNorm === 'burst' ? burst : undefined,
    },
    random,
  );
}

function traceStage(options: ChannelOptions, { trace, centreHz }: TraceOptions): TraceChannelStage {
  const given = (['channel', 'dopplerHz', 'delaySpreadNs', 'ricianKDb', 'snrNorm'] as const).filter(
    (key) => options[key] !== undefined,
  );
  if (given.length > 0) throw new UsageError(`${given.join(', ')}: not for a channel trace, which holds its own`);
  return new TraceChannelStage(trace, options.rateHz, centreHz);
}

function addModulatorFaults(stages: ChannelStage[], faults: EndFaults): void {
  const { iqDb = 0, iqDeg = 0, dcDbfs } = faults;
  if (iqDb !== 0 || iqDeg !== 0) stages.push(new IqImbalanceStage(iqDb, iqDeg));
  if (dcDbfs !== undefined) stages.push(new DcOffsetStage(dcDbfs));
}

function addPhaseNoise(
  stages: ChannelStage[],
  faults: EndFaults,
  rateHz: number,
  random: RandomStream,
  name: string,
): void {
  if (faults.phaseNoise === undefined) return;
  const width = lineWidthHz(faults.phaseNoise);
  if (width > 0) stages.push(new PhaseNoiseStage(width, rateHz, random, name));
}

function receiveGainDb(options: ChannelOptions, traceNoise = 0): number {
  const { rxLevelDbfs = 0, signalPower, jammer } = options;
  const noiseVariance = (options.noiseVariance ?? 0) + traceNoise;
  inRange('receive level', rxLevelDbfs, -80, 0, 'dBFS');
  if (signalPower === undefined) throw new UsageError('a receive level needs the signal power');
  const jam = jammer ? signalPower * fromDb(jammer.powerDb) * (jammer.dutyCycle ?? 1) : 0;
  return rxLevelDbfs - toDb(signalPower + noiseVariance + jam);
}

/** Limits of the offsets that a loopback without `--ideal` has. */
export interface OffsetLimits {
  maxStartDelaySamples: number;
  /** Default 20 kHz. */
  maxCfoHz?: number;
  /** Default 10 ppm. */
  maxSfoPpm?: number;
}

/** Draws unknown start (whole and fraction), phase, CFO and clock offset, each uniform, for buildChannel. */
export function randomOffsets(
  random: RandomStream,
  limits: OffsetLimits,
): { startDelaySamples: number; phaseRad: number; cfoHz: number; sfoPpm: number } {
  const { maxStartDelaySamples, maxCfoHz = 20e3, maxSfoPpm = 10 } = limits;
  const rng = random.fork('offsets');
  return {
    startDelaySamples: rng.between(0, maxStartDelaySamples),
    phaseRad: rng.between(0, 2 * Math.PI),
    cfoHz: rng.between(-maxCfoHz, maxCfoHz),
    sfoPpm: rng.between(-maxSfoPpm, maxSfoPpm),
  };
}
