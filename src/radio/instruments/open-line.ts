import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { InstrumentError } from './instrument-error.ts';
import { openSerialPort } from './serial-port.ts';

const CONNECT_TIMEOUT_MS = 5000;

/** Where a line of an instrument leads: a serial port by its name, a server of one over TCP (ser2net, socat), or a UNIX socket. */
export type LinePlace =
  | { readonly kind: 'serial'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** `/dev/ttyUSB0`, `COM3`, `tcp:HOST:PORT`, `unix:PATH`; null where it is none of them. */
export function parseLinePlace(text: string): LinePlace | null {
  if (text.startsWith('unix:')) {
    const path = text.slice(5);
    // sun_path of Linux holds 108 bytes with the closing zero.
    return path.length > 0 && Buffer.byteLength(path) <= 107 ? { kind: 'unix', path } : null;
  }
  if (text.startsWith('tcp:')) {
    const match = /^tcp:([A-Za-z0-9][A-Za-z0-9.-]{0,252}):(\d{1,5})$/.exec(text);
    const port = Number(match?.[2]);
    return match && port >= 1 && port <= 65_535 ? { kind: 'tcp', host: match[1], port } : null;
  }
  return { kind: 'serial', path: text };
}

/** Opens the line that a URI's port names. A socket has no baud rate: its server has set it. InstrumentError: as openSerialPort. */
export function openLine(port: string, baudRate: number): Promise<Duplex> {
  const place = parseLinePlace(port);
  if (!place || place.kind === 'serial') return openSerialPort(port, baudRate);
  return openSocket(port, place.kind === 'unix' ? { path: place.path } : { host: place.host, port: place.port });
}

function openSocket(name: string, at: { path: string } | { host: string; port: number }): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...at, noDelay: true });
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new InstrumentError('timeout', `${name}: no connection after ${CONNECT_TIMEOUT_MS} ms`));
    }, CONNECT_TIMEOUT_MS);
    socket.once('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      reject(connectError(name, error));
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

function connectError(name: string, error: NodeJS.ErrnoException): InstrumentError {
  switch (error.code) {
    case 'ENOENT':
    case 'ECONNREFUSED':
    case 'ENOTFOUND':
    case 'ENOTSOCK':
      return new InstrumentError('missing', `${name}: nobody serves an instrument there (${error.code})`);
    case 'EACCES':
    case 'EPERM':
      return new InstrumentError('permission', `${name}: no permission`);
    default:
      return new InstrumentError('gone', `${name}: ${error.message.slice(0, 200)}`);
  }
}
