import { createServer, type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import express from 'express';
import { WebSocketServer } from 'ws';
import { DeviceError, UsageError } from '../common/errors.ts';
import type { Controller } from '../link/controller.ts';
import { type Access, AccessRules, isLoopback, protocolToken, reachableAs } from './access.ts';
import { Client } from './client.ts';
import { Connections } from './connections.ts';
import { Hub } from './hub.ts';
import { answer } from './requests.ts';
import { addRoutes, type RestPlaces } from './rest.ts';

export interface DashboardOptions {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  /** One's own control token (checkToken); needed where the address is not of this machine alone. */
  readonly token?: string;
  /** Further names by which it may be called (checkName). */
  readonly names?: readonly string[];
  readonly controller: Controller;
  readonly places: RestPlaces;
}

/** Subprotocol of the page's WebSocket. */
const PROTOCOL = 'sct.v1';
/** Pages that watch at once. */
const MOST_CLIENTS = 32;
/** Longest message of a page, bytes. */
const MOST_MESSAGE_BYTES = 1 << 16;
const PING_MS = 15_000;
const SECOND_MS = 1000;
/** How long a request may take to say what it wants, and to say all of it (a picture), ms. */
const HEADERS_MS = 5000;
const REQUEST_MS = 60_000;
/** Requests on one connection; a browser opens another. */
const MOST_REQUESTS = 100;
/** A connection on which nothing moves. */
const IDLE_MS = 60_000;

/** The dashboard's server: the page, its WebSocket, REST and /metrics. */
export class Dashboard {
  readonly access: AccessRules;
  readonly hub: Hub;
  readonly host: string;
  readonly port: number;
  private readonly server: Server;
  private readonly sockets: WebSocketServer;
  private readonly connections: Connections;
  private readonly byClient = new Map<Client, Socket>();
  private readonly timers: readonly NodeJS.Timeout[];

  private constructor(server: Server, options: DashboardOptions) {
    const { host, token, names, controller, places } = options;
    this.server = server;
    this.host = host;
    this.port = (server.address() as { port: number }).port;
    this.access = new AccessRules(this.port, host, token, names);
    this.hub = new Hub(controller);
    this.connections = new Connections(server);
    this.sockets = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      autoPong: false,
      maxPayload: MOST_MESSAGE_BYTES,
      handleProtocols: (offered) => (offered.has(PROTOCOL) ? PROTOCOL : false),
    });
    const app = express();
    addRoutes(app, { access: this.access, connections: this.connections, hub: this.hub, controller, places });
    server.on('request', app);
    server.on('upgrade', (request, socket, head) => this.upgrade(request, socket, head));
    this.timers = [setInterval(() => this.ping(), PING_MS), setInterval(() => this.second(), SECOND_MS)];
    for (const timer of this.timers) timer.unref();
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
    const server = createServer({
      maxHeaderSize: 16_384,
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      keepAliveTimeout: HEADERS_MS,
      connectionsCheckingInterval: SECOND_MS,
    });
    server.setTimeout(IDLE_MS);
    server.maxRequestsPerSocket = MOST_REQUESTS;
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
    const name = reachableAs(this.host);
    return `http://${name.includes(':') ? `[${name}]` : name}:${this.port}/`;
  }

  /** Stops the job, tells all pages, and ends every connection. */
  async close(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    await this.hub.close();
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
      // Its own end is not waited for.
      socket.once('finish', () => socket.destroy());
      socket.end(`HTTP/1.1 ${access} ${STATUS_CODES[access]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    this.sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const client = new Client(webSocket, access);
      const own = socket as Socket;
      this.connections.leave(own);
      this.byClient.set(client, own);
      webSocket.on('close', () => {
        this.hub.leave(client);
        this.byClient.delete(client);
      });
      client.listen((text) => void answer(text, client, this.hub));
      this.hub.join(client);
    });
  }

  /** What a WebSocket may do, or the HTTP status that refuses it. */
  private accessOf({ url, headers }: IncomingMessage): Access | number {
    if (url !== '/ws') return 404;
    if (!this.access.isOwnHost(headers.host) || !this.access.isOwnOrigin(headers.origin)) return 403;
    const access = this.access.accessOf(protocolToken(headers['sec-websocket-protocol']));
    if (!access) return 403;
    return this.hasPlace(access) ? access : 503;
  }

  /** Whether one page more may watch: where all places are taken it gets that of one which takes nothing, and who may control that of one who only watches. */
  private hasPlace(access: Access): boolean {
    const { clients, counters } = this.hub;
    if (clients.size < MOST_CLIENTS) return true;
    counters.turnedAway++;
    const watching = [...clients].filter((client) => client.access === 'read');
    const last = watching.find((client) => client.isStalled) ?? (access === 'control' ? watching[0] : undefined);
    last?.kill();
    if (last) this.hub.leave(last);
    return last !== undefined;
  }

  private ping(): void {
    for (const client of this.hub.clients) if (!client.ping()) client.kill();
  }

  private second(): void {
    for (const [client, socket] of this.byClient) if (!client.second(socket.bytesRead)) client.kill();
  }
}
