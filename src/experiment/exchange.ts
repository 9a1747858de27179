import { ExitCode, SctError } from '../common/errors.ts';
import { RandomStream } from '../common/random.ts';
import { RxChain, TxChain } from '../link/chains.ts';
import { MAX_PROCESSES } from '../link/harq/processes.ts';
import { ackTimeoutS } from '../link/harq/sender-entity.ts';
import { Receiver } from '../link/receiver.ts';
import { SOUNDING_GRID_S } from '../link/reverse/csi-history.ts';
import { type FeedbackChannel, LocalFeedback, NoFeedback } from '../link/reverse/feedback.ts';
import { encodeAckMessage, encodeCsiMessage } from '../link/reverse/reverse-messages.ts';
import { type TransmissionPlan, type TransmitBurst, Transmitter } from '../link/transmitter.ts';
import { LoopbackRadio } from '../radio/loopback/loopback-radio.ts';
import type { LoopbackRx } from '../radio/loopback/loopback-streams.ts';
import type { TxStream } from '../radio/radio.ts';
import { tapTx } from '../radio/recorder.ts';
import type { CaptureWriter } from '../radio/sigmf/capture-writer.ts';
import type { RgbImage } from '../sct/image/rgb-image.ts';
import type { Json } from './canonical-json.ts';
import type { LinkConfig } from './link-config.ts';
import { budgetOf, type DrawnOffsets, type LinkSetup, predictionOf, simulatedChannel } from './link-setup.ts';
import { LinkTrace } from './link-trace.ts';
import type { RecordedChannel } from './recorded-channel.ts';
import { SessionKnowledge } from './session-knowledge.ts';

/** Captures that a run's samples go to on their way, and who is told of progress. */
export interface ExchangeTaps {
  readonly tx?: CaptureWriter;
  readonly rx?: CaptureWriter;
  burst?(use: TransmitBurst['use']): void;
  /** For trials of losses: true for a burst that never reaches the air; share of the messages lost on the way back. */
  lose?(burst: TransmitBurst): boolean;
  readonly feedbackLoss?: number;
  /** Called when the picture's bursts have been heard and after every repetition; true: nothing more is repeated. */
  round?(exchange: LoopbackExchange): boolean | Promise<boolean>;
  /** Aborted: nothing more is sent. */
  readonly signal?: AbortSignal;
}

/** Silence before the first burst and after the last, and between bursts, s. */
const LEAD_S = 3e-3;
const GAP_S = 0.2e-3;
const TAIL_S = 6e-3;

/**
 * Both ends of a link in one process, joined by a modelled channel in simulated time: sounding bursts, CSI reports, the
 * picture's bursts through the same channel as it has evolved, acknowledgements, repetitions.
 */
export class LoopbackExchange {
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
  private tx!: TxStream;
  private rx!: LoopbackRx;
  private txChain!: TxChain;
  /** When each burst was on the air, s: what a CSI report's age counts from. */
  private readonly sentAtS = new Map<number, number>();

  constructor(config: LinkConfig, setup: LinkSetup, taps: ExchangeTaps = {}) {
    this.config = config;
    this.setup = setup;
    this.taps = taps;
    const { channel, offsets } = simulatedChannel(config, setup);
    this.offsets = offsets;
    this.description = channel.describe();
    const { numerology, frontend, codec, dopplerHz, maxCsiAgeS, format, fullScale } = setup;
    this.radio = LoopbackRadio.create({
      channel,
      format,
      fullScale,
      rateHz: frontend.deviceRateHz,
      frequencyHz: config.frequencyHz ?? 0,
    });
    this.transmitter = new Transmitter({
      numerology,
      codec,
      mapping: config.mapping,
      mappingForced: config.mappingForced,
      maxCsiAgeS,
      harq: config.harq,
      harqBy: config.harqBy,
      repeatBudget: config.repeatBudget,
      protectionDb: config.protectionDb,
      ...(config.maxSfvs === undefined ? {} : { maxSfvs: config.maxSfvs }),
      answers: config.feedback !== 'none',
      dopplerHz,
      assumedSnrDb: config.assumeSnrDb,
      ackTimeoutS: ackTimeoutS(config.csiDelayMs / 1e3),
      powerLoading: config.powerLoading,
      modelSet: setup.modelSet ?? 0,
      seed: config.seed,
      ...setup.transmitter,
    });
    this.knowledge = setup.knowledge ? new SessionKnowledge(setup.knowledge, this.transmitter.options.session) : null;
    const { estimator, harqBy } = config;
    this.chain = new RxChain(
      frontend,
      new Receiver({
        numerology,
        codecs: setup.receiver ?? [codec],
        estimator,
        prediction: predictionOf(config),
        asking: { by: harqBy, ...setup.asking },
      }),
    );
    const latencyS = config.csiDelayMs / 1e3;
    this.feedback =
      config.feedback === 'none'
        ? new NoFeedback()
        : new LocalFeedback({
            latencyS,
            ...(taps.feedbackLoss === undefined ? {} : { loss: taps.feedbackLoss }),
            random: new RandomStream(config.seed).fork('feedback'),
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
    this.rx = await this.radio.openRx();
    const tx = await this.radio.openTx();
    this.tx = this.taps.tx ? tapTx(tx, this.taps.tx) : tx;
    this.txChain = new TxChain(this.setup.frontend, this.tx);
    this.wait(LEAD_S);
    await this.pump();
  }

  /** Sends one picture, with sounding bursts first where there is a way back. */
  async sendPicture(image: RgbImage): Promise<TransmissionPlan> {
    if (this.config.feedback !== 'none') {
      await this.soundings();
      this.wait(this.config.csiDelayMs / 1e3 + 1e-6);
      await this.pump();
      this.listen();
    }
    const budget = budgetOf(this.config, image.width * image.height);
    const plan = await this.transmitter.send(image, budget, this.nowS, this.knowledge?.agree());
    this.knowledge?.sent(plan.settings);
    // More parts than processes: a window of them is settled before the next takes over its processes.
    for (let first = 0; first < plan.bursts.length; first += MAX_PROCESSES) {
      for (const burst of plan.bursts.slice(first, first + MAX_PROCESSES)) {
        await this.send(burst);
        await this.pump();
      }
      await this.settle();
    }
    return plan;
  }

  /** Repeats what is not acknowledged until every process is done or given up; each waits for at most its timeout. */
  private async settle(): Promise<void> {
    for (;;) {
      // The receiver needs the end of the burst, the acknowledgement its time.
      this.wait(TAIL_S + this.config.csiDelayMs / 1e3);
      await this.pump();
      this.listen();
      if (await this.taps.round?.(this)) return;
      if (this.config.feedback === 'none') return;
      let repeats = this.transmitter.repeat(this.nowS);
      while (repeats.length === 0) {
        const dueS = this.transmitter.harq.nextDueS;
        if (dueS === null) return;
        this.wait(Math.max(0, dueS - this.nowS) + 1e-6);
        await this.pump();
        this.listen();
        repeats = this.transmitter.repeat(this.nowS);
      }
      for (const burst of repeats) {
        await this.send(burst);
        await this.pump();
      }
    }
  }

  /** Sends `count` sounding bursts, one each period (as fast as they can follow one another where it is shorter). */
  async sound(count: number, periodS: number, stop: () => boolean): Promise<void> {
    for (let i = 0; i < count && !stop(); i++) {
      const startS = this.nowS;
      await this.send(this.transmitter.sounding());
      this.wait(Math.max(0, startS + periodS - this.nowS));
      await this.pump();
    }
  }

  /**
   * The soundings before a picture. They begin on a grid of the sender's clock, a whole number of its steps more apart where a burst
   * is longer, so that the receiver can tell the clocks' difference from the channel's change (docs/adr/0017-predicted-csi.md).
   */
  private async soundings(): Promise<void> {
    const { soundings, soundingEveryMs } = this.config;
    const step = SOUNDING_GRID_S * this.setup.frontend.deviceRateHz;
    const every = Math.round(soundingEveryMs / 1e3 / SOUNDING_GRID_S);
    for (let i = 0; i < soundings; i++) {
      const start = this.radio.now;
      await this.send(this.transmitter.sounding());
      if (i === soundings - 1) return;
      const sent = this.radio.now - start;
      this.radio.advance(Math.round(Math.max(every, Math.ceil(sent / step)) * step) - sent);
      await this.pump();
    }
  }

  async close(): Promise<void> {
    this.wait(TAIL_S);
    await this.pump();
    for (const event of this.chain.flush()) this.take(event);
    this.trace.markLosses(this.chain);
    await this.radio.close();
  }

  private async send(burst: TransmitBurst): Promise<void> {
    if (this.taps.signal?.aborted) throw new SctError('interrupted: the transmitter is off', ExitCode.interrupted);
    const { deviceRateHz } = this.setup.frontend;
    const waveform = burst.samples;
    if (this.taps.lose?.(burst)) waveform.fill(0);
    const { index, samples } = await this.txChain.send(waveform);
    const endS = (index + samples) / deviceRateHz;
    this.sentAtS.set(burst.burst, endS);
    this.transmitter.onAir(burst.burst, endS);
    this.taps.burst?.(burst.use);
    this.wait(GAP_S);
  }

  private wait(seconds: number): void {
    this.radio.advance(Math.ceil(seconds * this.setup.frontend.deviceRateHz));
  }

  /** Lets the receiver hear everything up to now. */
  private async pump(): Promise<void> {
    for (let block = this.rx.readAvailable(); block; block = this.rx.readAvailable()) {
      await this.taps.rx?.write(block);
      for (const event of this.chain.push(block)) this.take(event);
    }
  }

  private take(event: ReturnType<RxChain['push']>[number]): void {
    this.trace.add(event, this.chain);
    if (event.type !== 'burst') return;
    // A report is sent when its burst has ended; processing time does not exist in simulated time.
    const sentAtS = this.sentAtS.get(event.record.header.burst) ?? this.nowS;
    if (event.use === 'sounding') this.feedback.send(encodeCsiMessage(event.csi), sentAtS);
    for (const message of this.knowledge?.announce(event.record.header.session) ?? [])
      this.feedback.send(message, sentAtS);
    if (event.ack) this.feedback.send(encodeAckMessage(event.ack), sentAtS);
  }

  /** The transmitter takes what has come back. */
  private listen(): void {
    for (const bytes of this.feedback.receive(this.nowS)) {
      const message = this.transmitter.harq.read(bytes);
      if (message === null) continue;
      if (message.type === 'ack') this.transmitter.takeAck(message.ack);
      else if (message.type === 'knowledge') this.knowledge?.take(message.piece);
      else {
        const { report } = message;
        this.transmitter.takeReport(report, this.sentAtS.get(report.burst) ?? this.nowS);
      }
    }
  }
}
