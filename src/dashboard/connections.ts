import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Access } from './access.ts';

/** Connections of whom nobody knows yet that they hold a token; and of those who do, their WebSockets not counted. */
const MOST_STRANGERS = 128;
const MOST_KNOWN = 256;

/**
 * Connections of a server, bounded so that nobody can lock out who may do more. Who comes when there are too many strangers takes the place of the
 * one who came first, of the address that has most of them; among those who hold a token, the one who only reads and came first goes.
 */
export class Connections {
  private readonly strangers = new Map<string, Set<Socket>>();
  private readonly known = new Map<Socket, Access>();
  private count = 0;

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => this.add(socket));
  }

  get size(): number {
    return this.count + this.known.size;
  }

  /** It has shown a token. */
  know(socket: Socket, access: Access): void {
    if (this.known.has(socket)) return;
    this.forget(socket, socket.remoteAddress ?? '');
    if (socket.destroyed) return;
    this.known.set(socket, access);
    if (this.known.size <= MOST_KNOWN) return;
    const others = [...this.known].filter(([other]) => other !== socket);
    (others.find(([, held]) => held === 'read') ?? others[0])[0].destroy();
  }

  /** It is a WebSocket from now on, and counted there. */
  leave(socket: Socket): void {
    this.forget(socket, socket.remoteAddress ?? '');
    this.known.delete(socket);
  }

  private add(socket: Socket): void {
    const address = socket.remoteAddress ?? '';
    const same = this.strangers.get(address) ?? new Set();
    this.strangers.set(address, same.add(socket));
    this.count++;
    socket.once('close', () => {
      this.forget(socket, address);
      this.known.delete(socket);
    });
    if (this.count <= MOST_STRANGERS) return;
    const most = [...this.strangers.values()].reduce((a, b) => (b.size > a.size ? b : a));
    most.values().next().value?.destroy();
  }

  private forget(socket: Socket, address: string): void {
    const same = this.strangers.get(address);
    if (!same?.delete(socket)) return;
    if (same.size === 0) this.strangers.delete(address);
    this.count--;
  }
}
