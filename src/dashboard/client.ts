import type { WebSocket } from 'ws';
import type { Access } from './access.ts';
import type { Frame, Topic } from './frames.ts';
import { stateKey } from './snapshot.ts';

/** A client that has so much on its way is given nothing more until it has taken it, bytes. */
const MOST_ON_ITS_WAY = 512 * 1024;
/** How much waits for a slow client: of topics whose frames are states the latest, of others the latest so many. */
const MOST_WAITING: Readonly<Record<Topic, number>> = {
  run: 1,
  status: 1,
  spectrum: 1,
  burst: 20,
  source: 1,
  sfvs: 1,
  picture: 2,
  loss: 50,
  replay: 1,
  overview: 1,
  log: 50,
};

/**
 * One page that watches. Frames go to it as fast as it takes them; of what it cannot take the latest is kept for it, topic by topic, and the
 * rest is skipped and counted. Nothing waits for it.
 */
export class Client {
  readonly access: Access;
  /** Frames that it was not given. */
  skipped = 0;
  sentFrames = 0;
  /** The last ping was answered. */
  alive = true;
  private readonly socket: WebSocket;
  private readonly waiting = new Map<Topic, { key: string | null; bytes: Uint8Array }[]>();
  private flushing = false;

  constructor(socket: WebSocket, access: Access) {
    this.socket = socket;
    this.access = access;
  }

  /** A frame for it, now or when it has taken what is on its way. */
  give(frame: Frame, bytes: Uint8Array): void {
    if (this.waiting.size === 0 && this.socket.bufferedAmount < MOST_ON_ITS_WAY) {
      this.send(bytes);
      return;
    }
    const queue = this.waiting.get(frame.topic) ?? [];
    this.waiting.set(frame.topic, queue);
    const key = stateKey(frame);
    const same = key === null ? -1 : queue.findIndex((w) => w.key === key);
    if (same >= 0) {
      queue.splice(same, 1);
      this.skipped++;
    }
    queue.push({ key, bytes });
    if (queue.length > MOST_WAITING[frame.topic]) {
      queue.shift();
      this.skipped++;
    }
    this.flush();
  }

  /** Everything at once: what a client is given when it comes. */
  giveAll(frames: readonly Uint8Array[]): void {
    for (const bytes of frames) this.send(bytes);
  }

  /** An answer or a message of the server; these are small and rare. */
  say(message: object): void {
    if (this.socket.readyState === this.socket.OPEN) this.socket.send(JSON.stringify(message));
  }

  ping(): void {
    this.alive = false;
    this.socket.ping();
  }

  end(code = 1001, reason = ''): void {
    this.socket.close(code, reason);
  }

  kill(): void {
    this.socket.terminate();
  }

  /** Of memory that is held for it, bytes. */
  get heldBytes(): number {
    let held = this.socket.bufferedAmount;
    for (const queue of this.waiting.values()) for (const { bytes } of queue) held += bytes.length;
    return held;
  }

  private send(bytes: Uint8Array): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    this.sentFrames++;
    this.socket.send(bytes, { binary: true }, () => this.flush());
  }

  /** Gives what waits, as far as there is room. */
  private flush(): void {
    if (this.flushing) return;
    this.flushing = true;
    for (const [topic, queue] of this.waiting) {
      while (queue.length > 0 && this.socket.bufferedAmount < MOST_ON_ITS_WAY) this.send(queue.shift()!.bytes);
      if (queue.length > 0) break;
      this.waiting.delete(topic);
    }
    this.flushing = false;
  }
}
