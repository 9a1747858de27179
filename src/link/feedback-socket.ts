import { randomBytes } from 'node:crypto';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import { DeviceError, FormatError, UsageError } from '../common/errors.ts';
import { type ClockEstimate, HostClock } from './clock-offset.ts';
import { FeedbackHandshake, MAX_FRAME_BYTES, NONCE_BYTES, type SocketRole } from './feedback-auth.ts';
import { connectFault, LEFT_UNPROVED, MAX_PUSH_FRAME, PUSH_PATH, SocketPushLink } from './feedback-push.ts';
import { MessageQueue } from './message-queue.ts';
import type { PushAcceptor } from './push/push-acceptor.ts';
import type { FeedbackChannel } from './reverse/feedback.ts';

/** Connections that have not proved themselves: more are refused; each has so long, ms. */
const MOST_UNPROVED = 8;
const PROOF_TIMEOUT_MS = 5000;
/** Between attempts of a client, ms: first, and most. */
const RETRY_MS = { first: 200, most: 5000 } as const;
/** What is no URL has no parts. */
const NO_URL = { hostname: '', port: '', protocol: '' };
/** Longest wait for a peer to take leave, ms. */
const CLOSE_MS = 500;
/** Alive is asked for so often, ms; a peer that has not answered by the next time is gone. */
const PING_MS = 5000;

export interface SocketFeedbackOptions {
  readonly token: Buffer;
  /** Of a receiver: takes model sets and pictures that are pushed to it, at the same address. Default: it takes none. */
  readonly pushes?: PushAcceptor | undefined;
  /** The own clock, ms since 1970; injected in tests. */
  readonly nowMs?: (() => number) | undefined;
  /** A message has come, or a peer. */
  changed?(): void;
  /** One line on what happened to the connection. */
  note?(text: string): void;
}

export interface SocketCounters {
  connections: number;
  /** Peers that did not hold the token, or whose messages were wrong. */
  refused: number;
  sent: number;
  received: number;
  /** Messages that found no room: no peer for too long, or nobody took them. */
  dropped: number;
  /** Messages of the peer that never came, as the numbers of later ones say. */
  lost: number;
}

/**
 * The way back over a WebSocket between two hosts: a receiver listens, a sender connects, and connects again when the connection
 * breaks. Both ends prove that they hold one token, every message is sealed (feedback-auth.ts); the newest proved peer is the peer.
 * It is not encrypted: reports and acknowledgements are no secrets, only nobody else may make them.
 */
export class SocketFeedback implements FeedbackChannel {
  readonly counters: SocketCounters = { connections: 0, refused: 0, sent: 0, received: 0, dropped: 0, lost: 0 };
  private readonly options: SocketFeedbackOptions;
  private readonly role: SocketRole;
  private readonly where: string;
  private readonly outgoing = new MessageQueue(this.counters);
  private readonly incoming = new MessageQueue(this.counters);
  private readonly hostClock: HostClock;
  private peer: { readonly socket: WebSocket; readonly handshake: FeedbackHandshake } | null = null;
  private server: WebSocketServer | null = null;
  private unproved = 0;
  private fault = '';
  private retryMs: number = RETRY_MS.first;
  private retry: NodeJS.Timeout | null = null;
  private readonly open = new Set<WebSocket>();
  private closed = false;

  private constructor(role: SocketRole, where: string, options: SocketFeedbackOptions) {
    this.role = role;
    this.where = where;
    this.options = options;
    this.hostClock = new HostClock({
      nowMs: options.nowMs,
      note: (text) => options.note?.(text),
      say: (message) => {
        const { peer } = this;
        if (peer?.socket.readyState === WebSocket.OPEN) peer.socket.send(peer.handshake.seal(message));
      },
    });
  }

  /** The receiver's end: listens at ws://HOST:PORT; port 0 takes a free one. DeviceError where it cannot. */
  static async listen(url: string, options: SocketFeedbackOptions): Promise<SocketFeedback> {
    const { hostname, port, protocol } = URL.canParse(url) ? new URL(url) : NO_URL;
    if (protocol !== 'ws:')
      throw new UsageError(
        `--feedback ${url}: a receiver listens at ws://HOST:PORT`,
        protocol === 'wss:' ? 'put TLS in front of it' : 'or meets the sender at nats://HOST[:PORT][/NAME]',
      );
    if (port === '') throw new UsageError(`${url} names no port`, 'for example ws://0.0.0.0:8470');
    const host = hostname.replace(/^\[|\]$/g, '');
    const server = new WebSocketServer({
      host,
      port: Number(port),
      maxPayload: options.pushes ? MAX_PUSH_FRAME : MAX_FRAME_BYTES,
      perMessageDeflate: false,
    });
    await new Promise<void>((resolve, reject) => {
      server.once('listening', resolve);
      server.once('error', (e) => reject(new DeviceError(`cannot listen at ${url}: ${e.message}`)));
    });
    const { port: taken } = server.address() as { port: number };
    const out = new SocketFeedback('server', `ws://${hostname}:${taken}`, options);
    out.server = server;
    server.on('error', () => undefined);
    server.on('connection', (socket, request) => {
      if (options.pushes && request.url === PUSH_PATH) void out.adoptPush(socket, options.pushes);
      else out.adopt(socket);
    });
    return out;
  }

  /** The sender's end: connects now and whenever the connection is lost; never throws for a peer that is not there. */
  static connect(url: string, options: SocketFeedbackOptions): SocketFeedback {
    const out = new SocketFeedback('client', url, options);
    out.dial();
    return out;
  }

  /** Where it listens, or connects to. */
  get url(): string {
    return this.where;
  }

  /** Whether a peer is there that holds the token. */
  get connected(): boolean {
    return this.peer !== null;
  }

  clock(): ClockEstimate | null {
    return this.hostClock.estimate();
  }

  send(message: Uint8Array): void {
    this.outgoing.push(message.slice());
    this.flush();
  }

  receive(): Uint8Array[] {
    return this.incoming.takeAll();
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.hostClock.stop();
    if (this.retry) clearTimeout(this.retry);
    // What was said last still gets there: the peer's end is waited for, a while.
    const last = this.peer?.socket;
    if (last) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, CLOSE_MS);
        last.once('close', () => {
          clearTimeout(timer);
          resolve();
        });
        last.close();
      });
    }
    for (const socket of this.open) socket.terminate();
    const { server } = this;
    if (server) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  describe(): string {
    const { where, role, connected } = this;
    return `feedback ${role === 'server' ? 'at' : 'to'} ${where}${connected ? '' : ` (nobody there${this.fault})`}`;
  }

  private dial(): void {
    if (this.closed) return;
    this.adopt(
      new WebSocket(this.where, {
        maxPayload: MAX_FRAME_BYTES,
        perMessageDeflate: false,
        handshakeTimeout: PROOF_TIMEOUT_MS,
      }),
    );
  }

  /** Takes a connection through the proof; only then it becomes the peer. */
  private adopt(socket: WebSocket): void {
    if (this.closed || this.unproved >= MOST_UNPROVED) {
      socket.terminate();
      return;
    }
    this.unproved++;
    this.open.add(socket);
    const handshake = new FeedbackHandshake(this.role, this.options.token, randomBytes(NONCE_BYTES));
    const begun = (): void => void (handshake.opening && socket.send(handshake.opening));
    if (socket.readyState === WebSocket.OPEN) begun();
    else socket.once('open', begun);
    let waiting: NodeJS.Timeout | null = setTimeout(() => socket.terminate(), PROOF_TIMEOUT_MS * 2);
    const proved = (): void => {
      if (!waiting) return;
      clearTimeout(waiting);
      waiting = null;
      this.unproved--;
    };
    let alive = true;
    const pings = setInterval(() => {
      if (!alive) return socket.terminate();
      alive = false;
      if (socket.readyState === WebSocket.OPEN) socket.ping();
    }, PING_MS);
    socket.on('pong', () => {
      alive = true;
    });
    socket.on('message', (data, isBinary) => {
      alive = true;
      if (!this.take(socket, handshake, data, isBinary)) return socket.terminate();
      if (handshake.ready) proved();
    });
    // What goes wrong with a connection is seen in its closing; why there is none is told.
    socket.on('error', (error) => {
      this.fault = connectFault(error);
    });
    socket.once('close', () => {
      proved();
      clearInterval(pings);
      this.open.delete(socket);
      this.gone(socket);
    });
  }

  /** A connection of its own for a push: it is no peer, and says nothing on the channel of reports. */
  private async adoptPush(socket: WebSocket, pushes: PushAcceptor): Promise<void> {
    if (this.closed || this.unproved >= MOST_UNPROVED) return socket.terminate();
    this.unproved++;
    this.open.add(socket);
    socket.once('close', () => this.open.delete(socket));
    const link = new SocketPushLink(socket, 'server', this.options.token, `at ${this.where}`);
    const proved = await link.proved;
    this.unproved--;
    if (proved) return pushes.serve(link);
    this.counters.refused++;
    this.options.note?.(`feedback: a push was refused: ${link.fault ?? LEFT_UNPROVED}`);
    socket.terminate();
  }

  /** False where the connection must end. */
  private take(socket: WebSocket, handshake: FeedbackHandshake, data: RawData, isBinary: boolean): boolean {
    try {
      if (!isBinary || !Buffer.isBuffer(data)) throw new FormatError('frame', 'is not binary');
      const before = handshake.ready;
      const { reply, message } = handshake.take(data);
      if (reply) socket.send(reply);
      if (handshake.ready && !before) this.welcome(socket, handshake);
      if (message && !this.hostClock.take(message)) this.arrived(message);
      return true;
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.counters.refused++;
      this.options.note?.(`feedback: a peer was refused: ${error.message}`);
      return false;
    }
  }

  private welcome(socket: WebSocket, handshake: FeedbackHandshake): void {
    this.peer?.socket.terminate();
    this.peer = { socket, handshake };
    this.fault = '';
    this.counters.connections++;
    this.retryMs = RETRY_MS.first;
    this.hostClock.begin();
    this.flush();
    this.options.changed?.();
  }

  private arrived(message: Uint8Array): void {
    this.counters.received++;
    this.incoming.push(message);
    this.options.changed?.();
  }

  private flush(): void {
    const { peer } = this;
    if (!peer || peer.socket.readyState !== WebSocket.OPEN) return;
    for (const message of this.outgoing.takeAll()) {
      peer.socket.send(peer.handshake.seal(message));
      this.counters.sent++;
    }
  }

  private gone(socket: WebSocket): void {
    if (this.peer?.socket === socket) {
      this.peer = null;
      this.hostClock.stop();
      if (!this.closed) this.options.note?.('feedback: the connection is lost');
    }
    if (this.role !== 'client' || this.closed || this.retry) return;
    this.retry = setTimeout(() => {
      this.retry = null;
      this.dial();
    }, this.retryMs);
    this.retryMs = Math.min(2 * this.retryMs, RETRY_MS.most);
  }
}
