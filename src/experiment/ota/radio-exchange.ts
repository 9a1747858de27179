import { UsageError } from '../../common/errors.ts';
import { RandomStream } from '../../common/random.ts';
import { type RxChain, TxChain } from '../../link/chains.ts';
import { type FeedbackChannel, LocalFeedback, NoFeedback } from '../../link/reverse/feedback.ts';
import { BurstLevel } from '../../link/session/burst-level.ts';
import { Listener } from '../../link/session/listener.ts';
import { LiveAir } from '../../link/session/live-air.ts';
import { LiveReceiver } from '../../link/session/live-receiver.ts';
import { SenderSession } from '../../link/session/sender.ts';
import type { TransmissionPlan, TransmitBurst, Transmitter } from '../../link/transmitter.ts';
import type { Radio, RxStream, TxStream } from '../../radio/radio.ts';
import { tapRx, tapTx } from '../../radio/recorder.ts';
import { transmitGuard } from '../../radio/safety/process-end.ts';
import { describePermission, type TransmitPermission } from '../../radio/safety/transmit-permission.ts';
import type { CaptureWriter } from '../../radio/sigmf/capture-writer.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import { describeSnrSetting, type SnrSetter } from '../cabled/snr-setter.ts';
import { budgetOf } from '../config/link-setup.ts';
import type { ComparableExchange } from '../loopback/picture-run.ts';
import { receivingEnd, sendingEnd } from '../loopback/session-ends.ts';
import { SessionKnowledge } from '../loopback/session-knowledge.ts';
import { LinkTrace } from '../metrics/link-trace.ts';
import { boardFacts } from '../run/board-facts.ts';
import type { Json } from '../run/canonical-json.ts';
import { annotateSent } from '../run/run-files.ts';
import { levelOfEnd, linkBudgetState } from '../telemetry/budget-ends.ts';
import type { RunWatch } from '../telemetry/run-watch.ts';
import { Thermometer } from '../telemetry/thermometer.ts';
import { GainKeeper } from './gain-keeper.ts';
import { describePower, type PowerKeeper, powerOf } from './power-keeper.ts';
import { openRadios, permissionOf, permittedTx, type RadioEnd, withGains } from './radio-end.ts';
import { RehearsedCodec, rehearse } from './rehearsal.ts';
import { setGains } from './set-gains.ts';

/** A burst without an answer is repeated after so long, s of the receiver's stream: it was not heard, or badly. */
const ACK_TIMEOUT_S = 0.3;
/** Longest wait for answers, s of the receiver's stream; they come as soon as the receiver is through with the burst. */
const WAIT_S = 1;
/** What a sender says that cannot know whether it is heard. */
const STAYS_LOW = 'no way back: the transmit gain stays as low as it starts; --tx-gain sets it';
/** Above the SNR that an attenuator sets, dB. */
const SPARE_SNR_DB = 3;
/** Listened to after the last burst, s. */
const TAIL_S = 20e-3;

export interface RadioExchangeOptions {
  readonly tx: RadioEnd;
  readonly rx: RadioEnd;
  readonly permission: TransmitPermission | null;
  /** Makes the captures once the streams are open and their settings known. */
  captures(tx: TxStream, rx: RxStream): Promise<{ readonly tx: CaptureWriter; readonly rx: CaptureWriter }>;
  burst?(use: TransmitBurst['use']): void;
  planned?(plan: TransmissionPlan): void;
  readonly watch?: RunWatch | null;
  readonly signal: AbortSignal;
  /** RE of whatever is sent; default what the configuration says of a picture's pixels. */
  readonly budgetRe?: number | undefined;
  /** The transmitter's power, for tests; default by its board. */
  readonly power?: PowerKeeper;
  /** Sets the SNR by an attenuator between the boards. */
  readonly snr?: SnrSetter | null;
  /** Radios that are open already, for tests; default: those that the ends name. */
  readonly radios?: { readonly tx: Radio; readonly rx: Radio };
}

/** Both ends of a link in one process, each on a radio of its own, or on one that sends and receives at once. */
export class RadioExchange implements ComparableExchange {
  readonly transmitter: Transmitter;
  readonly chain: RxChain;
  readonly trace = new LinkTrace();
  readonly knowledge: SessionKnowledge | null;
  readonly feedback: FeedbackChannel;
  private readonly options: RadioExchangeOptions;
  private radios: { tx: Radio; rx: Radio } | null = null;
  private tx: TxStream | null = null;
  private rx: RxStream | null = null;
  private receiver: LiveReceiver | null = null;
  /** The same streams, recorded. */
  private recorded: { readonly tx: TxStream; readonly rx: RxStream } | null = null;
  private keeper: GainKeeper | null = null;
  private readonly level: BurstLevel;
  /** While gains are being set, levels are looked at. */
  private gainsOpen = false;
  private readonly power: PowerKeeper | null;
  private files: { readonly tx: CaptureWriter; readonly rx: CaptureWriter } | null = null;
  private listener!: Listener;
  private air!: LiveAir;
  private sender!: SenderSession;
  private codingS = 0;
  private closed = false;
  /** What the boards say of themselves; null where an end is none. */
  private boards: { readonly tx: Json; readonly rx: Json } = { tx: null, rx: null };

  constructor(options: RadioExchangeOptions) {
    this.options = options;
    const { tx, rx } = options;
    const { config } = tx;
    this.power =
      config.feedback === 'none'
        ? null
        : (options.power ?? powerOf(tx, rx.board ? rx.profile : null, snrAbove(options)));
    if (config.feedback !== 'same' && config.feedback !== 'none') {
      throw new UsageError(
        `--feedback ${config.feedback}: both ends are in this process, which knows what is heard without it`,
        `give same or none; for answers ${config.feedback === 'burst' ? 'over the air' : 'over a network'} run "sct receive --from ${rx.name}" and "sct send --to ${tx.name}" side by side, each with this --feedback`,
      );
    }
    const setup = { ...tx.setup, codec: new RehearsedCodec(tx.setup.codec) };
    this.transmitter = sendingEnd(config, setup, { ackTimeoutS: ACK_TIMEOUT_S });
    this.knowledge = setup.knowledge ? new SessionKnowledge(setup.knowledge, this.transmitter.options.session) : null;
    this.chain = receivingEnd(rx.config, rx.setup);
    this.level = new BurstLevel(rx.setup.frontend.deviceRateHz);
    this.feedback =
      config.feedback === 'none'
        ? new NoFeedback()
        : new LocalFeedback({ random: new RandomStream(config.seed).fork('feedback') });
  }

  get clippedSamples(): number {
    return (this.tx?.counters.clippedSamples ?? 0) + (this.rx?.counters.clippedSamples ?? 0);
  }

  /** LO of the receiver, Hz; undefined at baseband. */
  get frequencyHz(): number | undefined {
    return this.rx?.settings.frequencyHz || undefined;
  }

  /** Looks at the picture before the streams are open: nothing is lost while models are loaded. */
  async open(image?: RgbImage): Promise<void> {
    const { options, chain, feedback, knowledge, transmitter } = this;
    const { rx: rxEnd, signal } = options;
    const txEnd = this.power ? withGains(options.tx, this.power.gainsDb) : options.tx;
    if (txEnd.board) transmitGuard().watch(signal);
    this.radios = options.radios ?? (await openRadios(txEnd, rxEnd));
    this.boards = { tx: boardFacts(this.radios.tx), rx: boardFacts(this.radios.rx) };
    if (image) await rehearse(transmitter, image, this.budgetOf(image));
    const sending = await this.radios.tx.openTx(txEnd.request);
    this.tx = permittedTx(txEnd, rxEnd.board ? rxEnd.profile : null, sending);
    this.rx = await this.radios.rx.openRx(rxEnd.request);
    this.files = await options.captures(this.tx, this.rx);
    const { files } = this;
    const tx = tapTx(this.tx, files.tx, false);
    const rx = tapRx(this.rx, files.rx);
    this.recorded = { tx, rx };
    this.listener = new Listener({
      chain,
      feedback,
      knowledge,
      timeOf: () => this.air.nowS,
      heard: (event) => {
        const trace = this.trace.add(event, chain);
        if (trace && event.type === 'burst') options.watch?.heard(event, trace, chain);
      },
    });
    this.keeper = rxEnd.ownGain && rx.setGains ? new GainKeeper(rx, this.radios.rx.capabilities.gains) : null;
    const receiver = new LiveReceiver({
      rx,
      signal,
      hear: (block) => {
        if (this.gainsOpen) {
          this.keeper?.hear(block);
          this.level.push(block);
        }
        options.watch?.block(block, chain);
        this.listener.push(block);
      },
    });
    this.receiver = receiver;
    const level = options.watch ? await levelOfEnd(rxEnd) : null;
    const thermometer = new Thermometer(this.radios.rx);
    options.watch?.reads(() => ({
      ...linkBudgetState(options, { tx, rx }, this.keeper?.gainsDb ?? rx.settings.gainsDb, level),
      clippedSamples: this.clippedSamples,
      recordedBytes: files.tx.bytes + files.rx.bytes,
      temperatureC: thermometer.celsius,
    }));
    const port = { chain: new TxChain(txEnd.setup.frontend, tx), tx };
    const air = new LiveAir({
      port: { ready: async () => port, done: async () => undefined },
      time: receiver,
      modemRateHz: txEnd.setup.frontend.modemRateHz,
      deviceRateHz: txEnd.setup.frontend.deviceRateHz,
      fill: !this.radios.tx.capabilities.realtime && !txEnd.board,
    });
    this.air = air;
    const { config } = txEnd;
    const exchange = this;
    this.sender = new SenderSession({
      transmitter,
      air,
      feedback,
      knowledge,
      signal,
      answers: config.feedback !== 'none',
      // Without a way back one sounding tells the receiver the channel.
      soundings: {
        count: config.feedback === 'none' ? 1 : config.soundings,
        everyS: config.soundingEveryMs / 1e3,
      },
      waitS: { report: WAIT_S, answers: config.feedback === 'none' ? TAIL_S : WAIT_S },
      get codingS() {
        return exchange.codingS;
      },
      ...(options.burst ? { burst: options.burst } : {}),
      ...(options.planned ? { planned: options.planned } : {}),
    });
  }

  /** Sets the gains, then measures the channel and sends. */
  async sendPicture(image: RgbImage): Promise<TransmissionPlan> {
    await this.prepare(image);
    await this.sender.measure();
    return this.sendWith(image);
  }

  /** What does not depend on the channel, and the gains; then the coding once more as these soundings tell it. */
  async prepare(image: RgbImage): Promise<void> {
    await this.setGain();
    // By the air's clock: a slow emulation's runs slower than this machine's, a file's stands still.
    this.codingS = await rehearse(this.transmitter, image, this.budgetOf(image), () => this.air.nowS);
  }

  private async setGain(): Promise<void> {
    const { sender, air, trace, keeper, power, level } = this;
    const setting = {
      sender,
      air,
      trace,
      keeper,
      level,
      inputDbm: (dbfs: number) => this.inputDbm(dbfs),
      ...this.recorded!,
    };
    this.gainsOpen = true;
    await this.options.snr?.open();
    await setGains({ ...setting, power });
    await this.options.snr?.settle({ sender, trace, air, regain: () => setGains({ ...setting, power: null }) });
    this.gainsOpen = false;
    trace.forGains = trace.bursts.length;
  }

  /** Level at the receiver's connector of what stands at its converter, dBm; null where its profile does not tell. */
  private inputDbm(dbfs: number): number | null {
    const fullScaleDbm = this.options.rx.profile.frontEnd.rxFullScaleDbm.value;
    if (!this.options.rx.board || fullScaleDbm === null) return null;
    const gainsDb = this.keeper?.gainsDb ?? this.rx!.settings.gainsDb;
    return dbfs + fullScaleDbm - Object.values(gainsDb).reduce((sum, gainDb) => sum + gainDb, 0);
  }

  /** Soundings alone, one each period. */
  async sound(count: number, periodS: number, stop: () => boolean): Promise<void> {
    await this.setGain();
    await this.sender.sound(count, periodS, stop);
    const before = this.trace.bursts.length;
    await this.air.pass(WAIT_S / 2, () => this.trace.bursts.length >= before + count);
  }

  /** Measures the channel anew. */
  measure(): Promise<void> {
    return this.sender.measure();
  }

  /** Sends a picture by the latest report. */
  sendWith(image: RgbImage, policy: Parameters<SenderSession['sendWith']>[2] = {}): Promise<TransmissionPlan> {
    return this.sender.sendWith(image, this.budgetOf(image), policy);
  }

  /** By what right the transmitter sends with the gain that it has now. */
  private get permission(): TransmitPermission | null {
    const { tx, rx, permission } = this.options;
    if (!this.power || !permission) return permission;
    return permissionOf(withGains(tx, this.power.gainsDb), rx.board ? rx.profile : null);
  }

  deviceFacts(): { [key: string]: Json } {
    const { tx, rx, options, codingS, air } = this;
    const stream = (s: RxStream | TxStream | null) =>
      s ? { ...s.settings, gainsDb: { ...s.settings.gainsDb } } : null;
    return {
      tx: { uri: options.tx.name, board: this.boards.tx, settings: stream(tx) },
      rx: {
        uri: options.rx.name,
        board: this.boards.rx,
        settings: stream(rx),
        ...(this.keeper ? { gainsDb: this.keeper.gainsDb } : {}),
      },
      permission: this.permission ? describePermission(this.permission) : null,
      power: this.power ? { ...this.power.facts() } : null,
      ...(options.snr ? { attenuator: { ...options.snr.facts() } as Json } : {}),
      soundingsForGains: this.trace.forGains,
      codingS,
      sent: (air?.sent ?? []).map((b) => ({ ...b })),
    };
  }

  warnings(): string[] {
    const underruns = this.tx?.counters.underruns ?? 0;
    const out =
      underruns > 0
        ? [`the transmitter ran out of samples ${underruns === 1 ? 'once' : `${underruns} times`} inside a burst`]
        : [];
    for (const stream of [this.tx, this.rx]) if (stream?.warning) out.push(stream.warning);
    const { tx } = this.options;
    if (!this.power && tx.board && tx.config.txGainDb === undefined) out.push(STAYS_LOW);
    return out;
  }

  notes(): string[] {
    const setting = this.options.snr?.facts();
    return [
      ...(setting ? [describeSnrSetting(setting)] : []),
      ...(this.power ? [describePower(this.power.facts())] : []),
    ];
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    try {
      if (!this.options.signal.aborted) await this.air?.pass(TAIL_S);
      await this.tx?.close();
      await this.receiver?.close();
      this.listener?.flush();
      this.trace.markLosses(this.chain);
      if (this.files && this.air) annotateSent(this.files.tx, this.air.sent);
    } finally {
      await this.tx?.close().catch(() => undefined);
      await this.radios?.tx.close();
      await this.radios?.rx.close();
    }
  }

  private budgetOf(image: RgbImage): number {
    return this.options.budgetRe ?? budgetOf(this.options.tx.config, image.width * image.height);
  }
}

/** The SNR that power has to bring: what an attenuator then takes away, and a little more. */
function snrAbove({ snr }: RadioExchangeOptions): number {
  return snr ? snr.wantedSnrDb + SPARE_SNR_DB : 0;
}
