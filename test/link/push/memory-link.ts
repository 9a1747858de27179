import { DeviceError } from '../../../src/common/errors.ts';
import type { PushLink } from '../../../src/link/push/push-link.ts';

/** Two ends of a link in memory; it breaks once `breakAfter` messages have gone from the first end to the second. */
export function linkPair(breakAfter = Number.POSITIVE_INFINITY): { a: MemoryLink; b: MemoryLink } {
  const a = new MemoryLink();
  const b = new MemoryLink();
  a.other = b;
  b.other = a;
  a.room = breakAfter;
  return { a, b };
}

export class MemoryLink implements PushLink {
  other!: MemoryLink;
  room = Number.POSITIVE_INFINITY;
  left = false;
  private readonly queue: Uint8Array[] = [];
  private waiting: ((message: Uint8Array | null) => void) | null = null;
  private ended = false;

  async send(message: Uint8Array): Promise<void> {
    if (this.ended) throw new DeviceError('the connection is gone');
    if (this.room-- <= 0) {
      this.end();
      throw new DeviceError('the connection is gone');
    }
    this.other.arrive(message.slice());
  }

  receive(): Promise<Uint8Array | null> {
    const message = this.queue.shift();
    if (message) return Promise.resolve(message);
    if (this.ended) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.waiting = resolve;
    });
  }

  async close(): Promise<void> {
    if (!this.ended) this.other.left = true;
    this.end();
  }

  describe(): string {
    return 'memory';
  }

  private arrive(message: Uint8Array): void {
    if (this.waiting) {
      this.waiting(message);
      this.waiting = null;
    } else this.queue.push(message);
  }

  /** As a cable does it that is cut. */
  break(): void {
    this.end();
  }

  private end(): void {
    for (const link of [this, this.other]) {
      link.ended = true;
      link.waiting?.(null);
      link.waiting = null;
    }
  }
}
