import type { SampleBlock } from '../../radio/radio.ts';
import type { RxChain } from '../chains.ts';
import type { BurstEvent, LinkEvent } from '../receiver.ts';
import type { FeedbackChannel } from '../reverse/feedback.ts';
import { encodeAckMessage, encodeCsiMessage } from '../reverse/reverse-messages.ts';

/** Messages that say what a receiver holds. */
export interface ReceiverKnowledge {
  /** Those that go back with the first report of a session; none later. */
  announce(session: number): readonly Uint8Array[];
}

export interface ListenerOptions {
  readonly chain: RxChain;
  readonly feedback: FeedbackChannel;
  readonly knowledge: ReceiverKnowledge | null;
  /** When the answer to a burst leaves, s of the feedback channel's clock. */
  timeOf(event: BurstEvent): number;
  /** Called for everything that is heard, before it is answered. */
  heard?(event: LinkEvent): void;
}

/** The receiving end of a session: what it hears goes to a log, and its answers back to the sender. */
export class Listener {
  readonly chain: RxChain;
  private readonly options: ListenerOptions;

  constructor(options: ListenerOptions) {
    this.options = options;
    this.chain = options.chain;
  }

  push(block: SampleBlock): void {
    for (const event of this.chain.push(block)) this.take(event);
  }

  /** The stream ended or broke. */
  flush(): void {
    for (const event of this.chain.flush()) this.take(event);
  }

  private take(event: LinkEvent): void {
    const { feedback, knowledge, heard } = this.options;
    heard?.(event);
    if (event.type !== 'burst' || event.use === 'reverse') return;
    const nowS = this.options.timeOf(event);
    for (const message of answersTo(event, knowledge)) feedback.send(message, nowS);
  }
}

/** What goes back for a burst: a sounding's report, once a session what is held, a data burst's acknowledgement. */
export function* answersTo(event: BurstEvent, knowledge: ReceiverKnowledge | null): Generator<Uint8Array> {
  if (event.use === 'sounding') yield encodeCsiMessage(event.csi);
  yield* knowledge?.announce(event.record.header.session) ?? [];
  if (event.ack) yield encodeAckMessage(event.ack);
}
