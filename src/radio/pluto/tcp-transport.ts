import { createConnection, type Socket } from 'node:net';
import type { ByteTransport, Connector } from './byte-transport.ts';
import { IiodError, within } from './iiod-error.ts';

/** Bytes kept for a slow reader before the socket is told to wait. */
const HIGH_WATER_BYTES = 1 << 20;

/** TCP connections to an IIOD server, one for each `connect()`. */
export class TcpConnector implements Connector {
  private readonly host: string;
  private readonly port: number;

  constructor(host: string, port: number) {
    this.host = host;
    this.port = port;
  }

  async connect(timeoutMs: number): Promise<ByteTransport> {
    const name = this.describe();
    const socket = createConnection({ host: this.host, port: this.port, noDelay: true, keepAlive: true });
    const connected = new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', (error: NodeJS.ErrnoException) => reject(connectError(name, error)));
    });
    try {
      await within(connected, timeoutMs, `${name} did not accept a connection`);
    } catch (error) {
      // The socket may still fail later, when nobody listens any more.
      socket.on('error', () => undefined);
      socket.destroy();
      throw error;
    }
    return new TcpTransport(socket, name);
  }

  async close(): Promise<void> {}

  describe(): string {
    return `${this.host.includes(':') ? `[${this.host}]` : this.host}:${this.port}`;
  }
}

function connectError(name: string, error: NodeJS.ErrnoException): IiodError {
  const hints: Readonly<Record<string, string>> = {
    ENOTFOUND: 'the name is not known: is the Pluto plugged in, and its USB network up? Try its address, 192.168.2.1',
    EAI_AGAIN: 'the name could not be looked up; try the address, 192.168.2.1',
    ECONNREFUSED: 'nothing listens there: IIOD runs on port 30431 of a Pluto',
    EHOSTUNREACH: 'is the Pluto plugged in, and its USB network up?',
    ENETUNREACH: 'is the Pluto plugged in, and its USB network up?',
  };
  const code = error.code ?? error.message;
  return new IiodError('gone', `${name}: cannot connect (${code})`, null, hints[code]);
}

/** One connection; what arrives is kept in chunks, and the socket waits while too much is there. */
export class TcpTransport implements ByteTransport {
  private readonly socket: Socket;
  private readonly name: string;
  private readonly chunks: Uint8Array[] = [];
  private waitingBytes = 0;
  private failure: IiodError | null = null;
  private wake: (() => void) | null = null;

  constructor(socket: Socket, name: string) {
    this.socket = socket;
    this.name = name;
    socket.on('data', (chunk: Buffer) => {
      this.chunks.push(chunk);
      this.waitingBytes += chunk.length;
      if (this.waitingBytes >= HIGH_WATER_BYTES) socket.pause();
      this.notify();
    });
    const fail = (why: string) => {
      this.failure ??= new IiodError('gone', `${name}: ${why}`);
      this.notify();
    };
    socket.on('end', () => fail('the server closed the connection'));
    socket.on('error', (error: NodeJS.ErrnoException) => fail(`connection lost (${error.code ?? error.message})`));
    socket.on('close', () => fail('connection is closed'));
  }

  async send(data: Uint8Array, timeoutMs: number): Promise<void> {
    if (this.failure && this.socket.destroyed) throw this.failure;
    const sent = new Promise<void>((resolve, reject) => {
      this.socket.write(data, (error) => {
        if (!error) resolve();
        else reject(this.failure ?? new IiodError('gone', `${this.name}: connection lost (${error.message})`));
      });
    });
    await within(sent, timeoutMs, `${this.name} did not take ${data.length} bytes`);
  }

  async receive(into: Uint8Array, timeoutMs: number): Promise<number> {
    if (this.chunks.length === 0) await this.arrival(timeoutMs);
    let taken = 0;
    while (taken < into.length && this.chunks.length) {
      const chunk = this.chunks[0];
      const count = Math.min(chunk.length, into.length - taken);
      into.set(count === chunk.length ? chunk : chunk.subarray(0, count), taken);
      taken += count;
      if (count === chunk.length) this.chunks.shift();
      else this.chunks[0] = chunk.subarray(count);
    }
    this.waitingBytes -= taken;
    if (this.waitingBytes < HIGH_WATER_BYTES && this.socket.isPaused()) this.socket.resume();
    return taken;
  }

  /** libuv tries to write at once, so the bytes are on their way even if the event loop never turns again. */
  sendNow(data: Uint8Array): boolean {
    if (this.failure || this.socket.destroyed) return false;
    this.socket.write(data);
    return true;
  }

  async close(): Promise<void> {
    this.failure ??= new IiodError('gone', `${this.name}: connection is closed`);
    this.notify();
    if (this.socket.destroyed) return;
    // What was written still goes out; a peer that does not take it is cut off.
    const timer = setTimeout(() => this.socket.destroy(), 200);
    timer.unref();
    this.socket.once('close', () => clearTimeout(timer));
    this.socket.end(() => this.socket.destroy());
  }

  describe(): string {
    return this.name;
  }

  private async arrival(timeoutMs: number): Promise<void> {
    if (this.failure) throw this.failure;
    const arrived = new Promise<void>((resolve) => (this.wake = resolve));
    await within(arrived, timeoutMs, `${this.name} did not answer`);
    if (this.chunks.length === 0) throw this.failure ?? new IiodError('gone', `${this.name}: connection is closed`);
  }

  private notify(): void {
    this.wake?.();
    this.wake = null;
  }
}
