/** Messages that wait at most; of more the oldest is the least worth. */
const MOST_WAITING = 256;

/** Messages of a way back, in order: the oldest makes room for the newest and is counted. */
export class MessageQueue {
  private readonly waiting: Uint8Array[] = [];
  private readonly counters: { dropped: number };

  constructor(counters: { dropped: number }) {
    this.counters = counters;
  }

  /** The message is kept, not copied. */
  push(message: Uint8Array): void {
    this.waiting.push(message);
    if (this.waiting.length <= MOST_WAITING) return;
    this.waiting.shift();
    this.counters.dropped++;
  }

  /** All that wait, oldest first; none waits any more. */
  takeAll(): Uint8Array[] {
    return this.waiting.splice(0);
  }
}
