import { RandomStream } from '../../common/random.ts';
import { type RxChain, TxChain } from '../../link/chains.ts';
import { ackTimeoutS } from '../../link/harq/sender-entity.ts';
import { type FeedbackChannel, LocalFeedback, NoFeedback } from '../../link/reverse/feedback.ts';
import { Listener } from '../../link/session/listener.ts';
import { SenderSession } from '../../link/session/sender.ts';
import { SimulatedAir } from '../../link/session/simulated-air.ts';
import type { SendPolicy, TransmissionPlan, TransmitBurst, Transmitter } from '../../link/transmitter.ts';
import { LoopbackRadio } from '../../radio/loopback/loopback-radio.ts';
import type { LoopbackRx } from '../../radio/loopback/loopback-streams.ts';
import type { TxStream } from '../../radio/radio.ts';
import { tapTx } from '../../radio/recorder.ts';
import type { CaptureWriter } from '../../radio/sigmf/capture-writer.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import type { LinkConfig } from '../config/link-config.ts';
import { budgetOf, type DrawnOffsets, type LinkSetup, simulatedChannel } from '../config/link-setup.ts';
import { LinkTrace } from '../metrics/link-trace.ts';
import { type RecordedChannel, traceWarning } from '../replay/recorded-channel.ts';
import type { Json } from '../run/canonical-json.ts';
import { modelledBudget } from '../telemetry/budget-ends.ts';
import type { Pace } from '../telemetry/pace.ts';
import type { RunWatch } from '../telemetry/run-watch.ts';
import type { ComparableExchange } from './picture-run.ts';
import { receivingEnd, sendingEnd } from './session-ends.ts';
import { SessionKnowledge } from './session-knowledge.ts';

/** Captures that a run's samples go to on their way, and who is told of progress. */
export interface ExchangeTaps {
  readonly tx?: CaptureWriter;
  readonly rx?: Pick<CaptureWriter, 'write' | 'bytes'>;
  /** Holds simulated time back. */
  readonly pace?: Pace | null;
  burst?(use: TransmitBurst['use']): void;
  planned?(plan: TransmissionPlan): void;
  readonly watch?: RunWatch | null;
  /** For trials of losses: true for a burst that never reaches the air; share of the messages lost on the way back. */
  lose?(burst: TransmitBurst): boolean;
  readonly feedbackLoss?: number;
  /** Called when the picture's bursts have been heard and after every repetition; true: nothing more is repeated. */
  round?(exchange: LoopbackExchange): boolean | Promise<boolean>;
  /** Aborted: nothing more is sent. */
  readonly signal?: AbortSignal;
}

/** Silence before the first burst and after the last, s. */
const LEAD_S = 3e-3;
const TAIL_S = 6e-3;

/**
 * Both ends of a link in one process, joined by a modelled channel in simulated time: sounding bursts, CSI reports, the
 * picture's bursts through the same channel as it has evolved, acknowledgements, repetitions.
 */
export class LoopbackExchange implements ComparableExchange {
  readonly transmitter: Transmitter;
  readonly chain: RxChain;
  readonly trace = new LinkTrace();
  readonly offsets: DrawnOffsets;
  readonly feedback: FeedbackChannel;
  /** What the ends tell each other that they hold; null where the codec needs nothing. */
  readonly knowledge: SessionKnowledge | null;
  /** One line on channel and front end. */
  readonly description: string;
  private readonly setup: LinkSetup;
  private readonly config: LinkConfig;
  private readonly radio: LoopbackRadio;
  private readonly taps: ExchangeTaps;
  private readonly listener: Listener;
  private tx!: TxStream;
  private rx!: LoopbackRx;
  private air!: SimulatedAir;
  private sender!: SenderSession;
  private closed = false;

  constructor(config: LinkConfig, setup: LinkSetup, taps: ExchangeTaps = {}) {
    this.config = config;
    this.setup = setup;
    this.taps = taps;
    const { channel, offsets } = simulatedChannel(config, setup);
    this.offsets = offsets;
    this.description = channel.describe();
    const { frontend, format, fullScale } = setup;
    this.radio = LoopbackRadio.create({
      channel,
      format,
      fullScale,
      rateHz: frontend.deviceRateHz,
      frequencyHz: config.frequencyHz ?? 0,
    });
    const latencyS = config.csiDelayMs / 1e3;
    this.transmitter = sendingEnd(config, setup, { ackTimeoutS: ackTimeoutS(latencyS) });
    this.knowledge = setup.knowledge ? new SessionKnowledge(setup.knowledge, this.transmitter.options.session) : null;
    this.chain = receivingEnd(config, setup);
    this.feedback =
      config.feedback === 'none'
        ? new NoFeedback()
        : new LocalFeedback({
            latencyS,
            ...(taps.feedbackLoss === undefined ? {} : { loss: taps.feedbackLoss }),
            random: new RandomStream(config.seed).fork('feedback'),
          });
    this.listener = new Listener({
      chain: this.chain,
      feedback: this.feedback,
      knowledge: this.knowledge,
      // A report is sent when its burst has ended; processing time does not exist in simulated time.
      timeOf: ({ record }) => this.sender.sentAtS.get(record.header.burst) ?? this.nowS,
      heard: (event) => {
        const trace = this.trace.add(event, this.chain);
        if (trace && event.type === 'burst') taps.watch?.heard(event, trace, this.chain);
      },
    });
  }

  /** The recorded channel that everything goes through, where there is one. */
  get recorded(): RecordedChannel | undefined {
    return this.setup.recorded;
  }

  /** What run.json says of channel and front end. */
  deviceFacts(): { [key: string]: Json } {
    const { recorded } = this;
    return {
      channel: this.description,
      offsets: { ...this.offsets },
      ...(recorded ? { trace: { ...recorded.facts } } : {}),
    };
  }

  get nowS(): number {
    return this.radio.now / this.setup.frontend.deviceRateHz;
  }

  /** Samples limited by the converters of both ends. */
  get clippedSamples(): number {
    return this.tx.counters.clippedSamples + this.rx.counters.clippedSamples;
  }

  async open(): Promise<void> {
    const { taps, setup, config, transmitter, feedback, knowledge } = this;
    this.rx = await this.radio.openRx();
    const tx = await this.radio.openTx();
    this.tx = taps.tx ? tapTx(tx, taps.tx) : tx;
    const { rx } = this;
    const air = new SimulatedAir({
      radio: this.radio,
      rateHz: setup.frontend.deviceRateHz,
      rx,
      tx: new TxChain(setup.frontend, this.tx),
      ...(taps.lose ? { lose: taps.lose } : {}),
      hear: async (block) => {
        await taps.pace?.due(block.index / setup.frontend.deviceRateHz);
        await taps.rx?.write(block);
        taps.watch?.block(block, this.chain);
        this.listener.push(block);
        await taps.watch?.building(this.chain.receiver);
      },
    });
    this.air = air;
    if (taps.watch && taps.pace) taps.watch.patience = () => 1;
    taps.watch?.reads(() => ({
      clippedSamples: this.clippedSamples,
      underruns: 0,
      rxGainsDb: null,
      txGainsDb: null,
      recordedBytes: (taps.tx?.bytes ?? 0) + (taps.rx?.bytes ?? 0),
      budget: modelledBudget(config, setup),
    }));
    const answers = config.feedback !== 'none';
    const latencyS = config.csiDelayMs / 1e3;
    this.sender = new SenderSession({
      transmitter,
      air,
      feedback,
      knowledge,
      answers,
      soundings: { count: answers ? config.soundings : 0, everyS: config.soundingEveryMs / 1e3 },
      waitS: { report: latencyS + 1e-6, answers: TAIL_S + latencyS },
      ...(taps.burst ? { burst: taps.burst } : {}),
      ...(taps.planned ? { planned: taps.planned } : {}),
      round: () => taps.round?.(this) ?? false,
      ...(taps.signal ? { signal: taps.signal } : {}),
    });
    await air.pass(LEAD_S);
  }

  /** Sends one picture, with sounding bursts first where there is a way back. */
  sendPicture(
    image: RgbImage,
    budgetRe = budgetOf(this.config, image.width * image.height),
  ): Promise<TransmissionPlan> {
    return this.sender.sendPicture(image, budgetRe);
  }

  /** Simulated time waits for nobody's preparations. */
  async prepare(): Promise<void> {}

  measure(): Promise<void> {
    return this.sender.measure();
  }

  sendWith(image: RgbImage, policy: SendPolicy): Promise<TransmissionPlan> {
    return this.sender.sendWith(image, budgetOf(this.config, image.width * image.height), policy);
  }

  /** Sends `count` sounding bursts, one each period (as fast as they can follow one another where it is shorter). */
  sound(count: number, periodS: number, stop: () => boolean): Promise<void> {
    return this.sender.sound(count, periodS, stop);
  }

  notes(): string[] {
    return [];
  }

  warnings(): string[] {
    const out: string[] = [];
    if (this.config.ideal) out.push('ideal: no unknown start, fractional delay, phase, frequency or clock offset');
    const short = traceWarning(this.recorded, this.nowS);
    if (short) out.push(short);
    return out;
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.air?.pass(TAIL_S);
    this.listener.flush();
    this.trace.markLosses(this.chain);
    await this.radio.close();
  }
}
