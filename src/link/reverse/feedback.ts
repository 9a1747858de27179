import { inRange } from '../../common/errors.ts';
import type { RandomStream } from '../../common/random.ts';

/**
 * The way back from receiver to transmitter for CSI reports and acknowledgements. Time is the caller's (simulated or
 * real), in seconds; a message sent at t can be received from t + latency on, unless it is lost.
 */
export interface FeedbackChannel {
  send(message: Uint8Array, nowS: number): void;
  /** Messages that have arrived by now, oldest first. */
  receive(nowS: number): Uint8Array[];
  describe(): string;
}

/** Both ends in one process: a queue with latency and loss. */
export class LocalFeedback implements FeedbackChannel {
  private readonly queue: { due: number; message: Uint8Array }[] = [];
  private readonly latencyS: number;
  private readonly loss: number;
  private readonly random: RandomStream;
  /** Bytes sent back so far. */
  sentBytes = 0;

  constructor(options: { latencyS?: number; loss?: number; random: RandomStream }) {
    this.latencyS = inRange('feedback latency', options.latencyS ?? 0, 0, 10, 's');
    this.loss = inRange('feedback loss', options.loss ?? 0, 0, 1);
    this.random = options.random;
  }

  send(message: Uint8Array, nowS: number): void {
    this.sentBytes += message.length;
    if (this.random.uniform() < this.loss) return;
    this.queue.push({ due: nowS + this.latencyS, message: message.slice() });
  }

  receive(nowS: number): Uint8Array[] {
    const arrived: Uint8Array[] = [];
    while (this.queue.length > 0 && this.queue[0].due <= nowS) arrived.push(this.queue.shift()!.message);
    return arrived;
  }

  describe(): string {
    return `feedback in process, latency ${1e3 * this.latencyS} ms, loss ${this.loss}`;
  }
}

/** No way back: the transmitter never learns anything. */
export class NoFeedback implements FeedbackChannel {
  send(): void {}
  receive(): Uint8Array[] {
    return [];
  }
  describe(): string {
    return 'no feedback';
  }
}
