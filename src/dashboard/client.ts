import type { WebSocket } from 'ws';
import type { Access } from './access.ts';
import type { Frame, Topic } from './frames.ts';
import { stateKey } from './snapshot.ts';

/** A client that has so much on its way is given nothing more until it has taken it, bytes. */
const MOST_ON_ITS_WAY = 512 * 1024;
const BINARY = { binary: true } as const;
/** How much waits for a slow client: of topics whose frames are states the latest, of others the latest so many. */
const MOST_WAITING: Readonly<Record<Topic, number>> = {
  run: 1,
  status: 1,
  spectrum: 1,
  burst: 20,
  source: 1,
  sfvs: 1,
  picture: 2,
  video: 2,
  loss: 50,
  replay: 1,
  overview: 1,
  log: 50,
};

/** In this order what waits makes sense: the run first, a picture before what became of it. */
const ORDER = Object.keys(MOST_WAITING) as readonly Topic[];

/** So many answers and messages may be on their way; a page that asks and does not listen is ended. */
const MOST_ANSWERS = 500;
/** What a page sends in a second, at most: messages of any kind, and bytes. */
const MOST_MESSAGES_PER_S = 50;
const MOST_BYTES_PER_S = 1 << 18;
/** Who has not taken all that waits for so long may lose its place, ms. */
const STALLED_MS = 5000;

/**
 * One page that watches. Frames go to it as fast as it takes them; of what it cannot take the latest is kept for it, topic by topic, and the
 * rest is skipped and counted. Nothing waits for it.
 */
export class Client {
  readonly access: Access;
  /** Frames that it was not given. */
  skipped = 0;
  sentFrames = 0;
  private readonly socket: WebSocket;
  /** What was known when it came, and has not been sent yet. */
  private backlog: Uint8Array[] = [];
  private readonly waiting = new Map<Topic, { key: string | null; bytes: Uint8Array }[]>();
  private flushing = false;
  private alive = true;
  private messages = 0;
  private answers = 0;
  private receivedBytes = 0;
  private behindSinceMs: number | null = null;

  constructor(socket: WebSocket, access: Access) {
    this.socket = socket;
    this.access = access;
    socket.on('error', () => {});
    socket.on('pong', () => {
      this.alive = true;
    });
    socket.on('ping', (data) => {
      if (this.counts() && socket.readyState === socket.OPEN) socket.pong(data);
    });
  }

  /** Calls `take` with every message, as long as they are text and not too many. */
  listen(take: (text: string) => void): void {
    this.socket.on('message', (data, binary) => {
      if (binary) this.end(1003, 'text alone');
      else if (this.counts()) take(String(data));
    });
  }

  /** A frame for it, now or when it has taken what is on its way. */
  give(frame: Frame, bytes: Uint8Array): void {
    if (this.isFree()) {
      this.send(bytes);
      return;
    }
    if (frame.topic === 'run' && frame.data.state === 'starting') this.forget();
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

  /** What a client is given when it comes, in order, before anything else. */
  giveAll(frames: readonly Uint8Array[]): void {
    this.backlog = [...frames];
    this.flush();
  }

  /** An answer or a message of the server; these are small and rare. */
  say(message: object): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    if (++this.answers > MOST_ANSWERS) this.kill();
    else {
      this.socket.send(JSON.stringify(message), () => {
        this.answers--;
      });
    }
  }

  /** Once a second: false where it sent too much since. @param bytesRead by its connection so far */
  second(bytesRead: number): boolean {
    const fine = bytesRead - this.receivedBytes <= MOST_BYTES_PER_S;
    this.receivedBytes = bytesRead;
    this.messages = 0;
    return fine;
  }

  /** False where the last ping was not answered. */
  ping(): boolean {
    if (!this.alive) return false;
    this.alive = false;
    this.socket.ping();
    return true;
  }

  end(code: number, reason: string): void {
    this.socket.close(code, reason);
  }

  kill(): void {
    this.socket.terminate();
  }

  /** Of memory that is held for it, bytes; what was known when it came is not counted, others hold it as well. */
  get heldBytes(): number {
    let held = this.socket.bufferedAmount;
    for (const queue of this.waiting.values()) for (const { bytes } of queue) held += bytes.length;
    return held;
  }

  /** It has not taken what it was given, for some time. */
  get isStalled(): boolean {
    return this.behindSinceMs !== null && performance.now() - this.behindSinceMs > STALLED_MS;
  }

  /** A run begins: of the one before nothing has to be told any more, and it would be taken for this one's. */
  private forget(): void {
    for (const queue of this.waiting.values()) this.skipped += queue.length;
    this.skipped += this.backlog.length;
    this.waiting.clear();
    this.backlog = [];
  }

  private counts(): boolean {
    if (++this.messages <= MOST_MESSAGES_PER_S) return true;
    this.end(1008, `at most ${MOST_MESSAGES_PER_S} messages a second`);
    return false;
  }

  private isFree(): boolean {
    return this.backlog.length === 0 && this.waiting.size === 0 && this.hasRoom();
  }

  private hasRoom(): boolean {
    return this.socket.bufferedAmount < MOST_ON_ITS_WAY;
  }

  private send(bytes: Uint8Array): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    this.sentFrames++;
    // Only who was behind has to hear that there is room again.
    this.socket.send(bytes, BINARY, () => {
      if (this.behindSinceMs !== null) this.flush();
    });
  }

  /** Gives what waits, as far as there is room. */
  private flush(): void {
    if (this.flushing) return;
    this.flushing = true;
    let sent = 0;
    while (sent < this.backlog.length && this.hasRoom()) this.send(this.backlog[sent++]);
    this.backlog.splice(0, sent);
    if (this.backlog.length === 0) {
      for (const topic of ORDER) {
        const queue = this.waiting.get(topic);
        if (!queue) continue;
        while (queue.length > 0 && this.hasRoom()) this.send(queue.shift()!.bytes);
        if (queue.length > 0) break;
        this.waiting.delete(topic);
      }
    }
    this.flushing = false;
    if (this.isFree()) this.behindSinceMs = null;
    else this.behindSinceMs ??= performance.now();
  }
}
