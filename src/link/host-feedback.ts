import type { ClockEstimate } from './clock-offset.ts';
import type { SocketCounters, SocketFeedbackOptions } from './feedback-socket.ts';
import type { FeedbackChannel } from './reverse/feedback.ts';

/** What both ends of a way back between two hosts are given: the token that they share, and whom to tell. */
export type HostFeedbackOptions = SocketFeedbackOptions;

/**
 * A way back between two hosts, by whatever carries it (a WebSocket, a NATS server). Both ends prove that they hold one token, and every
 * message is sealed (feedback-auth.ts).
 */
export interface HostFeedback extends FeedbackChannel {
  readonly counters: Readonly<SocketCounters>;
  /** Where it listens, or connects to. */
  readonly url: string;
  /** Whether a peer is there that holds the token. */
  readonly connected: boolean;
  /** The peer's clock less this host's; null before the first exchange with it. */
  clock(): ClockEstimate | null;
  send(message: Uint8Array): void;
  receive(): Uint8Array[];
  /** What was said last still gets there, if the peer does. */
  close(): Promise<void>;
}
