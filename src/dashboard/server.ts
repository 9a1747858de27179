import { createServer, type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import express from 'express';
import { WebSocketServer } from 'ws';
import { DeviceError, UsageError } from '../common/errors.ts';
import type { Controller } from '../link/controller.ts';
import { type Access, AccessRules, isLoopback, protocolToken } from './access.ts';
import { Client } from './client.ts';
import { Hub } from './hub.ts';
import { answer } from './requests.ts';
import { addRoutes, type RestPlaces } from './rest.ts';

export interface DashboardOptions {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  /** One's own control token (checkToken); needed where the address is not of this machine alone. */
  readonly token?: string;
  readonly controller: Controller;
  readonly places: RestPlaces;
}

/** Subprotocol of the page's WebSocket. */
const PROTOCOL = 'sct.v1';
/** Pages that watch at once, and connections of any kind. */
const MOST_CLIENTS = 32;
const MOST_CONNECTIONS = 256;
/** Longest message of a page, bytes; and so many a second. */
const MOST_MESSAGE_BYTES = 1 << 16;
const MOST_MESSAGES_PER_S = 50;
const PING_MS = 15_000;

/** The dashboard's server: the page, its WebSocket, REST and /metrics. */
export class Dashboard {
  readonly access: AccessRules;
  readonly hub: Hub;
  readonly host: string;
  readonly port: number;
  private readonly server: Server;
  private readonly sockets: WebSocketServer;
  private readonly pings: NodeJS.Timeout;

  private constructor(server: Server, options: DashboardOptions) {
    const { host, token, controller, places } = options;
    this.server = server;
    this.host = host;
    this.port = (server.address() as { port: number }).port;
    this.access = new AccessRules(this.port, host, token);
    this.hub = new Hub(controller);
    this.sockets = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      maxPayload: MOST_MESSAGE_BYTES,
      handleProtocols: (offered) => (offered.has(PROTOCOL) ? PROTOCOL : false),
    });
    const app = express();
    addRoutes(app, { access: this.access, hub: this.hub, controller, places });
    server.on('request', app);
    server.on('upgrade', (request, socket, head) => this.upgrade(request, socket, head));
    this.pings = setInterval(() => this.ping(), PING_MS);
    this.pings.unref();
  }

  /**
   * Listens. UsageError where others could reach it without a token of their own choice having been named, DeviceError where the port is taken.
   */
  static async listen(options: DashboardOptions): Promise<Dashboard> {
    const { host, port, token } = options;
    if (!isLoopback(host) && token === undefined) {
      throw new UsageError(
        `--host ${host}: others can reach this address`,
        'give --token TEXT (16 characters or more) as well, or leave --host out and forward the port over SSH',
      );
    }
    const server = createServer({ maxHeaderSize: 16_384, headersTimeout: 5000, requestTimeout: 15_000 });
    server.maxConnections = MOST_CONNECTIONS;
    server.keepAliveTimeout = 5000;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (e) => reject(new DeviceError(`cannot listen at ${host}:${port}: ${e.message}`)));
      server.listen(port, host, resolve);
    });
    server.on('error', () => {});
    // Whatever a connection does before it is anybody's ends that connection alone.
    server.on('clientError', (_, socket) => socket.destroy());
    return new Dashboard(server, options);
  }

  /** Address of the page, without a token. */
  get url(): string {
    return `http://${this.host.includes(':') ? `[${this.host}]` : this.host}:${this.port}/`;
  }

  /** Stops the job, tells all pages, and ends every connection. */
  async close(): Promise<void> {
    clearInterval(this.pings);
    await this.hub.stop();
    for (const client of this.hub.clients) client.end(1001, 'the dashboard ends');
    const ended = new Promise<void>((resolve) => this.server.close(() => resolve()));
    setTimeout(() => {
      for (const client of this.hub.clients) client.kill();
      this.server.closeAllConnections();
    }, 200).unref();
    await ended;
    this.sockets.close();
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => {});
    const access = this.accessOf(request);
    if (typeof access === 'number') {
      socket.end(`HTTP/1.1 ${access} ${STATUS_CODES[access]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    this.sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const client = new Client(webSocket, access);
      let second = 0;
      let messages = 0;
      webSocket.on('error', () => {});
      webSocket.on('close', () => this.hub.leave(client));
      webSocket.on('pong', () => {
        client.alive = true;
      });
      webSocket.on('message', (data, binary) => {
        const now = Math.floor(performance.now() / 1000);
        messages = now === second ? messages + 1 : 1;
        second = now;
        if (binary || messages > MOST_MESSAGES_PER_S) client.end(1008, 'JSON text, and not so many');
        else void answer(String(data), client, this.hub);
      });
      this.hub.join(client);
    });
  }

  /** What a WebSocket may do, or the HTTP status that refuses it. */
  private accessOf({ url, headers }: IncomingMessage): Access | number {
    if (url !== '/ws') return 404;
    if (!this.access.isOwnHost(headers.host) || !this.access.isOwnOrigin(headers.origin)) return 403;
    const access = this.access.accessOf(protocolToken(headers['sec-websocket-protocol']));
    if (!access) return 403;
    return this.hub.clients.size < MOST_CLIENTS ? access : 503;
  }

  private ping(): void {
    for (const client of this.hub.clients) {
      if (!client.alive) client.kill();
      else client.ping();
    }
  }
}
