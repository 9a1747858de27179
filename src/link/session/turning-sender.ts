import { FormatError } from '../../common/errors.ts';
import { EXTENSION_RATES, EXTENSION_UNIT_BYTES } from '../../phy/frame/header.ts';
import type { Frontend } from '../../phy/frontend/frontend.ts';
import type { Numerology } from '../../phy/numerology.ts';
import { burstLayout, extensionSymbols } from '../../phy/resource-grid.ts';
import type { Radio, StreamRequest, TxStream } from '../../radio/radio.ts';
import { addBurst, emptyBudget } from '../accounting.ts';
import { RxChain, TxChain } from '../chains.ts';
import { type LinkEvent, Receiver } from '../receiver.ts';
import type { FeedbackChannel } from '../reverse/feedback.ts';
import { unpackMessages } from '../reverse/reverse-burst.ts';
import type { TransmitPort } from './live-air.ts';
import { LiveReceiver } from './live-receiver.ts';
import { checkAborted, type SessionTime } from './session-time.ts';

/** Messages that nobody has taken yet; the oldest go first. */
const MOST_WAITING = 256;

export interface TurningSenderOptions {
  readonly radio: Radio;
  readonly rx: StreamRequest;
  readonly tx: StreamRequest;
  readonly numerology: Numerology;
  readonly frontend: Frontend;
  /** Answers to other sessions are not ours. */
  readonly session: number;
  readonly signal?: AbortSignal;
  /** Sees the transmitter each time that it is opened, to record it. */
  tap?(tx: TxStream): TxStream;
}

/**
 * A sender whose answers come over the air: it transmits, turns around and listens for reverse bursts, and is the session's clock by the samples of
 * what it sends and hears.
 */
export class TurningSender implements TransmitPort, SessionTime, FeedbackChannel {
  /** Reverse bursts understood, and those that made no sense. */
  readonly counters = { heard: 0, refused: 0 };
  private readonly budget = emptyBudget();
  private readonly options: TurningSenderOptions;
  private readonly messages: Uint8Array[] = [];
  private tx: TxStream | null = null;
  private sent = 0;
  private receiver: LiveReceiver | null = null;
  /** Session time at which the receiver that runs now began. */
  private beganS = 0;

  constructor(options: TurningSenderOptions) {
    this.options = options;
  }

  /** RE of the reverse bursts that were understood, everything in them; those that nobody heard are not known here. */
  get reverseRe(): number {
    return this.budget.reverse;
  }

  get nowS(): number {
    return this.beganS + (this.receiver?.nowS ?? 0);
  }

  async ready(): Promise<{ readonly chain: TxChain; readonly tx: TxStream }> {
    const { radio, tx: request, frontend, tap } = this.options;
    await this.deafen();
    const opened = await radio.openTx(request);
    this.tx = tap ? tap(opened) : opened;
    this.sent = opened.counters.samples;
    return { chain: new TxChain(frontend, this.tx), tx: this.tx };
  }

  async done(): Promise<void> {
    const { tx } = this;
    if (!tx) return;
    this.tx = null;
    this.beganS += (tx.counters.samples - this.sent) / this.options.frontend.deviceRateHz;
    await tx.close();
    await this.listen();
  }

  until(timeS: number, enough?: () => boolean): Promise<void> {
    checkAborted(this.options.signal);
    const { receiver, beganS } = this;
    if (!receiver) return Promise.resolve();
    return receiver.until(timeS - beganS, enough);
  }

  nudge(): void {
    this.receiver?.nudge();
  }

  /** A sender says nothing on the way back. */
  send(): void {}

  receive(): Uint8Array[] {
    return this.messages.splice(0);
  }

  async close(): Promise<void> {
    await this.tx?.close();
    await this.deafen().catch(() => undefined);
  }

  describe(): string {
    return `feedback by reverse bursts over the air (${this.counters.heard} heard)`;
  }

  private async listen(): Promise<void> {
    const { radio, rx: request, numerology, frontend, signal } = this.options;
    const rx = await radio.openRx(request);
    const chain = new RxChain(frontend, new Receiver({ numerology, codecs: [] }));
    this.receiver = new LiveReceiver({
      rx,
      ...(signal ? { signal } : {}),
      fromFirst: true,
      hear: (block) => {
        for (const event of chain.push(block)) this.take(event);
      },
    });
  }

  private async deafen(): Promise<void> {
    const { receiver } = this;
    if (!receiver) return;
    this.beganS += receiver.nowS;
    this.receiver = null;
    await receiver.close();
  }

  private take(event: LinkEvent): void {
    if (event.type !== 'burst' || event.use !== 'reverse') return;
    const { header, extension } = event.record;
    if (header.session !== this.options.session || !extension) return;
    try {
      this.messages.push(...unpackMessages(extension));
      this.messages.splice(0, Math.max(0, this.messages.length - MOST_WAITING));
      this.counters.heard++;
      const { numerology: n } = this.options;
      const bytes = header.extensionUnits * EXTENSION_UNIT_BYTES;
      const symbols = extensionSymbols(n, bytes, EXTENSION_RATES[header.extensionMcs]);
      addBurst(this.budget, n, burstLayout(n, header.slots, symbols), 'reverse', 0);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.counters.refused++;
    }
  }
}
