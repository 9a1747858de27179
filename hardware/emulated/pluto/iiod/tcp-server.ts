import { createServer, type Server, type Socket } from 'node:net';
import { DeviceError } from '../../../../src/common/errors.ts';
import type { BytePipe } from './byte-pipe.ts';

/** The IANA port of IIOD. */
export const IIOD_PORT = 30431;
const MAX_CONNECTIONS = 64;
/** What is read ahead of a busy server before the host has to wait. */
const READ_AHEAD_BYTES = 1 << 20;

/** A server of byte pipes on a TCP port. */
export interface PipeServer {
  readonly host: string;
  readonly port: number;
  /** Ends all connections. */
  close(): Promise<void>;
}

/** Listens on loopback unless told otherwise. DeviceError: address in use or not there. Port 0: any that is free. */
export function servePipes(
  serve: (pipe: BytePipe) => void,
  { host = '127.0.0.1', port = IIOD_PORT }: { host?: string; port?: number } = {},
): Promise<PipeServer> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ noDelay: true, keepAlive: true, allowHalfOpen: false }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serve(new SocketPipe(socket));
  });
  server.maxConnections = MAX_CONNECTIONS;
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(new DeviceError(`cannot listen on ${host}:${port}: ${error.message}`)));
    server.listen(port, host, () => {
      const address = server.address();
      const bound = address !== null && typeof address === 'object' ? address.port : port;
      resolve({
        host,
        port: bound,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            for (const socket of sockets) socket.destroy();
          }),
      });
    });
  });
}

/** A TCP connection. Reads ahead a bounded amount, so that the end of the host is noticed while the server is busy. */
export class SocketPipe implements BytePipe {
  private readonly socket: Socket;
  private readonly ended = new AbortController();
  private readonly queue: Uint8Array[] = [];
  private queuedBytes = 0;
  private waiting: ((bytes: Uint8Array | null) => void) | null = null;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Uint8Array) => this.take(bytes));
    for (const event of ['end', 'error', 'close'] as const) socket.on(event, () => this.end());
  }

  get gone(): AbortSignal {
    return this.ended.signal;
  }

  read(): Promise<Uint8Array | null> {
    const bytes = this.queue.shift();
    if (bytes) {
      this.queuedBytes -= bytes.length;
      if (this.queuedBytes < READ_AHEAD_BYTES) this.socket.resume();
      return Promise.resolve(bytes);
    }
    if (this.ended.signal.aborted) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.waiting = resolve;
    });
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.socket.destroyed) reject(new Error('the host is gone'));
      else this.socket.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** What was written before still goes out. */
  close(): void {
    this.socket.destroySoon();
  }

  private take(bytes: Uint8Array): void {
    if (this.waiting) {
      const resolve = this.waiting;
      this.waiting = null;
      resolve(bytes);
      return;
    }
    this.queue.push(bytes);
    this.queuedBytes += bytes.length;
    if (this.queuedBytes >= READ_AHEAD_BYTES) this.socket.pause();
  }

  private end(): void {
    this.ended.abort();
    this.waiting?.(null);
    this.waiting = null;
  }
}
