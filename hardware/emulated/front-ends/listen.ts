import { chmod, lstat, stat, unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { DeviceError, UsageError } from '../../../src/common/errors.ts';

/** What the system means. */
const WHY: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'there is no host of that name',
  EAI_AGAIN: 'the name of the host is not known now',
  EACCES: 'this user may not',
};

const ELSEWHERE = 'name another port (0: any that is free) or the path of a socket';

/** Where a front end listens: a TCP port of an address, or a UNIX socket. */
export type ListenAddress = { readonly host: string; readonly port: number } | { readonly path: string };

const DEFAULT_HOST = '127.0.0.1';
/** sun_path of Linux holds 108 bytes with the closing zero. */
const MAX_PATH_BYTES = 107;

/** "3240", "127.0.0.1:3240", "[::1]:3240" or a path with a slash, optionally behind "unix:". Port 0 is any free port. */
export function parseListenAddress(name: string, text: string): ListenAddress {
  const path = text.startsWith('unix:') ? text.slice(5) : text.includes('/') ? text : null;
  if (path !== null) {
    const bytes = Buffer.byteLength(path);
    if (bytes === 0 || bytes > MAX_PATH_BYTES || path.includes('\0')) {
      throw new UsageError(`${name}: a socket's path has 1 to ${MAX_PATH_BYTES} bytes`);
    }
    return { path };
  }
  const match = /^(?:\[([0-9A-Fa-f:]+)\]:|([^:[\]\s]+):)?(\d{1,5})$/.exec(text);
  if (!match || Number(match[3]) > 65_535) {
    throw new UsageError(`${name}: "${text}" is not PORT, HOST:PORT or a path with a slash (ports 0 to 65535)`);
  }
  return { host: match[1] ?? match[2] ?? DEFAULT_HOST, port: Number(match[3]) };
}

/** Whether only processes of this machine can connect. */
export function isLocal(address: ListenAddress): boolean {
  return 'path' in address || /^(localhost|127(\.\d{1,3}){3}|::1)$/.test(address.host);
}

/** A server that is listening, and the address in the form that `usbip=` of a radio's URI takes. */
export interface Listening {
  readonly server: Server;
  /** "127.0.0.1:3240" or "unix:PATH". */
  readonly address: string;
}

/**
 * Listens. DeviceError where the address is taken, not there, or may not be used. A socket file that nobody serves any more is
 * replaced; one of another kind is left alone. UNIX sockets are made for this user alone.
 */
export async function listen(address: ListenAddress, onConnection: (socket: Socket) => void): Promise<Listening> {
  const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 10_000 }, onConnection);
  server.maxConnections = 64;
  if ('path' in address) await removeStale(address.path);
  await new Promise<void>((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => {
      const where = 'path' in address ? address.path : `${address.host}:${address.port}`;
      const why = WHY[error.code ?? ''] ?? error.code ?? error.message;
      reject(new DeviceError(`cannot listen at ${where}: ${why}`, error.code === 'EADDRINUSE' ? ELSEWHERE : undefined));
    };
    server.once('error', onError);
    server.listen(address, () => {
      server.removeListener('error', onError);
      resolve();
    });
  });
  server.on('error', () => {}); // a connection that could not be accepted is the client's matter
  if ('path' in address) {
    await chmod(address.path, 0o600);
    return { server, address: `unix:${address.path}` };
  }
  const bound = server.address();
  const port = bound !== null && typeof bound === 'object' ? bound.port : address.port;
  return { server, address: `${address.host.includes(':') ? `[${address.host}]` : address.host}:${port}` };
}

/** Ends a server and everybody connected to it. */
export function stopListening(server: Server, sockets: Iterable<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of sockets) socket.destroy();
  });
}

async function removeStale(path: string): Promise<void> {
  // The system says "permission denied" of a folder that is not there.
  const folder = await stat(dirname(path)).catch(() => null);
  if (!folder?.isDirectory()) throw new DeviceError(`cannot listen at ${path}: there is no such folder`);
  const found = await lstat(path).catch(() => null);
  if (!found) return;
  if (!found.isSocket()) throw new DeviceError(`cannot listen at ${path}: a file that is no socket stands there`);
  const alive = await new Promise<boolean>((resolve) => {
    const probe = connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
  if (alive) throw new DeviceError(`cannot listen at ${path}: another program listens there`, ELSEWHERE);
  await unlink(path).catch(() => {});
}
