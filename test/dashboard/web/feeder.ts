import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { type WebSocket, WebSocketServer } from 'ws';
import { encodeFrame } from '../../../src/dashboard/frames.ts';
import type { TelemetryEvent } from '../../../src/link/telemetry.ts';
import { frameOf } from './made-run.ts';

export const TOKEN = 'a-token-of-the-test';
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};
/** As strict as the real server's. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'";

export interface Asked {
  readonly id: number;
  readonly do: string;
  readonly [key: string]: unknown;
}

/** A server of tests: the built page, what is told to it, and what it asks for. */
export class Feeder {
  /** What a page is given when it comes. */
  snapshot: TelemetryEvent[] = [];
  access: 'read' | 'control' = 'control';
  readonly asked: Asked[] = [];
  /** Answers of REST, by path. */
  readonly rest = new Map<string, unknown>([['/api/sweeps', []]]);
  /** What a command is answered; null: that it was done. */
  refusal: { message: string; hint: string | null } | null = null;
  /** The result of a command that is done. */
  result: unknown;
  refusesToken = false;
  /** Paths that were fetched without the token, and of other sites. */
  readonly fetched: string[] = [];
  private readonly sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'sct.v1' });
  private readonly server: Server;
  private sequence = 0;

  private constructor(private readonly web: string) {
    this.server = createServer((request, response) => void this.serve(request, response));
    this.server.on('upgrade', (request, socket, head) => {
      const offered = String(request.headers['sec-websocket-protocol']);
      if (this.refusesToken || !offered.includes(`token.${TOKEN}`)) {
        socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
        return;
      }
      this.sockets.handleUpgrade(request, socket, head, (page) => this.welcome(page));
    });
  }

  /** @param web folder of the built page */
  static async start(web: string, port = 0): Promise<Feeder> {
    const feeder = new Feeder(web);
    await new Promise<void>((resolve) => feeder.server.listen(port, '127.0.0.1', resolve));
    return feeder;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/#token=${TOKEN}`;
  }

  get pages(): number {
    return this.sockets.clients.size;
  }

  tell(...events: TelemetryEvent[]): void {
    for (const event of events) {
      const bytes = encodeFrame(frameOf(event, this.sequence++));
      for (const page of this.sockets.clients) page.send(bytes);
    }
  }

  /** Bytes as they are, or a message of the server. */
  send(raw: Uint8Array | object): void {
    for (const page of this.sockets.clients) page.send(raw instanceof Uint8Array ? raw : JSON.stringify(raw));
  }

  /** Ends all connections, as a server that dies. */
  drop(): void {
    for (const page of this.sockets.clients) page.terminate();
  }

  async close(): Promise<void> {
    this.drop();
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private welcome(page: WebSocket): void {
    page.on('error', () => {});
    page.on('message', (data) => {
      const asked = JSON.parse(String(data)) as Asked;
      this.asked.push(asked);
      page.send(
        JSON.stringify({ reply: asked.id, ok: this.refusal === null, error: this.refusal, result: this.result }),
      );
    });
    page.send(JSON.stringify({ access: this.access }));
    for (const event of this.snapshot) page.send(encodeFrame(frameOf(event, this.sequence++)));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname);
    this.fetched.push(path);
    response.setHeader('Content-Security-Policy', POLICY);
    if (path.startsWith('/api/')) {
      const known = this.rest.get(path);
      const may = request.headers.authorization === `Bearer ${TOKEN}` && !this.refusesToken;
      const status = may ? (known === undefined ? 404 : 200) : 401;
      response.writeHead(status, { 'Content-Type': known instanceof Uint8Array ? 'image/png' : 'application/json' });
      response.end(
        known instanceof Uint8Array ? known : JSON.stringify(status === 200 ? known : { error: { message: 'no' } }),
      );
      return;
    }
    const file = path === '/' ? 'index.html' : path.slice(1);
    const body = file.includes('..') ? null : await readFile(join(this.web, file)).catch(() => null);
    response.writeHead(body ? 200 : 404, { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream' });
    response.end(body ?? '');
  }
}
