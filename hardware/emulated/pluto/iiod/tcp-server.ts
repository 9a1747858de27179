import type { Socket } from 'node:net';
import { IIOD_PORT } from '../../../../src/radio/uri.ts';
import { type ListenAddress, listen, stopListening } from '../../front-ends/listen.ts';
import type { BytePipe } from './byte-pipe.ts';

/** What is read ahead of a busy server before the host has to wait. */
const READ_AHEAD_BYTES = 1 << 20;

/** A server of byte pipes on a TCP port or a UNIX socket. */
export interface PipeServer {
  /** "127.0.0.1:30431" or "unix:PATH". */
  readonly address: string;
  /** TCP port; 0 for a UNIX socket. */
  readonly port: number;
  /** Ends all connections. */
  close(): Promise<void>;
}

/** Listens on loopback unless told otherwise. DeviceError: address in use or not there. Port 0: any that is free. */
export async function servePipes(
  serve: (pipe: BytePipe) => void,
  at: ListenAddress | { readonly port?: number } = {},
): Promise<PipeServer> {
  const sockets = new Set<Socket>();
  const place: ListenAddress = 'path' in at || 'host' in at ? at : { host: '127.0.0.1', port: at.port ?? IIOD_PORT };
  const { server, address } = await listen(place, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serve(new SocketPipe(socket));
  });
  const port = 'path' in place ? 0 : Number(address.slice(address.lastIndexOf(':') + 1));
  return { address, port, close: () => stopListening(server, sockets) };
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
