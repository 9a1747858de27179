import type { Frontend } from '../../phy/frontend/frontend.ts';
import type { Numerology } from '../../phy/numerology.ts';
import {
  blockLength,
  newRxCounters,
  type Radio,
  type RxCounters,
  type RxStream,
  type SampleBlock,
  type StreamEnd,
  type StreamRequest,
  type StreamSettings,
  type TxStream,
} from '../../radio/radio.ts';
import { TxChain } from '../chains.ts';
import { ReverseTransmitter } from '../reverse/reverse-burst.ts';
import { StreamClock, wallClockS } from './stream-clock.ts';

/** Silence after which a sender is taken to listen, s of the stream: longer than from one sounding to the next. */
const QUIET_S = 40e-3;
/** Silence before a reverse burst and between two, s: a sender that turns around needs its time. */
const TURN_S = 10e-3;
const GAP_S = 0.5e-3;

export interface TurningReceiverOptions {
  readonly radio: Radio;
  readonly rx: StreamRequest;
  /** Asked each time that the transmitter is opened. */
  readonly tx: StreamRequest;
  readonly numerology: Numerology;
  readonly frontend: Frontend;
  /** Stands between the program and the transmitter each time that it is opened. */
  tap?(tx: TxStream): TxStream;
}

/**
 * A receiver that answers over the air: when nothing more comes it sends what it has to say as reverse bursts and listens again. One stream
 * to its reader: sample indices go on by the clock while a half-duplex radio sends, and the gap is marked as such.
 */
export class TurningReceiver implements RxStream {
  readonly counters: RxCounters = newRxCounters();
  private readonly options: TurningReceiverOptions;
  private readonly reverse: ReverseTransmitter;
  private readonly clock: StreamClock;
  private rx: RxStream;
  private waiting: { readonly session: number; readonly message: Uint8Array }[] = [];
  /** Index behind the last sample delivered; the stream's index + shift is the reader's. */
  private next: number | null = null;
  private shift = 0;
  private quietAt = Number.POSITIVE_INFINITY;
  private done = false;
  private request: StreamRequest;
  /** Holds for the streams after the next turn as well. */
  readonly setGains?: NonNullable<RxStream['setGains']>;
  /** Bursts sent back. */
  sent = 0;

  private constructor(options: TurningReceiverOptions, rx: RxStream) {
    this.options = options;
    this.rx = rx;
    this.request = options.rx;
    if (rx.setGains) {
      this.setGains = async (gainsDb) => {
        const set = await this.rx.setGains!(gainsDb);
        this.request = { ...this.request, gainsDb: set };
        return set;
      };
    }
    this.reverse = new ReverseTransmitter(options.numerology);
    this.clock = new StreamClock(rx.settings.rateHz, wallClockS);
  }

  static async open(options: TurningReceiverOptions): Promise<TurningReceiver> {
    return new TurningReceiver(options, await options.radio.openRx(options.rx));
  }

  get settings(): StreamSettings {
    return this.rx.settings;
  }

  get ended(): StreamEnd | null {
    return this.done ? (this.rx.ended ?? 'closed') : null;
  }

  get warning(): string | null {
    return this.rx.warning ?? null;
  }

  /** To be sent when the sender is quiet; what has just been heard moves that moment. */
  answer(session: number, messages: Iterable<Uint8Array>): void {
    for (const message of messages) this.waiting.push({ session, message });
    this.quietAt = (this.next ?? 0) + QUIET_S * this.settings.rateHz;
  }

  /** Whether everything has been said. */
  get idle(): boolean {
    return this.waiting.length === 0;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SampleBlock> {
    try {
      while (!this.done) {
        for await (const block of this.rx) {
          yield this.rebased(block);
          if (this.waiting.length > 0 && this.next! >= this.quietAt) break;
        }
        if (this.done || (this.rx.ended !== null && this.rx.ended !== 'closed')) return;
        await this.turn();
      }
    } finally {
      await this.close();
    }
  }

  async close(): Promise<void> {
    this.done = true;
    await this.rx.close();
  }

  describe(): string {
    return `${this.rx.describe()}, answering over the air`;
  }

  private rebased(block: SampleBlock): SampleBlock {
    const length = blockLength(block);
    const { rateHz } = this.settings;
    let { lostBefore } = block;
    if (this.next === null) this.next = block.index;
    const jumps = block.index + this.shift !== this.next + (lostBefore?.min ?? 0);
    if (jumps) {
      // The first block of a stream that was opened anew: where it stands the clock says.
      const index = Math.max(this.next + 1, Math.round(this.clock.nowS * rateHz) - length);
      this.shift = index - block.index;
      const gap = index - this.next;
      lostBefore = { deaf: true, min: gap, max: gap, exact: true, from: this.next, to: index };
    }
    const index = block.index + this.shift;
    if (lostBefore && !jumps) {
      lostBefore = { ...lostBefore, from: lostBefore.from + this.shift, to: lostBefore.to + this.shift };
    }
    this.next = index + length;
    this.clock.observe(this.next);
    this.counters.samples += length;
    this.counters.clippedSamples = this.rx.counters.clippedSamples;
    return { ...block, index, lostBefore };
  }

  /** Sends what waits, and listens again. */
  private async turn(): Promise<void> {
    const { radio, tx: request, frontend, tap } = this.options;
    await this.rx.close();
    const waiting = this.waiting.splice(0);
    this.quietAt = Number.POSITIVE_INFINITY;
    const session = waiting.at(-1)!.session;
    const bursts = this.reverse.bursts(
      session,
      waiting.filter((w) => w.session === session).map((w) => w.message),
    );
    const opened = await radio.openTx(request);
    const tx = tap ? tap(opened) : opened;
    try {
      const lead = Math.round(TURN_S * frontend.modemRateHz);
      const gap = Math.round(GAP_S * frontend.modemRateHz);
      const samples = bursts.reduce((sum, b) => sum + b.length / 2 + gap, lead);
      const run = new Float32Array(2 * samples);
      let at = lead;
      for (const burst of bursts) {
        run.set(burst, 2 * at);
        at += burst.length / 2 + gap;
      }
      await new TxChain(frontend, tx).send(run);
      await tx.drain();
      this.sent += bursts.length;
    } finally {
      await tx.close();
    }
    if (!this.done) this.rx = await radio.openRx(this.request);
  }
}
