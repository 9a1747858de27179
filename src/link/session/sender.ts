import { ExitCode, SctError } from '../../common/errors.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import { MAX_PROCESSES } from '../harq/processes.ts';
import type { FeedbackChannel } from '../reverse/feedback.ts';
import type { KnowledgePiece } from '../reverse/knowledge-pieces.ts';
import type { CsiReport } from '../reverse/reverse-messages.ts';
import type { SendPolicy, TransmissionPlan, TransmitBurst, Transmitter } from '../transmitter.ts';
import type { CodecChange } from '../transmitter-options.ts';
import type { Air, Spacing } from './air.ts';

/** What a sender is told that the receiver holds, and makes of it. */
export interface SenderKnowledge {
  take(piece: KnowledgePiece): void;
  /** Reference pictures that may be named, by the first 32 bits of their hashes; throws where nothing can be sent. */
  agree(): readonly number[];
  sent(settings: TransmissionPlan['settings']): void;
  /** Another model set, by what the receiver holds; null to stay with the one in use. Default: always that. */
  settle?(): Promise<CodecChange | null>;
}

export interface SenderOptions {
  readonly transmitter: Transmitter;
  readonly air: Air;
  readonly feedback: FeedbackChannel;
  readonly knowledge: SenderKnowledge | null;
  /** False: there is no way back, so nothing is waited for. */
  readonly answers: boolean;
  /** Sounding bursts before a picture; 0 for none. */
  readonly soundings: { readonly count: number; readonly everyS: number };
  /** How long is waited: for a report after the soundings, and for answers after bursts of a picture, s. */
  readonly waitS: { readonly report: number; readonly answers: number };
  /** Another model set has been taken: it is made ready before the channel is measured again. */
  changed?(): Promise<void>;
  /** Time that a picture's coding takes before its first burst can be on the air, s: so much older a report is when it is used. */
  readonly codingS?: number;
  /** A burst is on the air. */
  burst?(use: TransmitBurst['use']): void;
  /** A picture is coded; its bursts follow. */
  planned?(plan: TransmissionPlan): void;
  /** Called when a window of bursts has been answered and after every repetition; true: nothing more is repeated. */
  round?(): boolean | Promise<boolean>;
  /** Aborted: nothing more is sent. */
  readonly signal?: AbortSignal;
}

/** Added to a wait, s, so that what is due exactly then has come. */
const MOMENT_S = 1e-6;

/**
 * The sending end of a session, whatever the air: soundings, the report, the picture's bursts, answers, repetitions. The same
 * code sends in simulated time and by radio.
 */
export class SenderSession {
  /** When each burst was on the air, s: what a CSI report's age counts from. */
  readonly sentAtS = new Map<number, number>();
  private readonly options: SenderOptions;
  /** Burst that the latest report was measured on; null before the first. */
  private reported: number | null = null;
  private latest: CsiReport | null = null;

  constructor(options: SenderOptions) {
    this.options = options;
  }

  /** Sends one picture, with sounding bursts first where there is a way back. */
  async sendPicture(image: RgbImage, budgetRe: number): Promise<TransmissionPlan> {
    await this.measure();
    await this.settleKnowledge();
    return this.sendWith(image, budgetRe);
  }

  /** Takes the model set that both ends agree on. Loading takes time, so the channel is measured again: its report is too old. */
  private async settleKnowledge(): Promise<void> {
    const { knowledge, transmitter } = this.options;
    const change = await knowledge?.settle?.();
    if (!change) return;
    transmitter.change(change);
    await this.options.changed?.();
    await this.measure();
  }

  /** Soundings, and the wait for the report that they bring. */
  async measure(): Promise<void> {
    const { answers, air, soundings, waitS, transmitter } = this.options;
    if (soundings.count === 0) return;
    let last = -1;
    const train = function* () {
      for (let i = 0; i < soundings.count; i++) {
        const burst = transmitter.sounding();
        last = burst.burst;
        yield burst;
      }
    };
    await this.send(train(), { kind: 'grid', everyS: soundings.everyS });
    if (!answers) return;
    await air.pass(waitS.report, () => {
      this.listen();
      return this.reported === last;
    });
    this.listen();
  }

  /** One sounding, by which gains are set; waits at most `seconds` until the burst of this number was `heard`. */
  async soundOnce(seconds: number, heard: (burst: number) => boolean): Promise<void> {
    const sounding = this.options.transmitter.sounding();
    await this.send([sounding], { kind: 'close' });
    await this.options.air.pass(seconds, () => {
      this.listen();
      return heard(sounding.burst);
    });
    this.listen();
  }

  /** One sounding, by whose report the power is set; its report, or null where none came within `seconds`. */
  async soundForReport(seconds: number): Promise<CsiReport | null> {
    let number = -1;
    await this.soundOnce(seconds, (burst) => {
      number = burst;
      return this.latest?.burst === burst;
    });
    return this.latest?.burst === number ? this.latest : null;
  }

  /**
   * Sends one picture by the latest report, and repeats what is asked for.
   *
   * @param policy another mapping than the transmitter's own, for comparisons on one report
   */
  async sendWith(image: RgbImage, budgetRe: number, policy: SendPolicy = {}): Promise<TransmissionPlan> {
    const { transmitter, air, knowledge, codingS = 0 } = this.options;
    const plan = await transmitter.send(image, budgetRe, air.nowS + codingS, knowledge?.agree(), policy);
    knowledge?.sent(plan.settings);
    this.options.planned?.(plan);
    // More parts than processes: a window of them is settled before the next takes over its processes.
    for (let first = 0; first < plan.bursts.length; first += MAX_PROCESSES) {
      await this.send(plan.bursts.slice(first, first + MAX_PROCESSES), { kind: 'close' });
      await this.settle();
    }
    return plan;
  }

  /** Sends `count` sounding bursts, one each period, and waits for nothing. */
  sound(count: number, periodS: number, stop: () => boolean): Promise<void> {
    const { transmitter } = this.options;
    const bursts = function* () {
      for (let i = 0; i < count && !stop(); i++) yield transmitter.sounding();
    };
    return this.send(bursts(), { kind: 'period', everyS: periodS });
  }

  /** Repeats what is not acknowledged until every process is done or given up; each waits for at most its timeout. */
  private async settle(): Promise<void> {
    const { transmitter, air, answers, waitS, round } = this.options;
    const answered = (): boolean => {
      this.listen();
      return transmitter.harq.nextDueS === null;
    };
    for (;;) {
      // The receiver needs the end of the burst, the acknowledgement its time.
      await air.pass(waitS.answers, answers ? answered : undefined);
      this.listen();
      if (await round?.()) return;
      if (!answers) return;
      let repeats = transmitter.repeat(air.nowS);
      while (repeats.length === 0) {
        const dueS = transmitter.harq.nextDueS;
        if (dueS === null) return;
        await air.pass(Math.max(0, dueS - air.nowS) + MOMENT_S, answered);
        this.listen();
        repeats = transmitter.repeat(air.nowS);
      }
      await this.send(repeats, { kind: 'close' });
    }
  }

  private send(bursts: Iterable<TransmitBurst>, spacing: Spacing): Promise<void> {
    const { transmitter, air, burst: told, signal } = this.options;
    const allowed = function* () {
      for (const burst of bursts) {
        if (signal?.aborted) throw new SctError('interrupted: the transmitter is off', ExitCode.interrupted);
        yield burst;
      }
    };
    return air.send(allowed(), spacing, (burst, endS) => {
      this.sentAtS.set(burst.burst, endS);
      transmitter.onAir(burst.burst, endS);
      told?.(burst.use);
    });
  }

  /** Takes what has come back. */
  private listen(): void {
    const { transmitter, air, feedback, knowledge } = this.options;
    for (const bytes of feedback.receive(air.nowS)) {
      const message = transmitter.harq.read(bytes);
      if (message === null) continue;
      if (message.type === 'ack') transmitter.takeAck(message.ack);
      else if (message.type === 'knowledge') knowledge?.take(message.piece);
      else {
        const { report } = message;
        transmitter.takeReport(report, this.sentAtS.get(report.burst) ?? air.nowS);
        this.reported = report.burst;
        this.latest = report;
      }
    }
  }
}
