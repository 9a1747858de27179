import { connect, type Socket } from 'node:net';

const WITHIN_MS = 10_000;

/** A raw client of a front end: bytes written, bytes awaited. */
export class Peer {
  readonly socket: Socket;
  private received = Buffer.alloc(0);
  private isEnded = false;
  private wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isEnded = true;
      this.wake();
    });
  }

  /** To "HOST:PORT" or "unix:PATH". */
  static open(address: string): Promise<Peer> {
    const unix = /^unix:(.*)$/.exec(address);
    const [host, port] = address.split(':');
    return new Promise((resolve, reject) => {
      const socket = connect(unix ? { path: unix[1] } : { host, port: Number(port) });
      socket.once('error', reject);
      socket.once('connect', () => resolve(new Peer(socket)));
    });
  }

  write(...parts: Uint8Array[]): void {
    this.socket.write(Buffer.concat(parts));
  }

  /** The next bytes; throws when the connection ends or nothing comes for long. */
  async read(bytes: number): Promise<Buffer> {
    const timer = setTimeout(() => this.socket.destroy(new Error('nothing came')), WITHIN_MS);
    try {
      while (this.received.length < bytes) {
        if (this.isEnded) throw new Error(`the connection ended after ${this.received.length} of ${bytes} bytes`);
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
    }
    const taken = this.received.subarray(0, bytes);
    this.received = this.received.subarray(bytes);
    return taken;
  }

  /** Waits for the other side to end; what came until then and was not read. */
  async end(): Promise<Buffer> {
    const timer = setTimeout(() => this.socket.destroy(), WITHIN_MS);
    while (!this.isEnded) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    clearTimeout(timer);
    return this.received;
  }

  /** Bytes that have come and were not read. */
  get waiting(): number {
    return this.received.length;
  }

  close(): void {
    this.socket.destroy();
  }
}

/** Waits until something is so; throws when it does not become so. */
export async function until(what: () => boolean): Promise<void> {
  for (let i = 0; !what(); i++) {
    if (i > 1000) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
