import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { clientFrame, Opcode, upgradeRequest } from './web-socket-bytes.ts';

/** A dashboard to be attacked, by strangers and by who holds the token that only reads. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly readToken: string;
}

/** What a hostile client does with its connection; it goes on until the connection is gone. */
type Attack = (socket: Socket, target: Target) => void;

/** Does something again and again, as fast as the other side takes it, or each so many ms. */
function again(socket: Socket, act: () => void, everyMs = 0): void {
  const turn = () => {
    if (socket.destroyed) return;
    for (let i = 0; i < 20 && !socket.writableNeedDrain; i++) act();
    if (everyMs > 0) setTimeout(turn, everyMs);
    else if (socket.writableNeedDrain) socket.once('drain', turn);
    else setImmediate(turn);
  };
  turn();
}

/** A WebSocket that was let in, and what it then does. */
function watching(then: (socket: Socket) => void): Attack {
  return (socket, target) => {
    socket.once('data', () => then(socket));
    socket.write(upgradeRequest(target, target.readToken));
  };
}

const request = ({ host, port }: Target, path: string, more = '') =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\n${more}\r\n`;

export const ATTACKS: Readonly<Record<string, Attack>> = {
  silent: () => {},
  'slow headers': (socket, { host, port }) => {
    socket.write(`GET / HTTP/1.1\r\nHost: ${host}:${port}\r\n`);
    const timer = setInterval(() => socket.write('X-A: b\r\n'), 300);
    socket.once('close', () => clearInterval(timer));
  },
  'half open': (socket, target) => socket.end(request(target, '/')),
  'reads nothing of the page': (socket, target) => {
    socket.pause();
    for (let i = 0; i < 50; i++) socket.write(request(target, '/page.js'));
  },
  'reads nothing of what it watches': watching((socket) => socket.pause()),
  'asks without end': watching((socket) => {
    const message = clientFrame(Opcode.text, Buffer.from('{"id":1,"do":"stop"}'));
    again(socket, () => socket.write(message));
  }),
  'asks without end and reads nothing': watching((socket) => {
    socket.pause();
    const message = clientFrame(Opcode.text, Buffer.from('{"id":1,"do":"start","command":"loopback"}'));
    again(socket, () => socket.write(message));
  }),
  'a frame of a tebibyte': watching((socket) => {
    socket.write(Buffer.from([0x82, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 1, 2, 3, 4]));
    again(socket, () => socket.write(Buffer.alloc(65_536)));
  }),
  'a long message': watching((socket) => socket.write(clientFrame(Opcode.text, Buffer.alloc(1 << 20, 0x20)))),
  'no UTF-8': watching((socket) => socket.write(clientFrame(Opcode.text, Buffer.from([0xc3, 0x28, 0xff])))),
  'empty fragments': watching((socket) => {
    socket.write(clientFrame(Opcode.text, Buffer.alloc(0), false));
    const fragment = clientFrame(Opcode.continuation, Buffer.alloc(0), false);
    again(socket, () => socket.write(fragment));
  }),
  'one byte a fragment': watching((socket) => {
    socket.write(clientFrame(Opcode.text, Buffer.from('{'), false));
    const fragment = clientFrame(Opcode.continuation, Buffer.from(' '), false);
    again(socket, () => socket.write(fragment));
  }),
  'pings without end': watching((socket) => {
    socket.pause();
    const ping = clientFrame(Opcode.ping, Buffer.alloc(125));
    again(socket, () => socket.write(ping));
  }),
  'no mask': watching((socket) => socket.write(Buffer.from([0x81, 1, 0x7b]))),
  'reserved bits': watching((socket) => socket.write(Buffer.from([0xf3, 0x80, 0, 0, 0, 0]))),
  'a wrong close': watching((socket) => socket.write(clientFrame(Opcode.close, Buffer.from([0, 1])))),
  'half a frame': watching((socket) => socket.write(Buffer.from([0x81, 0xfe, 0xff]))),
  'no key': (socket, target) =>
    socket.write(request(target, '/ws', 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n')),
  'another version': (socket, target) =>
    socket.write(upgradeRequest(target, target.readToken).replace('Version: 13', 'Version: 99')),
  'many subprotocols': (socket, target) => {
    const words = Array.from({ length: 1000 }, (_, i) => `token.${i}`).join(', ');
    socket.write(upgradeRequest(target, target.readToken).replace('sct.v1', words));
  },
  'a wrong token': (socket, target) => socket.write(upgradeRequest(target, 'x'.repeat(32))),
  'another protocol': (socket, target) =>
    socket.write(request(target, '/', 'Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n')),
  'headers without end': (socket, { host, port }) => {
    socket.write(`GET / HTTP/1.1\r\nHost: ${host}:${port}\r\nX: `);
    again(socket, () => socket.write('x'.repeat(4096)));
  },
  'a body without end': (socket, { host, port }) => {
    const length = 'Transfer-Encoding: chunked\r\n';
    socket.write(`POST /api/pictures/a.png HTTP/1.1\r\nHost: ${host}:${port}\r\n${length}\r\n`);
    again(socket, () => socket.write(`1000\r\n${'x'.repeat(4096)}\r\n`));
  },
  'two lengths': (socket, { host, port }) =>
    socket.write(
      `POST / HTTP/1.1\r\nHost: ${host}:${port}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ),
  noise: (socket) => socket.write(randomBytes(3000)),
  'a TLS hello': (socket) =>
    socket.write(Buffer.concat([Buffer.from('16030100c8010000c40303', 'hex'), randomBytes(200)])),
  'requests without end': (socket, target) => {
    socket.resume();
    const one = request(target, '/api/runs', 'Authorization: Bearer wrong\r\n') + request(target, '/');
    again(socket, () => socket.write(one));
  },
  'lists without end': (socket, target) => {
    socket.pause();
    const one = request(target, '/api/runs', `Authorization: Bearer ${target.readToken}\r\n`);
    again(socket, () => socket.write(one), 20);
  },
};

/** A client of the next kind in turn, until it is thrown out or `end` is called. */
export function attack(target: Target, turn: number): { readonly gone: Promise<void>; end(): void } {
  const kinds = Object.values(ATTACKS);
  const socket = connect({ host: target.host, port: target.port, allowHalfOpen: true });
  // The other side's end is not answered, so that it is for the other side to let go.
  const gone = new Promise<void>((resolve) => {
    socket.once('end', () => resolve()).once('close', () => resolve());
  });
  socket.on('error', () => socket.destroy());
  socket.once('connect', () => kinds[turn % kinds.length](socket, target));
  return { gone, end: () => void socket.destroy() };
}
