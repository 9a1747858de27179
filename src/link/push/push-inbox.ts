import { FormatError } from '../../common/errors.ts';
import { CHUNK_BYTES, WINDOW_BYTES } from './push-messages.ts';

/** Messages that came and nobody has taken: a peer sends no more than one span that was asked for. */
const MOST_QUEUED = WINDOW_BYTES / CHUNK_BYTES + 8;

/** What has come over a connection of a push and waits to be taken, one reader at a time. */
export class PushInbox {
  private readonly queue: Uint8Array[] = [];
  private waiting: ((message: Uint8Array | null) => void) | null = null;
  private over = false;

  get ended(): boolean {
    return this.over;
  }

  /** FormatError where more comes than anybody asked for. */
  put(message: Uint8Array): void {
    if (this.waiting) {
      this.waiting(message);
      this.waiting = null;
    } else if (this.queue.length >= MOST_QUEUED) throw new FormatError('frame', 'more than was asked for');
    else this.queue.push(message);
  }

  /** The next message, waiting for it; null once the connection has ended and nothing is left. */
  take(): Promise<Uint8Array | null> {
    const message = this.queue.shift();
    if (message) return Promise.resolve(message);
    if (this.over) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.waiting = resolve;
    });
  }

  /** Nothing more comes. */
  end(): void {
    this.over = true;
    this.waiting?.(null);
    this.waiting = null;
  }
}
